//! The prover's side of the merging sumcheck and of what is opened (protocol.md §7, §8): all physical
//! columns with the weights of all claims.

use super::claims::{Challenges, Functional, Shape, Weights, image_weights};
use super::descriptor::Descriptor;
use super::field::F;
use super::multilinear::{eq_index, eq_vector_scaled};
use super::rounds::Product;
use super::small::SmallSum;
use ark_ff::Zero;
use rayon::prelude::*;

/// The cells of the three groups.
pub struct Groups<'a> {
    /// Integers.
    pub first: &'a [i64],
    /// Inverses.
    pub second: &'a [F],
    /// Integers.
    pub key: &'a [i64],
}

/// One physical column.
enum Column<'a> {
    Integers(&'a [i64]),
    Scalars(&'a [F]),
}

/// Rows that are combined at a time: their sums stay in cache.
const COMBINED_ROWS: usize = 1 << 10;

impl<'a> Groups<'a> {
    fn columns(&self, rows: usize) -> Vec<Column<'a>> {
        let first = self.first.chunks(rows).map(Column::Integers);
        let second = self.second.chunks(rows).map(Column::Scalars);
        first.chain(second).chain(self.key.chunks(rows).map(Column::Integers)).collect()
    }

    /// Every column against its weights: the summands of the merging sumcheck.
    pub fn products(
        &self,
        d: &Descriptor,
        merged: &Functional,
        ch: &Challenges,
    ) -> Vec<Product<'a>> {
        let rows = d.rows();
        self.columns(rows)
            .into_par_iter()
            .enumerate()
            .map(|(i, column)| {
                let mut weights = column_weights(d, merged, ch, i);
                let length = |used: usize| weights.len().max(used).max(1);
                match column {
                    Column::Integers(cells) => {
                        let length = length(used(cells, |v| *v == 0));
                        weights.resize(length, F::zero());
                        Product::of_integers(&cells[..length], weights, d.column_bits)
                    }
                    Column::Scalars(cells) => {
                        let length = length(used(cells, F::is_zero));
                        weights.resize(length, F::zero());
                        Product::of_scalars(&cells[..length], weights, d.column_bits)
                    }
                }
            })
            .collect()
    }

    /// `Σ scales·columns`.
    pub fn combine(&self, scales: &[F], rows: usize) -> Vec<F> {
        let columns = self.columns(rows);
        let mut sum = vec![F::zero(); rows];
        sum.par_chunks_mut(COMBINED_ROWS).enumerate().for_each(|(i, out)| {
            let from = i * COMBINED_ROWS;
            let mut small = vec![SmallSum::default(); out.len()];
            for (column, scale) in columns.iter().zip(scales) {
                match column {
                    Column::Integers(cells) => {
                        for (s, &v) in small.iter_mut().zip(&cells[from..]) {
                            if v != 0 {
                                s.add(v, scale);
                            }
                        }
                    }
                    Column::Scalars(cells) => {
                        for (s, v) in out.iter_mut().zip(&cells[from..]) {
                            if !v.is_zero() {
                                *s += *scale * v;
                            }
                        }
                    }
                }
            }
            for (s, small) in out.iter_mut().zip(&small) {
                *s += small.finish();
            }
        });
        sum
    }
}

/// How many cells there are up to the last one that is not zero.
fn used<T>(cells: &[T], is_zero: impl Fn(&T) -> bool) -> usize {
    cells.iter().rposition(|cell| !is_zero(cell)).map_or(0, |last| last + 1)
}

/// The claims that read a physical column, each with the part of its addresses that the column has.
pub fn weights_of<'m>(
    d: &Descriptor,
    merged: &'m Functional,
    column: usize,
) -> Vec<(&'m Weights, usize)> {
    merged
        .weights
        .iter()
        .filter_map(|own| {
            let part = column.checked_sub(own.address / d.rows())?;
            (part << d.column_bits < 1 << own.bits).then_some((own, part))
        })
        .collect()
}

/// Weights of a physical column, up to the last row that a claim reads.
fn column_weights(d: &Descriptor, merged: &Functional, ch: &Challenges, column: usize) -> Vec<F> {
    let rows = d.rows();
    let here = weights_of(d, merged, column);
    let end = |own: &Weights| own.address % rows + (1 << own.bits.min(d.column_bits));
    let mut weights = vec![F::zero(); here.iter().map(|(own, _)| end(own)).max().unwrap_or(0)];
    for (own, chunk) in here {
        let part = &mut weights[own.address % rows..end(own)];
        match &own.shape {
            Shape::Ones => part.iter_mut().for_each(|w| *w += own.coefficient),
            Shape::Point(point) => {
                let (high, low) = point.split_at(own.bits.saturating_sub(d.column_bits));
                let scale = own.coefficient * eq_index(chunk, high);
                for (w, e) in part.iter_mut().zip(eq_vector_scaled(low, scale)) {
                    *w += e;
                }
            }
            Shape::Image => add_image_weights(d, own.coefficient, ch.z, part, chunk * rows),
        }
    }
    weights
}

/// Adds the weights of the image block's cells from `start` on.
pub fn add_image_weights(d: &Descriptor, coefficient: F, z: F, part: &mut [F], start: usize) {
    let image = &d.image;
    let block = &d.blocks[image.block];
    let (row_weights, inside) = image_weights(d, z);
    let columns = block.places(&image.column_axes);
    let channels = block.places(&image.channel_axes);
    for (y, row) in block.places(&image.row_axes).into_iter().zip(row_weights) {
        let row = coefficient * row;
        for (x, at) in columns.iter().enumerate() {
            for (c, channel) in channels.iter().enumerate() {
                let cell = (y + at + channel).wrapping_sub(start);
                if let Some(weight) = part.get_mut(cell) {
                    *weight += row * inside[x * image.channels + c];
                }
            }
        }
    }
}
