//! What the lookups need, on a card: inverses of fingerprints, the columns of the second group and the
//! summands of the lookup sumcheck (`sumcheck::lookups`, `sumcheck::phases`).

use super::card::{Buffer, Card, Point, Scalar, View};
use super::columns::{
    fingerprints, from_integers, gather, gather_into, invert, row_digits, scale_by_integers,
};
use super::error::CardError;
use super::msm::{bucket_sums, msm, normalize};
use super::polynomials::add_scaled;
use super::rounds::Constant;
use crate::sumcheck::claims::Challenges;
use crate::sumcheck::descriptor::{Descriptor, Region};
use crate::sumcheck::field::F;
use crate::sumcheck::multilinear::powers;
use crate::sumcheck::phases::Task;
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{One, Zero};
use std::ops::Range;

/// `sumcheck::lookups::Fractions` on a card, with the rows that cells read.
pub struct Fractions {
    /// For e = 0 … L.
    rows: Vec<Buffer<u32>>,
    differences: Buffer<Scalar>,
    inverses: Buffer<Scalar>,
    /// g.
    table: Buffer<Scalar>,
}

/// The part of a region that lies in a run of addresses: where in the run, and which of the region.
fn part(run: Range<usize>, offset: usize, length: usize) -> Option<(usize, Range<usize>)> {
    let (from, to) = (offset.max(run.start), (offset + length).min(run.end));
    (from < to).then(|| (from - run.start, from - offset..to - offset))
}

impl Fractions {
    /// `first` and `key` are the cells of these groups.
    pub fn new(
        card: &Card,
        task: &Task,
        ch: &Challenges,
        first: View<i64>,
        key: View<i64>,
    ) -> Result<Self, CardError> {
        let d = task.descriptor();
        let rows = task.lookups.rows.iter().map(|rows| card.upload(rows)).collect::<Result<_, _>>();
        let strays = task.lookups.stray_differences(ch.beta, ch.alpha);
        let count = 1usize << d.table.bits;
        let outside = vec![Scalar::from(&ch.alpha); count];
        let differences = card.allocate(count + strays.len())?;
        differences.range(0..count).write(&outside)?;
        let own: Vec<Scalar> = strays.iter().map(Scalar::from).collect();
        differences.range(count..count + own.len()).write(&own)?;
        let outputs = key.range(Region { offset: d.table.output, bits: d.table.bits }.range());
        for (i, segment) in d.segments.iter().enumerate() {
            let range = Region { offset: segment.offset, bits: segment.bits }.range();
            let start = ch.alpha - F::from(i as u64 + 1);
            let out = differences.range(range.clone());
            fingerprints(card, outputs.range(range), segment.first, start, ch.beta, out)?;
        }
        let counts =
            first.range(Region { offset: d.table.multiplicity, bits: d.table.bits }.range());
        let needed = card.allocate(count + own.len())?;
        needed.range(0..count).copy_from(counts)?;
        needed.range(count..count + own.len()).write(&vec![1; own.len()])?;
        let inverses = invert(card, differences.view(), Some(needed.view()))?;
        let table = scale_by_integers(card, inverses.range(0..count), counts)?;
        Ok(Self { rows: rows?, differences, inverses, table })
    }

    /// The cells of the second group.
    pub fn columns(&self, card: &Card, d: &Descriptor) -> Result<Buffer<Scalar>, CardError> {
        let cells = card.zeros(d.columns.second << d.column_bits)?;
        for (rows, &offset) in self.rows.iter().zip(&d.activation.inverses) {
            let out = cells.range(offset..offset + rows.len());
            gather_into(card, self.inverses.view(), rows.view(), F::one(), out)?;
        }
        let from = d.table.inverse;
        cells.range(from..from + self.table.len()).copy_from(self.table.view())?;
        Ok(cells)
    }

    /// The commitment of a column of the second group. Cells that read one row have one value: their
    /// points are added before anything is multiplied.
    pub fn commit(
        &self,
        card: &Card,
        d: &Descriptor,
        powers: View<Point>,
        column: usize,
    ) -> Result<G1Affine, CardError> {
        let run = column * d.rows()..(column + 1) * d.rows();
        let mut sum = G1Projective::zero();
        let parts: Vec<_> = self
            .rows
            .iter()
            .zip(&d.activation.inverses)
            .filter_map(|(rows, &offset)| Some((rows, part(run.clone(), offset, rows.len())?)))
            .collect();
        if !parts.is_empty() {
            let digits = card.zeros::<i32>(d.rows())?;
            for (rows, (at, range)) in parts {
                row_digits(card, rows.range(range.clone()), digits.range(at..at + range.len()))?;
            }
            let powers = powers.range(0..d.rows());
            let sums = bucket_sums(card, powers, digits, self.inverses.len())?;
            let points = normalize(card, sums.view())?;
            drop(sums);
            sum += msm(card, points.view(), self.inverses.view())?;
        }
        if let Some((at, range)) = part(run, d.table.inverse, self.table.len()) {
            let powers = powers.range(at..at + range.len());
            sum += msm(card, powers, self.table.range(range))?;
        }
        Ok(sum.into_affine())
    }

    /// `sumcheck::phases::lookup_summands`. `first` are the cells of the first group.
    pub fn summands(
        &self,
        card: &Card,
        d: &Descriptor,
        ch: &Challenges,
        first: View<i64>,
    ) -> Result<[Constant; 2], CardError> {
        let lambda = powers(ch.lambda, d.limbs + 2);
        let count = self.table.len();
        let pair = |rows: &Buffer<u32>, scale: F| {
            let inverses = gather(card, self.inverses.view(), rows.view(), F::one())?;
            Ok((inverses, gather(card, self.differences.view(), rows.view(), scale)?))
        };
        let pairs = self.rows.iter().zip(&lambda).map(|(rows, scale)| pair(rows, *scale));
        let cells = Constant {
            products: pairs.collect::<Result<_, CardError>>()?,
            linear: None,
            value: lambda[..=d.limbs].iter().sum(),
            bits: d.activation.bits,
        };
        let scale = lambda[d.limbs + 1];
        let table = card.allocate(count)?;
        table.view().copy_from(self.table.view())?;
        let differences = card.zeros::<Scalar>(count)?;
        add_scaled(card, differences.view(), self.differences.range(0..count), scale)?;
        let counts =
            first.range(Region { offset: d.table.multiplicity, bits: d.table.bits }.range());
        let rows = Constant {
            products: vec![(table, differences)],
            linear: Some(from_integers(card, counts, -scale)?),
            value: F::zero(),
            bits: d.table.bits,
        };
        Ok([cells, rows])
    }
}
