//! Single operations on a card, for comparing it with the CPU.

use super::card::{Argument, Card, Plain, Point, Scalar, Sum};
use super::error::CardError;
use crate::sumcheck::field::F;
use ark_bn254::{Fq, G1Affine, G1Projective};
use ark_ff::BigInteger256;

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
