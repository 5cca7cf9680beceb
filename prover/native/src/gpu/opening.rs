//! The steps of an opening that are about a whole column, on a card.

use super::card::{Buffer, Card, Point, Scalar, View};
use super::error::CardError;
use super::msm::msm;
use super::polynomials::{add_scaled, cross_terms, divide, row_products};
use crate::sumcheck::field::F;
use crate::sumcheck::mercury::Steps;
use ark_bn254::G1Affine;
use ark_ec::CurveGroup;
use ark_ff::One;

/// A combined column on a card, and q once it is divided.
pub struct OnCard<'a> {
    card: &'a Card,
    powers: View<'a, Point>,
    f: Buffer<Scalar>,
    q: Option<Buffer<Scalar>>,
}

impl<'a> OnCard<'a> {
    /// `powers` are at least as many as `f` has coefficients.
    pub fn new(card: &'a Card, powers: View<'a, Point>, f: Buffer<Scalar>) -> Self {
        assert!(powers.len() >= f.len(), "enough powers");
        Self { card, powers, f, q: None }
    }

    fn commit(&self, f: View<Scalar>) -> Result<G1Affine, CardError> {
        Ok(msm(self.card, self.powers, f)?.into_affine())
    }
}

impl Steps for OnCard<'_> {
    type Error = CardError;

    fn contract(&mut self, p1: &[F]) -> Result<Vec<F>, CardError> {
        let p1 = self.card.upload_scalars(p1)?;
        row_products(self.card, self.f.view(), p1.view())?.view().scalars()
    }

    fn divide(&mut self, b: usize, alpha: F) -> Result<(G1Affine, Vec<F>), CardError> {
        let (q, g) = divide(self.card, self.f.view(), b, alpha)?;
        let point = self.commit(q.view())?;
        self.q = Some(q);
        Ok((point, g.view().scalars()?))
    }

    fn symmetric_remainder(
        &mut self,
        [g, p1]: [&[F]; 2],
        [h, p2]: [&[F]; 2],
        gamma: F,
    ) -> Result<Vec<F>, CardError> {
        let card = self.card;
        let sum = card.zeros::<Scalar>(g.len().max(h.len()) - 1)?;
        for (values, weights, scale) in [(g, p1, F::one()), (h, p2, gamma)] {
            let (values, weights) = (card.upload_scalars(values)?, card.upload_scalars(weights)?);
            let terms = cross_terms(card, values.view(), weights.view())?;
            add_scaled(card, sum.view(), terms.view(), scale)?;
        }
        sum.view().scalars()
    }

    fn quotient(&mut self, factor: F, low: &[F], x: F) -> Result<G1Affine, CardError> {
        // f is not needed any more.
        if let Some(q) = self.q.take() {
            add_scaled(self.card, self.f.view(), q.view(), factor)?;
        }
        let low = self.card.upload_scalars(low)?;
        add_scaled(self.card, self.f.view(), low.view(), F::one())?;
        let (quotient, _) = divide(self.card, self.f.view(), 1, x)?;
        self.commit(quotient.view())
    }
}
