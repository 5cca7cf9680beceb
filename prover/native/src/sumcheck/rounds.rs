//! Sumcheck rounds of the prover: sums of products of two multilinear polynomials.
//!
//! Variables are bound from the top bit down. A product with fewer variables than there are rounds is
//! zero wherever a later variable is 1: after its own rounds it is a constant times Π (1 − challenge).

use super::field::{F, from_i64, scalar_bytes};
use super::multilinear::{PARALLEL_FROM, bind_top, eq_vector};
use super::proof::Round;
use super::small::SmallSum;
use super::transcript::Transcript;
use super::vector::{fold, sum_pairs};
use ark_ff::{AdditiveGroup, Field, One, Zero};
use rayon::prelude::*;

/// A factor's values: those of someone else as long as no variable of it is bound.
enum Values<'a> {
    /// Cells, which are eight bytes where a scalar is 32.
    Integers(&'a [i64]),
    Scalars(&'a [F]),
    Own(Vec<F>),
}

impl Values<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Integers(values) => values.len(),
            Self::Scalars(values) => values.len(),
            Self::Own(values) => values.len(),
        }
    }

    fn first(&self) -> F {
        match self {
            Self::Integers(values) => values.first().map_or(F::zero(), |v| from_i64(*v)),
            Self::Scalars(values) => values.first().copied().unwrap_or_default(),
            Self::Own(values) => values.first().copied().unwrap_or_default(),
        }
    }

    /// As scalars of its own, which then have one variable fewer.
    fn bound(self, half: usize, r: F) -> Vec<F> {
        match self {
            Self::Integers(values) => {
                let (low, high) = values.split_at(half);
                let mut bound = vec![F::zero(); half];
                let chunks = bound.par_chunks_mut(PARALLEL_FROM).enumerate();
                chunks.for_each(|(i, own)| {
                    let from = i * PARALLEL_FROM;
                    for (value, v) in own.iter_mut().zip(&low[from..]) {
                        *value = from_i64(*v);
                    }
                    let high = high.get(from..).unwrap_or(&[]);
                    let high: Vec<F> = high.iter().take(own.len()).map(|v| from_i64(*v)).collect();
                    fold_padded(own, &high, r);
                });
                bound
            }
            Self::Scalars(values) => {
                let (low, high) = values.split_at(half);
                let mut bound = low.to_vec();
                let chunks = bound.par_chunks_mut(PARALLEL_FROM).enumerate();
                chunks.for_each(|(i, own)| {
                    let high = high.get(i * PARALLEL_FROM..).unwrap_or(&[]);
                    let count = own.len().min(high.len());
                    fold_padded(own, &high[..count], r);
                });
                bound
            }
            Self::Own(mut values) => {
                bind_padded(&mut values, half, r);
                values
            }
        }
    }
}

/// `low ← low + r·(high − low)`, `high` being zero from its end on.
fn fold_padded(low: &mut [F], high: &[F], r: F) {
    let (paired, single) = low.split_at_mut(high.len());
    fold(paired, high, r);
    let left = F::one() - r;
    single.iter_mut().filter(|l| !l.is_zero()).for_each(|l| *l *= left);
}

/// `a·b` over 2^bits indices, of which only the first few are stored: both factors are zero on the rest.
pub struct Product<'a> {
    a: Values<'a>,
    b: Vec<F>,
    /// Variables that are not bound yet.
    bits: usize,
    /// By how much each stored factor is to be multiplied: variables bound while all that is stored
    /// lay where they are zero.
    low: F,
    /// By how much the product is to be multiplied: rounds after its own.
    pad: F,
}

impl<'a> Product<'a> {
    /// Two factors of equal power-of-two length.
    pub fn new(a: Vec<F>, b: Vec<F>) -> Self {
        let bits = a.len().trailing_zeros() as usize;
        Self::padded(a, b, bits)
    }

    /// Two factors of equal length, 1 to 2^bits.
    pub fn padded(a: Vec<F>, b: Vec<F>, bits: usize) -> Self {
        Self::of(Values::Own(a), b, bits)
    }

    /// The same, the first factor being cells.
    pub fn of_integers(a: &'a [i64], b: Vec<F>, bits: usize) -> Self {
        Self::of(Values::Integers(a), b, bits)
    }

    /// The same, the first factor being someone else's.
    pub fn of_scalars(a: &'a [F], b: Vec<F>, bits: usize) -> Self {
        Self::of(Values::Scalars(a), b, bits)
    }

    fn of(a: Values<'a>, b: Vec<F>, bits: usize) -> Self {
        debug_assert!(a.len() == b.len() && (1..=1 << bits).contains(&a.len()));
        Self { a, b, bits, low: F::one(), pad: F::one() }
    }

    /// What is left of the factors when all variables are bound: their values at the challenges.
    pub fn ends(&self) -> (F, F) {
        (self.low * self.a.first(), self.low * self.b[0])
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
            return;
        }
        let a = std::mem::replace(&mut self.a, Values::Own(Vec::new()));
        let (a, ()) = rayon::join(|| a.bound(half, r), || bind_padded(&mut self.b, half, r));
        self.a = Values::Own(a);
    }

    /// c₀ and c₂ of this product's round polynomial.
    fn round(&self) -> (F, F) {
        let scale = self.low.square() * self.pad;
        if self.bits == 0 {
            return (scale * self.a.first() * self.b[0], F::zero());
        }
        let half = self.b.len().min(1 << (self.bits - 1));
        let (b0, b1) = self.b.split_at(half);
        let sums = match &self.a {
            Values::Integers(a) => sum_integers(a.split_at(half), (b0, b1)),
            Values::Scalars(a) => sum_scalars(a.split_at(half), (b0, b1)),
            Values::Own(a) => sum_scalars(a.split_at(half), (b0, b1)),
        };
        (scale * sums.0, scale * sums.1)
    }
}

/// `Σ a₀·b₀` and `Σ (a₁ − a₀)·(b₁ − b₀)`, the second halves being zero from their ends on.
fn sum_scalars((a0, a1): (&[F], &[F]), (b0, b1): (&[F], &[F])) -> (F, F) {
    let paired = a1.len();
    let pairs = sum_chunks([&a0[..paired], a1], [&b0[..paired], b1]);
    // Where the other half is zero both sums have the same summand.
    let (single, _) = sum_parallel(a0.len() - paired, |i| {
        let i = i + paired;
        (if a0[i].is_zero() { F::zero() } else { a0[i] * b0[i] }, F::zero())
    });
    (pairs.0 + single, pairs.1 + single)
}

/// The same of integers, without a reduction for each.
fn sum_integers((a0, a1): (&[i64], &[i64]), (b0, b1): (&[F], &[F])) -> (F, F) {
    (0..a0.len().div_ceil(PARALLEL_FROM))
        .into_par_iter()
        .map(|chunk| {
            let from = chunk * PARALLEL_FROM;
            let mut sums = [SmallSum::default(); 2];
            for i in from..(from + PARALLEL_FROM).min(a0.len()) {
                let (low, high) = (a0[i], a1.get(i).copied().unwrap_or(0));
                if low != 0 {
                    sums[0].add(low, &b0[i]);
                }
                if low != high {
                    let other = b1.get(i).copied().unwrap_or_default();
                    sums[1].add(high - low, &(other - b0[i]));
                }
            }
            (sums[0].finish(), sums[1].finish())
        })
        .reduce(|| (F::zero(), F::zero()), |x, y| (x.0 + y.0, x.1 + y.1))
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
    values.shrink_to_fit();
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
