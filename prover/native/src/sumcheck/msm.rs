//! Multi-scalar multiplication by buckets, with batched affine additions.
//!
//! Σ sᵢ·Pᵢ: each scalar is written in signed digits of c bits, `s = Σ_w d_w·2^{cw}`, |d_w| ≤ 2^{c−1};
//! for each w the points of equal |d_w| are added first (their bucket), then `Σ_k k·bucket_k` by running
//! sums. Additions inside buckets are affine; one inversion serves a batch of them (3 multiplications
//! each), so an addition costs about 6 multiplications. Small integers have few digits, and a column
//! whose values repeat is one bucket a value (`bucket_sums` on its own).

use super::field::F;
#[cfg(target_arch = "x86_64")]
use super::ifma;
use ark_bn254::{Fq, G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{AdditiveGroup, BigInteger256, Field, PrimeField, Zero};
use rayon::prelude::*;

/// Pairs that share one inversion: small enough for the first cache level.
const BATCH: usize = 1024;

/// What of `points` goes into which bucket.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Bucket index.
    pub bucket: u32,
    /// Index of the point.
    pub point: u32,
    /// Whether the point is subtracted.
    pub negative: bool,
}

/// Entries sorted at once: few enough that their points stay in the second cache level.
const CHUNK: usize = 1 << 14;

/// Sums of the points in every bucket.
pub fn bucket_sums(points: &[G1Affine], entries: &[Entry], buckets: usize) -> Vec<G1Affine> {
    let mut sums = vec![G1Affine::identity(); buckets];
    // A chunk's work has a part that is proportional to the buckets.
    for chunk in entries.chunks(CHUNK.max(buckets * 4)) {
        add_chunk(points, chunk, &mut sums);
    }
    sums
}

/// Sorts a chunk by bucket, the sum so far first, and adds neighbours until one is left.
fn add_chunk(points: &[G1Affine], entries: &[Entry], sums: &mut [G1Affine]) {
    let buckets = sums.len();
    let mut lengths: Vec<u32> = sums.iter().map(|sum| u32::from(!sum.infinity)).collect();
    for entry in entries {
        lengths[entry.bucket as usize] += 1;
    }
    let mut start = vec![0u32; buckets + 1];
    for (b, length) in lengths.iter().enumerate() {
        start[b + 1] = start[b] + length;
    }
    let mut next = start.clone();
    let mut sorted = vec![G1Affine::identity(); start[buckets] as usize];
    for (b, sum) in sums.iter().enumerate() {
        if !sum.infinity {
            sorted[start[b] as usize] = *sum;
            next[b] += 1;
        }
    }
    for entry in entries {
        let at = &mut next[entry.bucket as usize];
        let point = points[entry.point as usize];
        sorted[*at as usize] = if entry.negative { -point } else { point };
        *at += 1;
    }
    let mut batch = PairBatch::default();
    let mut active: Vec<u32> = (0..buckets as u32).filter(|&b| lengths[b as usize] > 1).collect();
    while !active.is_empty() {
        for &bucket in &active {
            let first = start[bucket as usize] as usize;
            let length = lengths[bucket as usize] as usize;
            for k in 0..length / 2 {
                batch.push(&mut sorted, first + k, first + 2 * k, first + 2 * k + 1);
            }
            if length % 2 == 1 {
                batch.push_move(first + length / 2, first + length - 1);
            }
            lengths[bucket as usize] = length.div_ceil(2) as u32;
        }
        batch.flush(&mut sorted);
        active.retain(|&b| lengths[b as usize] > 1);
    }
    for (b, sum) in sums.iter_mut().enumerate() {
        if lengths[b] > 0 {
            *sum = sorted[start[b] as usize];
        }
    }
}

#[derive(Clone, Copy)]
struct Pair {
    into: usize,
    a: usize,
    /// `usize::MAX` for a move of `a`.
    b: usize,
}

#[derive(Default)]
struct PairBatch {
    pairs: Vec<Pair>,
    denominators: Vec<Fq>,
    scratch: Vec<Fq>,
}

impl PairBatch {
    fn push(&mut self, points: &mut [G1Affine], into: usize, a: usize, b: usize) {
        self.pairs.push(Pair { into, a, b });
        if self.pairs.len() >= BATCH {
            self.flush(points);
        }
    }

    fn push_move(&mut self, into: usize, a: usize) {
        self.pairs.push(Pair { into, a, b: usize::MAX });
    }

    /// Pairs are done in the order of pushing: a result never lands on an operand not yet read.
    fn flush(&mut self, points: &mut [G1Affine]) {
        #[cfg(target_arch = "x86_64")]
        if self.pairs.len() >= VECTOR_FROM && ifma::available() {
            return self.flush_vector(points);
        }
        self.denominators.clear();
        for pair in &self.pairs {
            self.denominators.push(denominator(points, pair));
        }
        self.scratch.clear();
        let mut product = Fq::ONE;
        for d in &self.denominators {
            self.scratch.push(product);
            if !d.is_zero() {
                product *= d;
            }
        }
        // The product of non-zero elements has an inverse.
        let mut inverse = product.inverse().unwrap_or(Fq::ONE);
        for (d, before) in self.denominators.iter_mut().zip(&self.scratch).rev() {
            if !d.is_zero() {
                let own = inverse * before;
                inverse *= *d;
                *d = own;
            }
        }
        for (pair, inverse) in self.pairs.iter().zip(&self.denominators) {
            points[pair.into] = add(points, pair, inverse);
        }
        self.pairs.clear();
    }

    /// The same with AVX-512 IFMA. All operands are read before any result is written.
    #[cfg(target_arch = "x86_64")]
    fn flush_vector(&mut self, points: &mut [G1Affine]) {
        let (mut left, mut right, mut into) = (Vec::new(), Vec::new(), Vec::new());
        let mut others = Vec::new();
        for pair in &self.pairs {
            let regular = pair.b != usize::MAX
                && !points[pair.a].infinity
                && !points[pair.b].infinity
                && points[pair.a].x != points[pair.b].x;
            if regular {
                left.push(coordinates(&points[pair.a]));
                right.push(coordinates(&points[pair.b]));
                into.push(pair.into);
            } else {
                // Moves, infinities and doublings: too rare to share an inversion.
                let inverse = denominator(points, pair).inverse().unwrap_or(Fq::ZERO);
                others.push((pair.into, add(points, pair, &inverse)));
            }
        }
        if let (Some(&a), Some(&b)) = (left.last(), right.last()) {
            let padded = left.len().next_multiple_of(8);
            left.resize(padded, a);
            right.resize(padded, b);
            let mut sums = vec![[0; 8]; padded];
            ifma::add_many(&left, &right, &mut sums);
            for (into, [x0, x1, x2, x3, y0, y1, y2, y3]) in into.into_iter().zip(sums) {
                points[into] = G1Affine::new_unchecked(
                    Fq::new_unchecked(BigInteger256::new([x0, x1, x2, x3])),
                    Fq::new_unchecked(BigInteger256::new([y0, y1, y2, y3])),
                );
            }
        }
        for (into, point) in others {
            points[into] = point;
        }
        self.pairs.clear();
    }
}

/// Below this many additions the vector path's own inversion costs more than it saves.
#[cfg(target_arch = "x86_64")]
const VECTOR_FROM: usize = 32;

#[cfg(target_arch = "x86_64")]
fn coordinates(point: &G1Affine) -> ifma::Coordinates {
    let ([x0, x1, x2, x3], [y0, y1, y2, y3]) = (point.x.0.0, point.y.0.0);
    [x0, x1, x2, x3, y0, y1, y2, y3]
}

fn denominator(points: &[G1Affine], pair: &Pair) -> Fq {
    if pair.b == usize::MAX {
        return Fq::ZERO;
    }
    let (a, b) = (&points[pair.a], &points[pair.b]);
    if a.infinity || b.infinity {
        return Fq::ZERO;
    }
    if a.x == b.x {
        return if a.y == b.y { a.y.double() } else { Fq::ZERO };
    }
    b.x - a.x
}

fn add(points: &[G1Affine], pair: &Pair, inverse: &Fq) -> G1Affine {
    let a = points[pair.a];
    if pair.b == usize::MAX {
        return a;
    }
    let b = points[pair.b];
    if a.infinity {
        return b;
    }
    if b.infinity {
        return a;
    }
    let slope = if a.x == b.x {
        if a.y != b.y {
            return G1Affine::identity();
        }
        let square = a.x.square();
        (square.double() + square) * inverse
    } else {
        (b.y - a.y) * inverse
    };
    let x = slope.square() - a.x - b.x;
    let y = slope * (a.x - x) - a.y;
    G1Affine::new_unchecked(x, y)
}

/// `Σ_k (k+1)·buckets[k]`.
fn weighted_sum(buckets: &[G1Affine]) -> G1Projective {
    let mut running = G1Projective::zero();
    let mut total = G1Projective::zero();
    for bucket in buckets.iter().rev() {
        running += bucket;
        total += running;
    }
    total
}

/// Digit width that minimises additions: `⌈bits/c⌉·(6n + 27·2^{c−1})` multiplications.
fn window_bits(count: usize, bits: usize) -> usize {
    (2..=16)
        .min_by_key(|&c| (bits + 1).div_ceil(c) * (6 * count + 27 * (1 << (c - 1))))
        .unwrap_or(8)
}

/// Combines digit windows: `digits(w)` lists the entries of window w, bucket = |digit| − 1.
fn pippenger(
    points: &[G1Affine],
    windows: usize,
    width: usize,
    digits: impl Fn(usize) -> Vec<Entry> + Sync,
) -> G1Affine {
    let sums: Vec<G1Projective> = (0..windows)
        .into_par_iter()
        .map(|w| weighted_sum(&bucket_sums(points, &digits(w), 1 << (width - 1))))
        .collect();
    let mut total = G1Projective::zero();
    for sum in sums.iter().rev() {
        for _ in 0..width {
            total.double_in_place();
        }
        total += sum;
    }
    total.into_affine()
}

/// Commits to signed integers: `Σ valuesᵢ·pointsᵢ`.
pub fn msm_small(points: &[G1Affine], values: &[i64]) -> G1Affine {
    let nonzero: Vec<(u32, i64)> =
        values.iter().enumerate().filter(|(_, v)| **v != 0).map(|(i, v)| (i as u32, *v)).collect();
    let bits = nonzero
        .iter()
        .map(|(_, v)| 64 - v.unsigned_abs().leading_zeros() as usize)
        .max()
        .unwrap_or(0);
    if bits == 0 {
        return G1Affine::identity();
    }
    let width = window_bits(nonzero.len(), bits);
    let windows = (bits + 1).div_ceil(width);
    let half = 1i128 << (width - 1);
    let full = 1i128 << width;
    pippenger(points, windows, width, |w| {
        nonzero
            .iter()
            .filter_map(|&(point, value)| {
                // Signed digit w of |value|: carry in if the lower part rounds up.
                let magnitude = i128::from(value.unsigned_abs());
                let mut rest = magnitude;
                let mut digit = 0;
                for _ in 0..=w {
                    digit = rest % full;
                    rest /= full;
                    if digit > half {
                        digit -= full;
                        rest += 1;
                    }
                }
                (digit != 0).then(|| Entry {
                    bucket: digit.unsigned_abs() as u32 - 1,
                    point,
                    negative: (digit < 0) != (value < 0),
                })
            })
            .collect()
    })
}

/// `Σ scalarsᵢ·pointsᵢ`, full width.
pub fn msm(points: &[G1Affine], scalars: &[F]) -> G1Affine {
    let used: Vec<u32> =
        (0..scalars.len() as u32).filter(|&i| !scalars[i as usize].is_zero()).collect();
    if used.is_empty() {
        return G1Affine::identity();
    }
    let width = window_bits(used.len(), 254);
    let windows = 255usize.div_ceil(width);
    let half = 1i64 << (width - 1);
    // Window major, so that each window reads its digits in order.
    let integers: Vec<[u64; 4]> =
        used.par_iter().with_min_len(512).map(|&i| scalars[i as usize].into_bigint().0).collect();
    let mut digits = vec![0i16; used.len() * windows];
    for (i, limbs) in integers.iter().enumerate() {
        let mut carry = 0i64;
        for w in 0..windows {
            let bit = w * width;
            let (limb, shift) = (bit / 64, bit % 64);
            let mut value = if limb < 4 { limbs[limb] >> shift } else { 0 };
            if shift + width > 64 && limb + 1 < 4 {
                value |= limbs[limb + 1] << (64 - shift);
            }
            let mut digit = (value & ((1u64 << width) - 1)) as i64 + carry;
            carry = 0;
            if digit >= half {
                digit -= half * 2;
                carry = 1;
            }
            digits[w * used.len() + i] = digit as i16;
        }
    }
    pippenger(points, windows, width, |w| {
        digits[w * used.len()..(w + 1) * used.len()]
            .iter()
            .zip(&used)
            .filter(|(digit, _)| **digit != 0)
            .map(|(digit, &point)| Entry {
                bucket: u32::from(digit.unsigned_abs()) - 1,
                point,
                negative: *digit < 0,
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sumcheck::field::from_i64;
    use ark_ec::PrimeGroup;

    fn points(count: usize) -> Vec<G1Affine> {
        let mut point = G1Projective::generator();
        (0..count)
            .map(|_| {
                point += point.double() + G1Projective::generator();
                point.into_affine()
            })
            .collect()
    }

    fn naive(points: &[G1Affine], scalars: &[F]) -> G1Affine {
        let sum: G1Projective = points.iter().zip(scalars).map(|(p, s)| *p * s).sum();
        sum.into_affine()
    }

    #[test]
    fn equals_one_by_one() {
        let points = points(300);
        let mut seed = F::from(7u64);
        let scalars: Vec<F> = (0..300)
            .map(|i| {
                seed = seed.square() + F::from(i as u64);
                if i % 7 == 0 { F::zero() } else { seed }
            })
            .collect();
        assert_eq!(msm(&points, &scalars), naive(&points, &scalars));
        assert_eq!(
            msm(&points, &vec![-F::from(1u64); 300]),
            naive(&points, &vec![-F::from(1u64); 300])
        );
        for limit in [2i64, 300, 70_000, 1 << 33, 1 << 52] {
            let values: Vec<i64> =
                (0..300i64).map(|i| (i * 7_919_777_777 % (2 * limit)) - limit).collect();
            let scalars: Vec<F> = values.iter().map(|v| from_i64(*v)).collect();
            assert_eq!(msm_small(&points, &values), naive(&points, &scalars));
        }
    }

    #[test]
    fn equal_and_opposite_points() {
        let p = points(1)[0];
        let same = vec![p, p, -p, p, p, -p, -p, p];
        let ones = vec![1i64; 8];
        assert_eq!(msm_small(&same, &ones), (p * F::from(2u64)).into_affine());
        assert_eq!(msm_small(&[p, -p], &[5, 5]), G1Affine::identity());
    }
}
