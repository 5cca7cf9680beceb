//! Vectors of scalars on a card, as multilinear polynomials and as coefficients.

use super::card::{Argument, Buffer, Card, Scalar, View};
use super::error::CardError;
use crate::sumcheck::field::F;
use crate::sumcheck::multilinear::power;
use ark_ff::One;

/// Rows that one thread of Horner's rule goes through.
const PIECE: usize = 64;
/// Sums that a row's, or a coefficient's, products are split into.
const PARTS: usize = 32;

/// `eq(point, x)` for all x.
pub fn eq_vector(card: &Card, point: &[F]) -> Result<Buffer<Scalar>, CardError> {
    let eq = card.allocate::<Scalar>(1 << point.len())?;
    eq.view().write(&[Scalar::from(&F::one())])?;
    // The last variable is the lowest bit.
    for (bit, u) in point.iter().rev().enumerate() {
        let size = 1usize << bit;
        let arguments = [eq.view().pointer(), Argument::Word(size as u32), Argument::Scalar(u)];
        card.launch("extend_eq", size, &arguments)?;
    }
    Ok(eq)
}

/// Which suffix values are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Suffix {
    /// Those from each row on.
    From,
    /// Those from the row after each on: quotients.
    After,
}

/// `f` has `lanes` columns, row by row. The suffix values of each column (`polynomials.cuh`), and those
/// from row 0 on.
fn suffix_values(
    card: &Card,
    f: View<Scalar>,
    lanes: usize,
    x: F,
    wanted: Suffix,
) -> Result<(Buffer<Scalar>, Buffer<Scalar>), CardError> {
    let rows = f.len() / lanes;
    let out = card.allocate::<Scalar>(f.len())?;
    let remainder = card.zeros::<Scalar>(lanes)?;
    let pieces = rows.div_ceil(PIECE);
    let shape = [
        f.pointer(),
        Argument::Word(rows as u32),
        Argument::Word(lanes as u32),
        Argument::Word(PIECE as u32),
        Argument::Scalar(&x),
    ];
    let above = if pieces > 1 {
        let sums = card.allocate::<Scalar>(pieces * lanes)?;
        let own = [sums.view().pointer()];
        card.launch("evaluate_pieces", pieces * lanes, &[&shape[..], &own].concat())?;
        let step = power(x, PIECE as u64);
        Some(suffix_values(card, sums.view(), lanes, step, Suffix::From)?.0)
    } else {
        None
    };
    let rest = [
        above.as_ref().map_or(Argument::Pointer(0), |own| own.view().pointer()),
        Argument::Word(u32::from(wanted == Suffix::After)),
        out.view().pointer(),
        remainder.view().pointer(),
    ];
    card.launch("suffix_values", pieces * lanes, &[&shape[..], &rest].concat())?;
    Ok((out, remainder))
}

/// Quotient and remainder of `Σ f_i·X^i` by `X^lanes − x`. The quotient has as many coefficients as f,
/// the upper ones zero.
pub fn divide(
    card: &Card,
    f: View<Scalar>,
    lanes: usize,
    x: F,
) -> Result<(Buffer<Scalar>, Buffer<Scalar>), CardError> {
    suffix_values(card, f, lanes, x, Suffix::After)
}

/// `Σ_col f[row·columns + col]·weights[col]` of every row, columns being as many as weights.
pub fn row_products(
    card: &Card,
    f: View<Scalar>,
    weights: View<Scalar>,
) -> Result<Buffer<Scalar>, CardError> {
    let columns = weights.len();
    let rows = f.len() / columns;
    let parts = PARTS.min(columns);
    let sums = card.allocate::<Scalar>(rows * parts)?;
    let arguments = [
        f.pointer(),
        weights.pointer(),
        Argument::Word(rows as u32),
        Argument::Word(columns as u32),
        Argument::Word(parts as u32),
        sums.view().pointer(),
    ];
    card.launch("row_products", rows * parts, &arguments)?;
    add_parts(card, sums.view(), parts)
}

/// `Σ_i a_{i+d}·b_i + a_i·b_{i+d}` for d = 1, 2, …: one fewer than the vectors have.
pub fn cross_terms(
    card: &Card,
    a: View<Scalar>,
    b: View<Scalar>,
) -> Result<Buffer<Scalar>, CardError> {
    assert!(a.len() == b.len(), "vectors of equal length");
    let count = a.len();
    let sums = card.allocate::<Scalar>((count - 1) * PARTS)?;
    let arguments = [
        a.pointer(),
        b.pointer(),
        Argument::Word(count as u32),
        Argument::Word(PARTS as u32),
        sums.view().pointer(),
    ];
    card.launch("cross_terms", sums.len(), &arguments)?;
    add_parts(card, sums.view(), PARTS)
}

fn add_parts(card: &Card, sums: View<Scalar>, parts: usize) -> Result<Buffer<Scalar>, CardError> {
    let count = sums.len() / parts;
    let out = card.allocate(count)?;
    let arguments = [
        sums.pointer(),
        Argument::Word(count as u32),
        Argument::Word(parts as u32),
        out.view().pointer(),
    ];
    card.launch("add_parts", count, &arguments)?;
    Ok(out)
}

/// `into += scale·values` over the length of `values`.
pub fn add_scaled(
    card: &Card,
    into: View<Scalar>,
    values: View<Scalar>,
    scale: F,
) -> Result<(), CardError> {
    assert!(values.len() <= into.len(), "part of a buffer");
    let count = values.len();
    let arguments =
        [into.pointer(), values.pointer(), Argument::Word(count as u32), Argument::Scalar(&scale)];
    card.launch("add_scaled", count, &arguments)
}
