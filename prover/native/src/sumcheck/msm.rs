//! Multi-scalar multiplication by buckets.
//!
//! Σ sᵢ·Pᵢ: each scalar is written in signed digits of c bits, `s = Σ_w d_w·2^{cw}`, |d_w| ≤ 2^{c−1};
//! for each w the points of equal |d_w| are added first (their bucket), then `Σ_k k·bucket_k`. Small
//! integers have few digits, and a column whose values repeat is one bucket a value (`bucket_sums` on its
//! own).

use super::buckets::{Entry, Point, bucket_sums, spread_sums};
use super::field::F;
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{AdditiveGroup, PrimeField, Zero};
use rayon::prelude::*;

/// `Σ_k (k+1)·buckets[k]`, the number of buckets being a power of two. With k = i·2^h + j it is
/// `2^h·Σ_i i·(Σ_j bucket) + Σ_j (j+1)·(Σ_i bucket)`: two sums of every bucket, which share inversions,
/// and few that do not.
fn weighted_sum(buckets: &[Point]) -> G1Projective {
    let half = buckets.len().trailing_zeros() / 2;
    let width = 1usize << half;
    let sums = |bucket: &dyn Fn(usize) -> usize, count: usize| {
        let entries: Vec<Entry> = (0..buckets.len())
            .map(|k| Entry { bucket: bucket(k) as u32, point: k as u32, negative: false })
            .filter(|entry| !buckets[entry.point as usize].is_infinity())
            .collect();
        bucket_sums(buckets, &entries, count)
    };
    let rows = sums(&|k| k / width, buckets.len() / width);
    let columns = sums(&|k| k % width, width);
    let mut total = running_sum(&rows[1..]);
    for _ in 0..half {
        total.double_in_place();
    }
    total + running_sum(&columns)
}

/// `Σ_k (k+1)·points[k]`.
fn running_sum(points: &[Point]) -> G1Projective {
    let mut running = G1Projective::zero();
    let mut total = G1Projective::zero();
    for point in points.iter().rev() {
        running += point.affine();
        total += running;
    }
    total
}

/// Digit width that minimises additions: `⌈bits/c⌉·(n + 2·2^{c−1})`, and what is not shared.
fn window_bits(count: usize, bits: usize) -> usize {
    (2..=16)
        .min_by_key(|&c| (bits + 1).div_ceil(c) * (count + (3 << (c - 1)) + (16 << (c / 2))))
        .unwrap_or(8)
}

/// Combines digit windows: `buckets(w)` are the sums of window w, bucket = |digit| − 1.
fn pippenger(
    windows: usize,
    width: usize,
    buckets: impl Fn(usize) -> Vec<Point> + Sync,
) -> G1Affine {
    let sums: Vec<G1Projective> =
        (0..windows).into_par_iter().map(|w| weighted_sum(&buckets(w))).collect();
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
pub fn msm_small(points: &[Point], values: &[i64]) -> G1Affine {
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
    pippenger(windows, width, |w| {
        let entries: Vec<Entry> = nonzero
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
            .collect();
        bucket_sums(points, &entries, 1 << (width - 1))
    })
}

/// `Σ scalarsᵢ·pointsᵢ`, full width.
pub fn msm(points: &[Point], scalars: &[F]) -> G1Affine {
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
    pippenger(windows, width, |w| {
        let entries = digits[w * used.len()..(w + 1) * used.len()]
            .iter()
            .zip(&used)
            .filter(|(digit, _)| **digit != 0)
            .map(|(digit, &point)| Entry {
                bucket: u32::from(digit.unsigned_abs()) - 1,
                point,
                negative: *digit < 0,
            });
        spread_sums(points, entries, 1 << (width - 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sumcheck::field::from_i64;
    use ark_ec::PrimeGroup;
    use ark_ff::Field;

    fn points(count: usize) -> Vec<G1Affine> {
        let mut point = G1Projective::generator();
        (0..count)
            .map(|_| {
                point += point.double() + G1Projective::generator();
                point.into_affine()
            })
            .collect()
    }

    fn packed(points: &[G1Affine]) -> Vec<Point> {
        points.iter().map(Point::new).collect()
    }

    fn naive(points: &[G1Affine], scalars: &[F]) -> G1Affine {
        let sum: G1Projective = points.iter().zip(scalars).map(|(p, s)| *p * s).sum();
        sum.into_affine()
    }

    #[test]
    fn equals_one_by_one() {
        for count in [1usize, 7, 300, 3000] {
            let points = points(count);
            let own = packed(&points);
            let mut seed = F::from(7u64);
            let scalars: Vec<F> = (0..count)
                .map(|i| {
                    seed = seed.square() + F::from(i as u64);
                    if i % 7 == 3 { F::zero() } else { seed }
                })
                .collect();
            assert_eq!(msm(&own, &scalars), naive(&points, &scalars));
            let same = vec![-F::from(1u64); count];
            assert_eq!(msm(&own, &same), naive(&points, &same));
            for limit in [2i64, 300, 70_000, 1 << 33, 1 << 52] {
                let values: Vec<i64> =
                    (0..count as i64).map(|i| (i * 7_919_777_777 % (2 * limit)) - limit).collect();
                let scalars: Vec<F> = values.iter().map(|v| from_i64(*v)).collect();
                assert_eq!(msm_small(&own, &values), naive(&points, &scalars));
            }
        }
    }

    #[test]
    fn equal_and_opposite_points() {
        let p = points(1)[0];
        let same = packed(&[p, p, -p, p, p, -p, -p, p]);
        let ones = vec![1i64; 8];
        assert_eq!(msm_small(&same, &ones), (p * F::from(2u64)).into_affine());
        assert_eq!(msm(&same, &[F::from(1u64); 8]), (p * F::from(2u64)).into_affine());
        assert_eq!(msm_small(&packed(&[p, -p]), &[5, 5]), G1Affine::identity());
        let infinite = packed(&[G1Affine::identity(), p, G1Affine::identity()]);
        assert_eq!(msm_small(&infinite, &[5, 2, 1]), (p * F::from(2u64)).into_affine());
        // Many points, all of them one.
        let many = vec![Point::new(&p); 20_000];
        let sum = (p * F::from(20_000u64)).into_affine();
        assert_eq!(msm_small(&many, &vec![1; 20_000]), sum);
        assert_eq!(msm(&many, &vec![F::from(1u64); 20_000]), sum);
    }
}
