//! Columns of cells on a card.

use super::card::{Argument, Buffer, Card, Scalar, View};
use super::error::CardError;
use crate::sumcheck::field::F;

/// Elements that share one inversion, which is worth about 380 multiplications.
const INVERSION_RUN: usize = 64;

/// Integers as scalars, times `scale`.
pub fn from_integers(
    card: &Card,
    values: View<i64>,
    scale: F,
) -> Result<Buffer<Scalar>, CardError> {
    let out = card.allocate(values.len())?;
    let arguments = [
        values.pointer(),
        Argument::Word(values.len() as u32),
        Argument::Scalar(&scale),
        out.view().pointer(),
    ];
    card.launch("from_integers", values.len(), &arguments)?;
    Ok(out)
}

/// `into += scale·values` over the length of `values`.
pub fn add_scaled_integers(
    card: &Card,
    into: View<Scalar>,
    values: View<i64>,
    scale: F,
) -> Result<(), CardError> {
    assert!(values.len() <= into.len(), "part of a buffer");
    let count = values.len();
    let arguments =
        [into.pointer(), values.pointer(), Argument::Word(count as u32), Argument::Scalar(&scale)];
    card.launch("add_scaled_integers", count.min(card.busy_threads() as usize), &arguments)
}

/// `scale·values[rows[i]]`. The rows must be below the length of `values`.
pub fn gather(
    card: &Card,
    values: View<Scalar>,
    rows: View<u32>,
    scale: F,
) -> Result<Buffer<Scalar>, CardError> {
    let out = card.allocate(rows.len())?;
    gather_into(card, values, rows, scale, out.view())?;
    Ok(out)
}

/// The same, to a place.
pub fn gather_into(
    card: &Card,
    values: View<Scalar>,
    rows: View<u32>,
    scale: F,
    out: View<Scalar>,
) -> Result<(), CardError> {
    assert!(rows.len() == out.len(), "vectors of equal length");
    let arguments = [
        values.pointer(),
        rows.pointer(),
        Argument::Word(rows.len() as u32),
        Argument::Scalar(&scale),
        out.pointer(),
    ];
    card.launch("gather", rows.len(), &arguments)
}

/// Digits for sums of the points of cells that read one row: bucket = row.
pub fn row_digits(card: &Card, rows: View<u32>, out: View<i32>) -> Result<(), CardError> {
    assert!(rows.len() == out.len(), "vectors of equal length");
    let arguments = [rows.pointer(), Argument::Word(rows.len() as u32), out.pointer()];
    card.launch("row_digits", rows.len(), &arguments)
}

/// `start − β·(first + i) − β²·outputs[i]` into `out`: a segment's rows of α − t (protocol.md §6.4).
pub fn fingerprints(
    card: &Card,
    outputs: View<i64>,
    first: i64,
    start: F,
    beta: F,
    out: View<Scalar>,
) -> Result<(), CardError> {
    assert!(outputs.len() == out.len(), "vectors of equal length");
    let arguments = [
        outputs.pointer(),
        Argument::Word(out.len() as u32),
        Argument::Integer(first),
        Argument::Scalar(&start),
        Argument::Scalar(&beta),
        out.pointer(),
    ];
    card.launch("fingerprints", out.len(), &arguments)
}

/// Inverses of the values where `needed` is not zero, 0 elsewhere and of 0.
pub fn invert(
    card: &Card,
    values: View<Scalar>,
    needed: Option<View<i64>>,
) -> Result<Buffer<Scalar>, CardError> {
    assert!(needed.is_none_or(|own| own.len() == values.len()), "vectors of equal length");
    let out = card.allocate(values.len())?;
    let arguments = [
        values.pointer(),
        needed.map_or(Argument::Pointer(0), |own| own.pointer()),
        Argument::Word(values.len() as u32),
        out.view().pointer(),
    ];
    card.launch("invert", values.len().div_ceil(INVERSION_RUN), &arguments)?;
    Ok(out)
}

/// `factors[i]·values[i]`.
pub fn scale_by_integers(
    card: &Card,
    values: View<Scalar>,
    factors: View<i64>,
) -> Result<Buffer<Scalar>, CardError> {
    assert!(values.len() == factors.len(), "vectors of equal length");
    let out = card.allocate(values.len())?;
    let arguments = [
        values.pointer(),
        factors.pointer(),
        Argument::Word(values.len() as u32),
        out.view().pointer(),
    ];
    card.launch("scale_by_integers", values.len(), &arguments)?;
    Ok(out)
}
