//! The heavy steps of a proof on a card. Cells go there once and stay until the proof is made; what comes
//! back are points, sums of rounds and vectors of the square root of a column's length.

use super::affine::Affine;
use super::card::Scalar;
use super::card::{Buffer, Card, Point};
use super::driver::Driver;
use super::error::CardError;
use super::lookups::Fractions;
use super::merge::Groups;
use super::msm::msm_integers;
use super::{opening, rounds};
use crate::sumcheck::claims::{Challenges, Functional, lookup_claim};
use crate::sumcheck::device::{Opened, Rounds, Steps};
use crate::sumcheck::error::Error;
use crate::sumcheck::field::F;
use crate::sumcheck::kzg::Srs;
use crate::sumcheck::mercury::{Opening, open_by};
use crate::sumcheck::phases::{Task, prove_affine};
use crate::sumcheck::proof::Proof;
use crate::sumcheck::transcript::Transcript;
use ark_bn254::G1Affine;
use ark_ec::CurveGroup;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// A card that has the powers of τ and, as soon as a step needs them, the cells.
pub struct OnCard<'a> {
    pub(super) card: Card,
    srs: &'a Srs,
    powers: Buffer<Point>,
    held: RefCell<Held>,
}

/// What stays on the card between steps.
#[derive(Default)]
struct Held {
    first: Option<Rc<Buffer<i64>>>,
    key: Option<Rc<Buffer<i64>>>,
    fractions: Option<Rc<Fractions>>,
    second: Option<Rc<Buffer<Scalar>>>,
}

/// What there is in `slot`, made if need be.
fn held<T>(
    slot: &mut Option<Rc<T>>,
    make: impl FnOnce() -> Result<T, CardError>,
) -> Result<Rc<T>, CardError> {
    if let Some(own) = slot {
        return Ok(own.clone());
    }
    let own = Rc::new(make()?);
    *slot = Some(own.clone());
    Ok(own)
}

impl<'a> OnCard<'a> {
    /// Takes a card and copies the powers to it.
    pub fn open(driver: &Arc<Driver>, ordinal: u32, srs: &'a Srs) -> Result<Self, CardError> {
        let card = Card::open(driver, ordinal)?;
        let powers = card.upload_powers(&srs.powers)?;
        Ok(Self { card, srs, powers, held: RefCell::default() })
    }

    /// Forgets the cells: a step that needs them copies them again.
    pub fn release(&self) {
        *self.held.borrow_mut() = Held::default();
        self.card.trim();
    }

    /// The cells of the first group.
    pub(super) fn first(&self, task: &Task) -> Result<Rc<Buffer<i64>>, CardError> {
        held(&mut self.held.borrow_mut().first, || self.card.upload(task.first))
    }

    /// The cells of the key group.
    pub(super) fn key(&self, task: &Task) -> Result<Rc<Buffer<i64>>, CardError> {
        held(&mut self.held.borrow_mut().key, || self.card.upload(&task.pk.cells))
    }

    fn fractions(&self, task: &Task, ch: &Challenges) -> Result<Rc<Fractions>, CardError> {
        let (first, key) = (self.first(task)?, self.key(task)?);
        held(&mut self.held.borrow_mut().fractions, || {
            Fractions::new(&self.card, task, ch, first.view(), key.view())
        })
    }

    /// The cells of the second group.
    fn second(&self, task: &Task, ch: &Challenges) -> Result<Rc<Buffer<Scalar>>, CardError> {
        let fractions = self.fractions(task, ch)?;
        held(&mut self.held.borrow_mut().second, || {
            fractions.columns(&self.card, task.descriptor())
        })
    }
}

/// The bits of the greatest magnitude.
fn bits(values: &[i64]) -> usize {
    let all = values.iter().fold(0, |all, value| all | value.unsigned_abs());
    64 - all.leading_zeros() as usize
}

impl Steps for OnCard<'_> {
    fn commit_columns(&self, task: &Task) -> Result<Vec<G1Affine>, Error> {
        let rows = task.descriptor().rows();
        let first = self.first(task)?;
        let commit = |(i, column): (usize, &[i64])| {
            let values = first.range(i * rows..(i + 1) * rows);
            let powers = self.powers.range(0..rows);
            Ok(msm_integers(&self.card, powers, values, bits(column))?.into_affine())
        };
        task.first.chunks(rows).enumerate().map(commit).collect()
    }

    fn commit_lookups(&self, task: &Task, ch: &Challenges) -> Result<Vec<G1Affine>, Error> {
        let d = task.descriptor();
        let fractions = self.fractions(task, ch)?;
        let commit = |column| fractions.commit(&self.card, d, self.powers.view(), column);
        Ok((0..d.columns.second).map(commit).collect::<Result<_, _>>()?)
    }

    fn prove_affine(
        &self,
        task: &Task,
        ch: &mut Challenges,
        proof: &mut Proof,
        transcript: &mut Transcript,
    ) -> Result<(F, F), Error> {
        prove_affine(task, &mut Affine::new(self, task), ch, proof, transcript)
    }

    fn prove_lookups(
        &self,
        task: &Task,
        ch: &Challenges,
        transcript: &mut Transcript,
    ) -> Result<(Rounds, Vec<F>), Error> {
        let d = task.descriptor();
        let first = self.first(task)?;
        let parts = self.fractions(task, ch)?.summands(&self.card, d, ch, first.view())?;
        let claim = lookup_claim(d, ch);
        let found = rounds::prove_eq(&self.card, &parts, claim, &ch.tau, transcript)?;
        let mut inverses = Vec::new();
        for (inverse, _) in parts.iter().flat_map(|part| &part.products) {
            inverses.extend(inverse.range(0..1).scalars()?);
        }
        Ok((found, inverses))
    }

    fn prove_merge(
        &self,
        task: &Task,
        ch: &Challenges,
        merged: &Functional,
        transcript: &mut Transcript,
    ) -> Result<(Rounds, Vec<F>), Error> {
        let d = task.descriptor();
        let card = &self.card;
        let (first, second, key) = (self.first(task)?, self.second(task, ch)?, self.key(task)?);
        let groups = Groups { first: first.view(), second: second.view(), key: key.view() };
        let make = |column| groups.product(card, d, merged, ch, column);
        let (columns, rounds) = (d.all_columns(), d.column_bits);
        let wanted = (columns + 1) * rounds::Product::bytes(d.rows());
        let (found, products) = if wanted <= card.free_memory()? {
            let mut all = (0..columns).map(make).collect::<Result<Vec<_>, _>>()?;
            (rounds::prove_plain(card, &mut all, merged.claim, rounds, transcript)?, all)
        } else {
            rounds::prove_plain_in_pieces(card, columns, &make, merged.claim, rounds, transcript)?
        };
        Ok((found, products.iter().map(|product| product.ends().0).collect()))
    }

    fn open(
        &self,
        task: &Task,
        ch: &Challenges,
        opened: &Opened,
        transcript: &mut Transcript,
    ) -> Result<Opening, Error> {
        let (first, second, key) = (self.first(task)?, self.second(task, ch)?, self.key(task)?);
        let groups = Groups { first: first.view(), second: second.view(), key: key.view() };
        let sum = groups.combine(&self.card, task.descriptor(), opened.scales)?;
        let mut steps = opening::OnCard::new(&self.card, self.powers.view(), sum);
        let Opened { point, image, forged_value, .. } = *opened;
        Ok(open_by(&mut steps, self.srs, point, image, forged_value, transcript)?)
    }
}
