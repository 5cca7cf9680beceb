//! Sumcheck rounds of the prover: sums of products of two multilinear polynomials.
//!
//! Variables are bound from the top bit down. A product with fewer variables than there are rounds is
//! zero wherever a later variable is 1: after its own rounds it is a constant times Π (1 − challenge).

use super::field::{F, scalar_bytes};
use super::multilinear::{PARALLEL_FROM, bind_top, eq_vector};
use super::proof::Round;
use super::transcript::Transcript;
use super::vector::{fold, sum_pairs};
use ark_ff::{AdditiveGroup, Field, One, Zero};
use rayon::prelude::*;

/// `a·b` over 2^bits indices, of which only the first few are stored: both factors are zero on the rest.
pub struct Product {
    a: Vec<F>,
    b: Vec<F>,
    /// Variables that are not bound yet.
    bits: usize,
    /// By how much each stored factor is to be multiplied: variables bound while all that is stored
    /// lay where they are zero.
    low: F,
    /// By how much the product is to be multiplied: rounds after its own.
    pad: F,
}

impl Default for Product {
    fn default() -> Self {
        Self::new(vec![F::zero()], vec![F::zero()])
    }
}

impl Product {
    /// Two factors of equal power-of-two length.
    pub fn new(a: Vec<F>, b: Vec<F>) -> Self {
        let bits = a.len().trailing_zeros() as usize;
        Self::padded(a, b, bits)
    }

    /// Two factors of equal length, 1 to 2^bits.
    pub fn padded(a: Vec<F>, b: Vec<F>, bits: usize) -> Self {
        debug_assert!(a.len() == b.len() && (1..=1 << bits).contains(&a.len()));
        Self { a, b, bits, low: F::one(), pad: F::one() }
    }

    /// The factors and their number of variables, of a product that no variable was bound of.
    pub fn into_factors(self) -> (Vec<F>, Vec<F>, usize) {
        (self.a, self.b, self.bits)
    }

    /// What is left of the factors when all variables are bound: their values at the challenges.
    pub fn ends(&self) -> (F, F) {
        (self.low * self.a[0], self.low * self.b[0])
    }

    fn bind(&mut self, r: F) {
        if self.bits == 0 {
            self.pad *= F::one() - r;
            return;
        }
        self.bits -= 1;
        let half = 1 << self.bits;
        if self.a.len() <= half {
            self.low *= F::one() - r;
        } else {
            rayon::join(|| bind_padded(&mut self.a, half, r), || bind_padded(&mut self.b, half, r));
        }
    }

    /// c₀ and c₂ of this product's round polynomial.
    fn round(&self) -> (F, F) {
        let scale = self.low.square() * self.pad;
        if self.bits == 0 {
            return (scale * self.a[0] * self.b[0], F::zero());
        }
        let (a, b) = (&self.a, &self.b);
        let half = a.len().min(1 << (self.bits - 1));
        let (a0, a1) = a.split_at(half);
        let (b0, b1) = b.split_at(half);
        let paired = a1.len();
        let pairs = sum_chunks([&a0[..paired], a1], [&b0[..paired], b1]);
        // Where the other half is zero both sums have the same summand.
        let (single, _) = sum_parallel(half - paired, |i| {
            let i = i + paired;
            (if a0[i].is_zero() { F::zero() } else { a0[i] * b0[i] }, F::zero())
        });
        (scale * (pairs.0 + single), scale * (pairs.1 + single))
    }
}

/// Binds the top variable of a vector of more than `half` values that is zero from its end on.
fn bind_padded(values: &mut Vec<F>, half: usize, r: F) {
    if values.len() == 2 * half {
        return bind_top(values, r);
    }
    let pairs = values.len() - half;
    let (low, high) = values.split_at_mut(half);
    low[..pairs]
        .par_chunks_mut(PARALLEL_FROM)
        .zip(high.par_chunks(PARALLEL_FROM))
        .for_each(|(low, high)| fold(low, high, r));
    let left = F::one() - r;
    low[pairs..].par_iter_mut().with_min_len(PARALLEL_FROM).for_each(|l| *l *= left);
    values.truncate(half);
}

/// `Σ a₀·b₀` and `Σ (a₁ − a₀)·(b₁ − b₀)`.
fn sum_chunks(a: [&[F]; 2], b: [&[F]; 2]) -> (F, F) {
    let range = |i: usize| i * PARALLEL_FROM..((i + 1) * PARALLEL_FROM).min(a[0].len());
    (0..a[0].len().div_ceil(PARALLEL_FROM))
        .into_par_iter()
        .map(|i| sum_pairs(a.map(|v| &v[range(i)]), b.map(|v| &v[range(i)])))
        .reduce(|| (F::zero(), F::zero()), |x, y| (x.0 + y.0, x.1 + y.1))
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

/// `Σ products`; returns the messages, the challenges and the last claim.
pub fn prove_plain(
    products: &mut [Product],
    claim: F,
    count: usize,
    transcript: &mut Transcript,
) -> (Vec<Round>, Vec<F>, F) {
    let mut claim = claim;
    let mut rounds = Vec::with_capacity(count);
    let mut point = Vec::with_capacity(count);
    for _ in 0..count {
        let (c0, c2) = products
            .par_iter()
            .map(Product::round)
            .reduce(|| (F::zero(), F::zero()), |x, y| (x.0 + y.0, x.1 + y.1));
        let challenge = transcript.one(&[scalar_bytes(&c0), scalar_bytes(&c2)].concat());
        claim = c0 + challenge * (claim - c0.double() - c2 + challenge * c2);
        products.par_iter_mut().for_each(|p| p.bind(challenge));
        rounds.push([c0, c2]);
        point.push(challenge);
    }
    (rounds, point, claim)
}

/// `lead(x)·(Σ a·b + linear)(last variables of x)`: summands of the lookup sumcheck over one region's
/// variables, the same number on all of {0, 1}^bits.
pub struct Constant {
    /// Pairs (a, b).
    pub products: Vec<(Vec<F>, Vec<F>)>,
    /// Empty, or as long as the factors.
    pub linear: Vec<F>,
    /// The number.
    pub value: F,
    /// Variables of the region.
    pub bits: usize,
}

impl Constant {
    /// c₀ and c₂, `eq` being that of the variables after this one.
    fn round(&self, eq: &[F]) -> (F, F) {
        let half = eq.len();
        sum_parallel(half, |i| {
            let mut low = self.linear.get(i).copied().unwrap_or_default();
            let mut top = F::zero();
            for (a, b) in self.products.iter().filter(|(a, _)| !is_zero_pair(a, i, half)) {
                low += a[i] * b[i];
                top += (a[i + half] - a[i]) * (b[i + half] - b[i]);
            }
            (low * eq[i], top * eq[i])
        })
    }

    fn bind(&mut self, r: F) {
        self.products.par_iter_mut().for_each(|(a, b)| {
            bind_top(a, r);
            bind_top(b, r);
        });
        bind_top(&mut self.linear, r);
    }
}

fn is_zero_pair(a: &[F], i: usize, half: usize) -> bool {
    a[i].is_zero() && a[i + half].is_zero()
}

/// `Σ_x eq(τ, x)·Σ parts`, eq factored out: messages c₁ and c₂, challenges, last claim, which is the
/// value of the sum of the parts at the challenges.
pub fn prove_eq(
    parts: &mut [Constant],
    claim: F,
    tau: &[F],
    transcript: &mut Transcript,
) -> (Vec<Round>, Vec<F>, F) {
    let mut claim = claim;
    let mut rounds = Vec::with_capacity(tau.len());
    let mut point: Vec<F> = Vec::with_capacity(tau.len());
    // eq over the variables after the current one.
    let mut eq = eq_vector(tau.get(1..).unwrap_or(&[]));
    for (i, tau_i) in tau.iter().enumerate() {
        let left = tau.len() - i;
        let (mut c0, mut c2) = (F::zero(), F::zero());
        for part in parts.iter() {
            let leads = tau.len() - part.bits;
            let scale: F = point.iter().take(leads).map(|x| F::one() - x).product();
            if left > part.bits {
                // (1 − X)·value, the later leading variables being zero.
                let rest: F = tau[i + 1..leads].iter().map(|t| F::one() - t).product();
                c0 += scale * part.value * rest;
            } else {
                let (low, top) = part.round(&eq);
                c0 += scale * low;
                c2 += scale * top;
            }
        }
        // claim = (1 − τᵢ)·t(0) + τᵢ·t(1); τᵢ = 0 has probability 2^-254 and then c₁ is free.
        let c1 = (claim - c0) * tau_i.inverse().unwrap_or(F::one()) - c2;
        let challenge = transcript.one(&[scalar_bytes(&c1), scalar_bytes(&c2)].concat());
        claim = c0 + challenge * (c1 + challenge * c2);
        for part in parts.iter_mut().filter(|part| left <= part.bits) {
            part.bind(challenge);
        }
        let half = eq.len() / 2;
        if half > 0 {
            let (low, high) = eq.split_at_mut(half);
            low.iter_mut().zip(high.iter()).for_each(|(l, h)| *l += h);
            eq.truncate(half);
        }
        rounds.push([c1, c2]);
        point.push(challenge);
    }
    (rounds, point, claim)
}
