//! Some work of every kind, compared with the CPU: whether a card can be trusted with more.
//! Whatever it computes later is verified all the same.

use super::card::Card;
use super::checks::{Operation, on_scalars};
use super::columns::invert;
use super::error::CardError;
use super::msm::{msm, msm_integers};
use super::rounds::{Product, prove_plain};
use crate::sumcheck::field::{F, from_i64};
use crate::sumcheck::kzg::Srs;
use crate::sumcheck::multilinear::inner_product;
use crate::sumcheck::transcript::Transcript;
use crate::sumcheck::{msm as cpu_msm, rounds as cpu_rounds};
use ark_ec::CurveGroup;
use ark_ff::Field;
use std::time::Instant;

/// What was compared, and the seconds that the card took for it.
pub type Report = Vec<(&'static str, f64)>;

/// log2 of the elements of each test: a moment's work, before a card is chosen.
pub const SHORT: usize = 12;
/// A second's work, most of it the processor's.
pub const LONG: usize = 14;

/// Compares the card with the CPU, on 2^bits elements.
///
/// # Errors
/// [`CardError::Wrong`] names what differs.
pub fn self_test(card: &Card, bits: usize) -> Result<Report, CardError> {
    let mut report = Report::new();
    let mut timed = |name: &'static str, test: &dyn Fn() -> Result<bool, CardError>| {
        let began = Instant::now();
        let right = test()?;
        report.push((name, began.elapsed().as_secs_f64()));
        if right { Ok(()) } else { Err(CardError::Wrong(name)) }
    };
    let scalars: Vec<F> = std::iter::successors(Some(-F::from(2u64)), |x| Some(x.square() - x))
        .take(1 << bits)
        .collect();
    let srs = Srs::insecure(scalars[7], bits);
    let integers: Vec<i64> =
        (0..1i64 << bits).map(|i| (i * i % 100_003 * 31) % 100_003 - 50_000).collect();
    let (squares, multiple, integer_multiple) = (
        scalars.iter().map(|x| x.square()).collect::<Vec<F>>(),
        cpu_msm::msm(&srs.powers, &scalars),
        cpu_msm::msm_small(&srs.powers, &integers),
    );
    let points = card.upload_powers(&srs.powers)?;
    let values = card.upload_scalars(&scalars)?;

    timed("field", &|| Ok(on_scalars(card, Operation::Multiply, &scalars, &scalars)? == squares))?;
    timed("inverses", &|| {
        let inverses = invert(card, values.view(), None)?.view().scalars()?;
        Ok(inverses.iter().zip(&scalars).all(|(i, x)| *i * x == F::ONE))
    })?;
    timed("multi-scalar multiplication", &|| {
        Ok(msm(card, points.view(), values.view())?.into_affine() == multiple)
    })?;
    timed("the same of integers", &|| {
        let integers = card.upload(&integers)?;
        let sum = msm_integers(card, points.view(), integers.view(), 17)?;
        Ok(sum.into_affine() == integer_multiple)
    })?;
    timed("sumcheck rounds", &|| {
        let other: Vec<F> = integers.iter().map(|v| from_i64(*v)).collect();
        let claim = inner_product(&scalars, &other);
        let (a, b) = (card.upload_scalars(&scalars)?, card.upload_scalars(&other)?);
        let mut ours = [Product::new(a, b, bits)?];
        let mut theirs = [cpu_rounds::Product::new(scalars.clone(), other)];
        let found = prove_plain(card, &mut ours, claim, bits, &mut Transcript::default())?;
        let wanted = cpu_rounds::prove_plain(&mut theirs, claim, bits, &mut Transcript::default());
        Ok(found == wanted && ours[0].ends() == theirs[0].ends())
    })?;
    Ok(report)
}
