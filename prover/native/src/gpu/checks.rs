//! Single operations on a card, for comparing it with the CPU.

use super::card::{Argument, Card, Plain, Point, Scalar, Sum};
use super::error::CardError;
use crate::sumcheck::field::F;
use ark_bn254::{Fq, G1Affine, G1Projective};
use ark_ff::BigInteger256;
use std::time::Instant;

/// Of a field. The numbers are those of `checks.cuh`.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    /// a + b.
    Add = 0,
    /// a − b.
    Subtract = 1,
    /// a·b.
    Multiply = 2,
    /// 1/a, 0 of 0.
    Invert = 3,
}

/// Of the curve.
#[derive(Clone, Copy, Debug)]
pub enum PointOperation {
    /// a + b, b affine.
    AddAffine = 0,
    /// a + 2b.
    AddSums = 1,
    /// 2a.
    Double = 2,
}

fn operate<T: Plain, R: Plain>(
    card: &Card,
    kernel: &'static str,
    operation: u32,
    a: &[T],
    b: &[T],
) -> Result<Vec<R>, CardError> {
    assert!(a.len() == b.len(), "vectors of equal length");
    let (on_card_a, on_card_b) = (card.upload(a)?, card.upload(b)?);
    let out = card.allocate::<R>(a.len())?;
    let arguments = [
        Argument::Word(operation),
        on_card_a.view().pointer(),
        on_card_b.view().pointer(),
        Argument::Word(a.len() as u32),
        out.view().pointer(),
    ];
    card.launch(kernel, a.len(), &arguments)?;
    out.read()
}

/// An operation of the scalar field on pairs.
pub fn on_scalars(card: &Card, of: Operation, a: &[F], b: &[F]) -> Result<Vec<F>, CardError> {
    let stored = |values: &[F]| values.iter().map(Scalar::from).collect::<Vec<_>>();
    let out = operate::<_, Scalar>(card, "scalar_operation", of as u32, &stored(a), &stored(b))?;
    Ok(out.iter().map(F::from).collect())
}

/// An operation of the base field on pairs.
pub fn on_base_field(card: &Card, of: Operation, a: &[Fq], b: &[Fq]) -> Result<Vec<Fq>, CardError> {
    let stored = |values: &[Fq]| values.iter().map(|v| Scalar(v.0.0)).collect::<Vec<_>>();
    let out = operate::<_, Scalar>(card, "base_operation", of as u32, &stored(a), &stored(b))?;
    Ok(out.iter().map(|v| Fq::new_unchecked(BigInteger256::new(v.0))).collect())
}

/// An operation of the curve on pairs.
pub fn on_points(
    card: &Card,
    of: PointOperation,
    a: &[G1Affine],
    b: &[G1Affine],
) -> Result<Vec<G1Projective>, CardError> {
    let stored = |values: &[G1Affine]| values.iter().map(Point::from).collect::<Vec<_>>();
    let out = operate::<_, Sum>(card, "point_operation", of as u32, &stored(a), &stored(b))?;
    Ok(out.iter().map(G1Projective::from).collect())
}

/// What a card does at best, measured on it.
#[derive(Clone, Copy, Debug)]
pub struct Peaks {
    /// Field multiplications a second, of threads that do nothing else.
    pub multiplications: f64,
    /// Bytes a second, read and written, of a copy.
    pub bytes: f64,
}

/// How much work the measurement of a card is.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// Words of eight bytes that are copied: what fits a cache says nothing of the memory.
    pub words: usize,
    /// Pairs of multiplications of each thread.
    pub times: u32,
}

/// A second or so of a card.
pub const PROBE: Probe = Probe { words: 1 << 25, times: 512 };
/// The same of a simulated one.
pub const SIMULATED_PROBE: Probe = Probe { words: 1 << 16, times: 1 };

/// Measures a card.
pub fn peaks(card: &Card, Probe { words, times }: Probe) -> Result<Peaks, CardError> {
    let threads = 8 * card.busy_threads() as usize;
    let values: Vec<Scalar> = (0..threads as u64).map(|i| Scalar([i, 1, 2, 3])).collect();
    let values = card.upload(&values)?;
    let (from, to) = (card.zeros::<i64>(words)?, card.zeros::<i64>(words)?);
    let timed = |run: &dyn Fn() -> Result<(), CardError>| {
        run()?;
        card.synchronize()?;
        let began = Instant::now();
        for _ in 0..4 {
            run()?;
        }
        card.synchronize()?;
        Ok::<f64, CardError>(began.elapsed().as_secs_f64() / 4.0)
    };
    let arguments =
        [values.view().pointer(), Argument::Word(threads as u32), Argument::Word(times)];
    let multiplying = timed(&|| card.launch("multiply_chains", threads, &arguments))?;
    let copying = timed(&|| to.view().copy_from(from.view()))?;
    Ok(Peaks {
        multiplications: 2.0 * f64::from(times) * threads as f64 / multiplying,
        bytes: 2.0 * 8.0 * from.len() as f64 / copying,
    })
}
