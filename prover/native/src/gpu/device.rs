//! The heavy steps of a proof on a card.

use super::card::{Buffer, Card, Point};
use super::driver::Driver;
use super::error::CardError;
use super::msm::{bucket_sums, msm, msm_integers, normalize};
use super::{opening, rounds};
use crate::sumcheck::descriptor::Descriptor;
use crate::sumcheck::device::{Rounds, Steps};
use crate::sumcheck::error::Error;
use crate::sumcheck::field::F;
use crate::sumcheck::kzg::Srs;
use crate::sumcheck::lookups::{Fractions, Lookups};
use crate::sumcheck::mercury::{Opening, Univariate, open_by};
use crate::sumcheck::rounds::{Constant, Product};
use crate::sumcheck::transcript::Transcript;
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::Zero;
use std::sync::Arc;

/// A card that has the powers of τ.
pub struct OnCard<'a> {
    card: Card,
    srs: &'a Srs,
    powers: Buffer<Point>,
}

impl<'a> OnCard<'a> {
    /// Takes a card and copies the powers to it.
    pub fn open(driver: &Arc<Driver>, ordinal: u32, srs: &'a Srs) -> Result<Self, CardError> {
        let card = Card::open(driver, ordinal)?;
        let powers = card.upload_powers(&srs.powers)?;
        Ok(Self { card, srs, powers })
    }

    fn commit(&self, values: &[F], from: usize) -> Result<G1Projective, CardError> {
        let scalars = self.card.upload_scalars(values)?;
        msm(&self.card, self.powers.range(from..from + values.len()), scalars.view())
    }
}

/// The bits of the greatest magnitude.
fn bits(values: &[i64]) -> usize {
    let all = values.iter().fold(0, |all, value| all | value.unsigned_abs());
    64 - all.leading_zeros() as usize
}

impl Steps for OnCard<'_> {
    fn commit_columns(&self, column_bits: usize, cells: &[i64]) -> Result<Vec<G1Affine>, Error> {
        cells
            .chunks(1 << column_bits)
            .map(|column| {
                let values = self.card.upload(column)?;
                let powers = self.powers.range(0..column.len());
                let sum = msm_integers(&self.card, powers, values.view(), bits(column))?;
                Ok(sum.into_affine())
            })
            .collect()
    }

    fn commit_lookups(
        &self,
        d: &Descriptor,
        lookups: &Lookups,
        fractions: &Fractions,
    ) -> Result<Vec<G1Affine>, Error> {
        let commit = |column| {
            let parts = lookups.column_parts(d, fractions, column);
            let mut sum = G1Projective::zero();
            if !parts.used.is_empty() {
                let mut digits = vec![0; d.rows()];
                for entry in &parts.entries {
                    digits[entry.point as usize] = entry.bucket as i32 + 1;
                }
                let digits = self.card.upload(&digits)?;
                let powers = self.powers.range(0..d.rows());
                let sums = bucket_sums(&self.card, powers, digits, parts.used.len())?;
                let points = normalize(&self.card, sums.view())?;
                let scalars = self.card.upload_scalars(&parts.used)?;
                sum += msm(&self.card, points.view(), scalars.view())?;
            }
            if let Some((at, range)) = parts.table {
                sum += self.commit(&fractions.table[range], at)?;
            }
            Ok(sum.into_affine())
        };
        (0..d.columns.second).map(commit).collect()
    }

    fn prove_plain(
        &self,
        products: &mut [Product],
        claim: F,
        count: usize,
        transcript: &mut Transcript,
    ) -> Result<Rounds, Error> {
        let mut own = products
            .iter_mut()
            .map(|product| {
                let (a, b, bits) = std::mem::take(product).into_factors();
                let (a, b) = (self.card.upload_scalars(&a)?, self.card.upload_scalars(&b)?);
                rounds::Product::new(a, b, bits)
            })
            .collect::<Result<Vec<_>, CardError>>()?;
        let result = rounds::prove_plain(&self.card, &mut own, claim, count, transcript)?;
        for (product, own) in products.iter_mut().zip(&own) {
            let (a, b) = own.ends();
            *product = Product::new(vec![a], vec![b]);
        }
        Ok(result)
    }

    fn prove_eq(
        &self,
        parts: &mut [Constant],
        claim: F,
        tau: &[F],
        transcript: &mut Transcript,
    ) -> Result<Rounds, Error> {
        let upload = |values: &[F]| self.card.upload_scalars(values);
        let own =
            parts
                .iter()
                .map(|part| {
                    let pairs = part.products.iter();
                    let linear = (!part.linear.is_empty()).then(|| upload(&part.linear));
                    Ok(rounds::Constant {
                        products: pairs
                            .map(|(a, b)| Ok((upload(a)?, upload(b)?)))
                            .collect::<Result<_, CardError>>()?,
                        linear: linear.transpose()?,
                        value: part.value,
                        bits: part.bits,
                    })
                })
                .collect::<Result<Vec<_>, CardError>>()?;
        let result = rounds::prove_eq(&self.card, &own, claim, tau, transcript)?;
        for (part, own) in parts.iter_mut().zip(&own) {
            for ((a, b), on_card) in part.products.iter_mut().zip(&own.products) {
                *a = on_card.0.range(0..1).scalars()?;
                *b = on_card.1.range(0..1).scalars()?;
            }
            part.linear.truncate(0);
        }
        Ok(result)
    }

    fn open(
        &self,
        f: &[F],
        point: &[F],
        image: Option<&Univariate<Vec<F>>>,
        forged_value: Option<usize>,
        transcript: &mut Transcript,
    ) -> Result<Opening, Error> {
        let on_card = self.card.upload_scalars(f)?;
        let mut steps = opening::OnCard::new(&self.card, self.powers.view(), on_card);
        Ok(open_by(&mut steps, self.srs, point, image, forged_value, transcript)?)
    }
}
