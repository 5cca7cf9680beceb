//! Sums of small integers times field elements without a Montgomery multiplication each.
//!
//! A field element is stored as the integer `x·2^256 mod p`. For integers v, `Σ v·x` is summed as a
//! 384-bit integer, positive and negative parts apart, and reduced once.

use super::field::F;
use ark_bn254::FrConfig;
use ark_ff::{AdditiveGroup, BigInteger, BigInteger256, MontConfig, PrimeField};

/// `Σ v·x`, not reduced. Holds up to 2^64 summands of |v| < 2^63.
#[derive(Clone, Copy, Default)]
pub struct SmallSum {
    positive: [u64; 6],
    negative: [u64; 6],
}

fn add_product(sum: &mut [u64; 6], value: u64, limbs: &[u64; 4]) {
    let mut carry = 0u64;
    for i in 0..4 {
        let t = u128::from(sum[i]) + u128::from(value) * u128::from(limbs[i]) + u128::from(carry);
        sum[i] = t as u64;
        carry = (t >> 64) as u64;
    }
    let (low, overflow) = sum[4].overflowing_add(carry);
    sum[4] = low;
    sum[5] += u64::from(overflow);
}

fn reduce(sum: &[u64; 6]) -> F {
    let mut low = BigInteger256::new([sum[0], sum[1], sum[2], sum[3]]);
    // 2^256 < 6p.
    while low >= F::MODULUS {
        low.sub_with_borrow(&F::MODULUS);
    }
    let high = BigInteger256::new([sum[4], sum[5], 0, 0]);
    // As stored: low + high·2^256, and 2^256 times a stored value is a product with R².
    F::new_unchecked(low) + F::new_unchecked(high) * F::new_unchecked(FrConfig::R2)
}

impl SmallSum {
    /// Adds `value·x`.
    #[inline]
    pub fn add(&mut self, value: i64, x: &F) {
        if value >= 0 {
            add_product(&mut self.positive, value as u64, &x.0.0);
        } else {
            add_product(&mut self.negative, value.unsigned_abs(), &x.0.0);
        }
    }

    /// The sum as a field element.
    pub fn finish(&self) -> F {
        let zero = F::ZERO;
        let part = |sum: &[u64; 6]| if *sum == [0; 6] { zero } else { reduce(sum) };
        part(&self.positive) - part(&self.negative)
    }
}

/// `Σ values·points`.
pub fn dot(values: &[i64], points: &[F]) -> F {
    let mut sum = SmallSum::default();
    for (value, x) in values.iter().zip(points) {
        if *value != 0 {
            sum.add(*value, x);
        }
    }
    sum.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sumcheck::field::from_i64;
    use ark_ff::Field;

    #[test]
    fn equals_field_arithmetic() {
        let mut x = -F::from(1u64);
        let mut values = Vec::new();
        let mut points = Vec::new();
        for i in 0..2000i64 {
            x = x.square() + F::from(7u64);
            values.push((i - 1000).wrapping_mul(0x7fff_ffff_ffff >> (i % 40)));
            points.push(if i % 3 == 0 { -F::from(1u64) } else { x });
        }
        let expected: F = values.iter().zip(&points).map(|(v, x)| from_i64(*v) * x).sum();
        assert_eq!(dot(&values, &points), expected);
    }
}
