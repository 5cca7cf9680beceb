//! Many multiples of one point.
//!
//! With windows of w bits, a scalar is Σ_k d_k·2^(wk) with digits −2^(w−1) < d_k ≤ 2^(w−1), and
//!
//! ```text
//! s·B = Σ_k d_k·(2^(wk)·B)
//! ```
//!
//! where all d·2^(wk)·B for 1 ≤ d ≤ 2^(w−1) are in a table. The additions of many scalars go side by
//! side in affine coordinates, (x₁,y₁) + (x₂,y₂) with slope λ = (y₂−y₁)/(x₂−x₁), and share one
//! inversion (Montgomery's trick), so that an addition costs about six multiplications.
//!
//! The time depends on the scalars: this is for setups on one's own machine.

use ark_bn254::Fr;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AdditiveGroup, CurveGroup};
use ark_ff::{Field, PrimeField, Zero, batch_inversion};
use rayon::prelude::*;

/// Scalars are below 2^254; one bit more for the carry of the signed digits.
const SCALAR_BITS: u32 = 255;

/// Scalars whose additions share one inversion.
const LANE: usize = 1024;

/// The table of one point.
pub struct FixedBase<P: SWCurveConfig<ScalarField = Fr>> {
    window: u32,
    /// Row k holds d·2^(wk)·B for d = 1 … 2^(w−1).
    table: Vec<Affine<P>>,
}

impl<P: SWCurveConfig<ScalarField = Fr>> FixedBase<P> {
    /// Makes a table that suits about `expected` multiplications.
    pub fn new(base: Affine<P>, expected: usize) -> Self {
        let window = expected.max(2).ilog2().saturating_sub(3).clamp(3, 14);
        let row = 1 << (window - 1);
        let mut bases = Vec::new();
        let mut power: Projective<P> = base.into();
        for _ in 0..Self::windows(window) {
            bases.push(power);
            for _ in 0..window {
                power.double_in_place();
            }
        }
        let bases = Projective::normalize_batch(&bases);
        let table = bases
            .par_iter()
            .flat_map(|base| {
                let mut multiple = Projective::<P>::ZERO;
                let multiples: Vec<_> = (0..row)
                    .map(|_| {
                        multiple += base;
                        multiple
                    })
                    .collect();
                Projective::normalize_batch(&multiples)
            })
            .collect();
        Self { window, table }
    }

    const fn windows(window: u32) -> u32 {
        SCALAR_BITS.div_ceil(window)
    }

    /// s·B for every scalar s.
    pub fn multiply(&self, scalars: &[Fr]) -> Vec<Affine<P>> {
        scalars.par_chunks(LANE).flat_map_iter(|lane| self.multiply_lane(lane)).collect()
    }

    fn multiply_lane(&self, scalars: &[Fr]) -> Vec<Affine<P>> {
        let windows = Self::windows(self.window);
        let row = 1usize << (self.window - 1);
        let integers: Vec<_> = scalars.iter().map(|scalar| scalar.into_bigint().0).collect();
        let mut carries = vec![0u64; scalars.len()];
        let mut sums = vec![Affine::<P>::identity(); scalars.len()];
        let mut terms = vec![Affine::<P>::identity(); scalars.len()];
        let mut slopes = Vec::with_capacity(scalars.len());
        for k in 0..windows {
            let table = &self.table[k as usize * row..][..row];
            for ((term, integer), carry) in terms.iter_mut().zip(&integers).zip(&mut carries) {
                let digit = bits(integer, k * self.window, self.window) + *carry;
                let magnitude = if digit > row as u64 { (1 << self.window) - digit } else { digit };
                *carry = u64::from(digit > row as u64);
                *term = match magnitude {
                    0 => Affine::identity(),
                    _ => table[magnitude as usize - 1],
                };
                if *carry == 1 && !term.infinity {
                    term.y = -term.y;
                }
            }
            add_all(&mut sums, &terms, &mut slopes);
        }
        debug_assert!(carries.iter().all(|carry| *carry == 0));
        sums
    }
}

/// `width` bits from bit `start` of a 256-bit integer.
fn bits(limbs: &[u64; 4], start: u32, width: u32) -> u64 {
    let (limb, shift) = ((start / 64) as usize, start % 64);
    let low = limbs.get(limb).map_or(0, |value| value >> shift);
    let high = match shift {
        0 => 0,
        _ => limbs.get(limb + 1).map_or(0, |value| value << (64 - shift)),
    };
    (low | high) & ((1 << width) - 1)
}

/// `sums[i] += terms[i]` for all i. `slopes` is scratch space.
fn add_all<P: SWCurveConfig>(
    sums: &mut [Affine<P>],
    terms: &[Affine<P>],
    slopes: &mut Vec<P::BaseField>,
) {
    slopes.clear();
    for (sum, term) in sums.iter().zip(terms) {
        slopes.push(if sum.infinity || term.infinity {
            P::BaseField::ZERO
        } else if sum.x != term.x {
            term.x - sum.x
        } else {
            // Doubling has the denominator 2y; opposite points have none and add up to infinity.
            if sum.y == term.y { sum.y.double() } else { P::BaseField::ZERO }
        });
    }
    // Zeros stay zeros.
    batch_inversion(slopes);
    for ((sum, term), inverse) in sums.iter_mut().zip(terms).zip(slopes.iter()) {
        if term.infinity {
            continue;
        }
        if sum.infinity {
            *sum = *term;
            continue;
        }
        if inverse.is_zero() {
            *sum = Affine::identity();
            continue;
        }
        let numerator = if sum.x == term.x {
            let square = sum.x.square();
            square.double() + square
        } else {
            term.y - sum.y
        };
        let slope = numerator * inverse;
        let x = slope.square() - sum.x - term.x;
        sum.y = slope * (sum.x - x) - sum.y;
        sum.x = x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::random_scalar;
    use ark_bn254::{g1, g2};
    use ark_ff::One;

    fn agrees<P: SWCurveConfig<ScalarField = Fr>>(expected: usize) {
        let mut scalars: Vec<Fr> = (0..40).map(|_| random_scalar().unwrap()).collect();
        scalars.extend([Fr::zero(), Fr::one(), -Fr::one(), Fr::from(2u64), -Fr::from(2u64)]);
        // Every digit at the edges of its range, where carries and doublings happen.
        for bit in 0..254 {
            let power = Fr::from(2u64).pow([bit]);
            scalars.extend([power, power - Fr::one(), -power]);
        }
        let base = P::GENERATOR;
        let multiples = FixedBase::<P>::new(base, expected).multiply(&scalars);
        for (scalar, multiple) in scalars.iter().zip(multiples) {
            assert_eq!(Projective::from(multiple), base * scalar);
        }
    }

    #[test]
    fn multiples_agree_with_double_and_add() {
        for expected in [0, 300, 3000, 40_000] {
            agrees::<g1::Config>(expected);
        }
        agrees::<g2::Config>(3000);
    }

    #[test]
    fn the_lanes_cover_all_scalars() {
        let scalars: Vec<Fr> = (0..2500u64).map(Fr::from).collect();
        let multiples = FixedBase::<g1::Config>::new(g1::Config::GENERATOR, 100).multiply(&scalars);
        let mut expected = Projective::<g1::Config>::ZERO;
        for multiple in multiples {
            assert_eq!(Projective::from(multiple), expected);
            expected += g1::Config::GENERATOR;
        }
    }
}
