//! All columns with the weights of all claims, on a card (`sumcheck::merge`).

use super::card::{Argument, Buffer, Card, Scalar, View};
use super::columns::{add_scaled_integers, from_integers};
use super::error::CardError;
use super::polynomials::add_scaled;
use super::rounds::Product;
use crate::sumcheck::claims::{Challenges, Functional, Shape};
use crate::sumcheck::descriptor::Descriptor;
use crate::sumcheck::field::F;
use crate::sumcheck::merge::{add_image_weights, weights_of};
use crate::sumcheck::multilinear::{eq_index, eq_vector, eq_vector_scaled};
use ark_ff::{One, Zero};

/// The cells of the three groups on a card.
#[derive(Clone, Copy)]
pub struct Groups<'a> {
    /// Integers.
    pub first: View<'a, i64>,
    /// Inverses.
    pub second: View<'a, Scalar>,
    /// Integers.
    pub key: View<'a, i64>,
}

/// One physical column.
enum Column<'a> {
    Integers(View<'a, i64>),
    Scalars(View<'a, Scalar>),
}

impl<'a> Groups<'a> {
    fn column(&self, d: &Descriptor, column: usize) -> Column<'a> {
        let rows = d.rows();
        let range = |i: usize| i * rows..(i + 1) * rows;
        let (first, second) = (d.columns.first, d.columns.second);
        if column < first {
            Column::Integers(self.first.range(range(column)))
        } else if column < first + second {
            Column::Scalars(self.second.range(range(column - first)))
        } else {
            Column::Integers(self.key.range(range(column - first - second)))
        }
    }

    /// A column against its weights.
    pub fn product(
        &self,
        card: &Card,
        d: &Descriptor,
        merged: &Functional,
        ch: &Challenges,
        column: usize,
    ) -> Result<Product, CardError> {
        let values = match self.column(d, column) {
            Column::Integers(cells) => from_integers(card, cells, F::one())?,
            Column::Scalars(cells) => {
                let own = card.allocate(cells.len())?;
                own.view().copy_from(cells)?;
                own
            }
        };
        Product::new(values, column_weights(card, d, merged, ch, column)?, d.column_bits)
    }

    /// `Σ scales·columns`.
    pub fn combine(
        &self,
        card: &Card,
        d: &Descriptor,
        scales: &[F],
    ) -> Result<Buffer<Scalar>, CardError> {
        let sum = card.zeros::<Scalar>(d.rows())?;
        for (i, scale) in scales.iter().enumerate() {
            match self.column(d, i) {
                Column::Integers(cells) => add_scaled_integers(card, sum.view(), cells, *scale)?,
                Column::Scalars(cells) => add_scaled(card, sum.view(), cells, *scale)?,
            }
        }
        Ok(sum)
    }
}

/// Weights of a physical column.
fn column_weights(
    card: &Card,
    d: &Descriptor,
    merged: &Functional,
    ch: &Challenges,
    column: usize,
) -> Result<Buffer<Scalar>, CardError> {
    let rows = d.rows();
    let weights = card.zeros::<Scalar>(rows)?;
    for (own, chunk) in weights_of(d, merged, column) {
        let from = own.address % rows;
        let into = weights.range(from..from + (1 << own.bits.min(d.column_bits)));
        match &own.shape {
            Shape::Ones => add_constant(card, into, own.coefficient)?,
            Shape::Point(point) => {
                let (high, low) = point.split_at(own.bits.saturating_sub(d.column_bits));
                add_eq(card, into, low, own.coefficient * eq_index(chunk, high))?;
            }
            Shape::Image => {
                let mut part = vec![F::zero(); into.len()];
                add_image_weights(d, own.coefficient, ch.z, &mut part, chunk * rows);
                let part = card.upload_scalars(&part)?;
                add_scaled(card, into, part.view(), F::one())?;
            }
        }
    }
    Ok(weights)
}

fn add_constant(card: &Card, into: View<Scalar>, value: F) -> Result<(), CardError> {
    let count = into.len();
    let arguments = [into.pointer(), Argument::Word(count as u32), Argument::Scalar(&value)];
    card.launch("add_constant", count, &arguments)
}

/// `into += scale·eq(point, ·)`, of two short vectors of eq.
pub fn add_eq(card: &Card, into: View<Scalar>, point: &[F], scale: F) -> Result<(), CardError> {
    assert!(into.len() == 1 << point.len(), "a vector of 2^variables");
    let (high, low) = point.split_at(point.len() / 2);
    let tables = [eq_vector_scaled(high, scale), eq_vector(low)].concat();
    let tables = card.upload_scalars(&tables)?;
    let (high, bits) = (1 << high.len(), low.len());
    let arguments = [
        into.pointer(),
        Argument::Word(into.len() as u32),
        tables.range(0..high).pointer(),
        tables.range(high..tables.len()).pointer(),
        Argument::Word(bits as u32),
    ];
    card.launch("add_outer", into.len(), &arguments)
}
