//! Sumcheck rounds of the prover: sums of products of two multilinear polynomials.
//!
//! Variables are bound from the top bit down. A product with fewer variables than there are rounds is
//! zero wherever a later variable is 1: after its own rounds it is a constant times Π (1 − challenge).

use super::field::F;
use super::multilinear::{PARALLEL_FROM, bind_top};
use super::proof::Round;
use super::transcript::Transcript;
use super::{field::scalar_bytes, multilinear::eq_vector};
use ark_ff::{AdditiveGroup, Field, One, Zero};
use rayon::prelude::*;

/// `a·b`, both of one power-of-two length.
pub struct Product {
    /// First factor.
    pub a: Vec<F>,
    /// Second factor.
    pub b: Vec<F>,
    pad: F,
}

impl Product {
    /// Two factors of equal length.
    pub fn new(a: Vec<F>, b: Vec<F>) -> Self {
        debug_assert_eq!(a.len(), b.len());
        Self { a, b, pad: F::one() }
    }

    fn bind(&mut self, r: F) {
        if self.a.len() == 1 {
            self.pad *= F::one() - r;
        } else {
            rayon::join(|| bind_top(&mut self.a, r), || bind_top(&mut self.b, r));
        }
    }

    /// c₀ and c₂ of this product's round polynomial.
    fn round(&self) -> (F, F) {
        if self.a.len() == 1 {
            return (self.a[0] * self.b[0] * self.pad, F::zero());
        }
        let half = self.a.len() / 2;
        let (a0, a1) = self.a.split_at(half);
        let (b0, b1) = self.b.split_at(half);
        sum_parallel(half, |i| {
            // Columns are mostly empty: zeros cost a comparison.
            if a0[i].is_zero() && a1[i].is_zero() {
                return (F::zero(), F::zero());
            }
            (a0[i] * b0[i], (a1[i] - a0[i]) * (b1[i] - b0[i]))
        })
    }
}

fn sum_parallel(count: usize, term: impl Fn(usize) -> (F, F) + Sync) -> (F, F) {
    let add = |x: (F, F), y: (F, F)| (x.0 + y.0, x.1 + y.1);
    let zero = || (F::zero(), F::zero());
    if count >= PARALLEL_FROM {
        (0..count)
            .into_par_iter()
            .with_min_len(PARALLEL_FROM)
            .fold(zero, |sum, i| add(sum, term(i)))
            .reduce(zero, add)
    } else {
        (0..count).fold(zero(), |sum, i| add(sum, term(i)))
    }
}

/// `Σ products + Σ linear`; returns the messages, the challenges and the last claim.
pub fn prove_plain(
    products: &mut [Product],
    mut linear: Option<Vec<F>>,
    claim: F,
    count: usize,
    transcript: &mut Transcript,
) -> (Vec<Round>, Vec<F>, F) {
    let mut claim = claim;
    let mut rounds = Vec::with_capacity(count);
    let mut point = Vec::with_capacity(count);
    for _ in 0..count {
        let (mut c0, mut c2) = (F::zero(), F::zero());
        for product in products.iter() {
            let (a, b) = product.round();
            c0 += a;
            c2 += b;
        }
        if let Some(linear) = &linear {
            c0 += linear[..linear.len() / 2].iter().sum::<F>();
        }
        let challenge = transcript.one(&[scalar_bytes(&c0), scalar_bytes(&c2)].concat());
        claim = c0 + challenge * (claim - c0.double() - c2 + challenge * c2);
        products.par_iter_mut().for_each(|p| p.bind(challenge));
        if let Some(linear) = &mut linear {
            bind_top(linear, challenge);
        }
        rounds.push([c0, c2]);
        point.push(challenge);
    }
    (rounds, point, claim)
}

/// `Σ_x eq(τ, x)·(Σ products + linear)`, eq factored out: messages c₁ and c₂, challenges, last claim,
/// which is the value of `Σ products + linear` at the challenges.
pub fn prove_zerocheck(
    products: &mut [Product],
    mut linear: Vec<F>,
    claim: F,
    tau: &[F],
    transcript: &mut Transcript,
) -> (Vec<Round>, Vec<F>, F) {
    let mut claim = claim;
    let mut rounds = Vec::with_capacity(tau.len());
    let mut point = Vec::with_capacity(tau.len());
    // eq over the variables after the current one.
    let mut eq = eq_vector(tau.get(1..).unwrap_or(&[]));
    for tau_i in tau {
        let half = eq.len();
        let (c0, c2) = sum_parallel(half, |i| {
            let mut low = linear[i];
            let mut top = F::zero();
            for p in products.iter() {
                low += p.a[i] * p.b[i];
                top += (p.a[i + half] - p.a[i]) * (p.b[i + half] - p.b[i]);
            }
            (low * eq[i], top * eq[i])
        });
        // claim = (1 − τᵢ)·t(0) + τᵢ·t(1); τᵢ = 0 has probability 2^-254 and then c₁ is free.
        let c1 = (claim - c0) * tau_i.inverse().unwrap_or(F::one()) - c2;
        let challenge = transcript.one(&[scalar_bytes(&c1), scalar_bytes(&c2)].concat());
        claim = c0 + challenge * (c1 + challenge * c2);
        products.par_iter_mut().for_each(|p| p.bind(challenge));
        bind_top(&mut linear, challenge);
        let next = half / 2;
        if half > 1 {
            let (low, high) = eq.split_at_mut(next);
            low.iter_mut().zip(high.iter()).for_each(|(l, h)| *l += h);
            eq.truncate(next);
        }
        rounds.push([c1, c2]);
        point.push(challenge);
    }
    (rounds, point, claim)
}
