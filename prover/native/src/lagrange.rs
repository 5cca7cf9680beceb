//! Lagrange polynomials over powers of a root of unity.
//!
//! For n a power of two and ω the n-th root of unity that snarkjs uses (5^((r−1)/n), arkworks' too):
//!
//! ```text
//! L_i(X) = (X^n − 1)/n · ω^i/(X − ω^i),   L_i(ω^j) = [i = j],   i = 0 … n−1
//! ```

use ark_bn254::Fr;
use ark_ff::{FftField, Field, One, batch_inversion};

/// 2^28 divides r−1 and 2^29 does not.
pub const TWO_ADICITY: u32 = 28;

/// The 2^log_size-th root of unity; `log_size` at most [`TWO_ADICITY`].
pub fn root_of_unity(log_size: u32) -> Fr {
    Fr::get_root_of_unity(1 << log_size).expect("2^28 divides r − 1")
}

/// L_i(τ) for i = start, start + step, …, `count` of them, over 2^log_size points. τ must not be one
/// of the points.
pub fn lagrange_at(tau: Fr, log_size: u32, start: u64, step: u64, count: usize) -> Vec<Fr> {
    let size = Fr::from(1u64 << log_size);
    let omega = root_of_unity(log_size);
    let stride = omega.pow([step]);
    let mut power = omega.pow([start]);
    let mut powers = Vec::with_capacity(count);
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        powers.push(power);
        values.push((tau - power) * size);
        power *= stride;
    }
    batch_inversion(&mut values);
    let vanishing = tau.pow([1u64 << log_size]) - Fr::one();
    for (value, power) in values.iter_mut().zip(powers) {
        *value *= power * vanishing;
    }
    values
}

/// The coefficients start … end−1 of Σ_i σ^i·L_i(X), a polynomial of degree below n = 2^log_size:
///
/// ```text
/// coefficient j = 1/n · Σ_i (σ·ω^−j)^i = (σ^n − 1)/n · 1/(σ·ω^−j − 1)
/// ```
///
/// σ must not be an n-th root of unity.
pub fn power_combination_coefficients(sigma: Fr, log_size: u32, start: u64, end: u64) -> Vec<Fr> {
    let size = Fr::from(1u64 << log_size);
    let inverse_omega = root_of_unity(log_size).inverse().expect("roots of unity are not zero");
    let mut term = sigma * inverse_omega.pow([start]);
    let mut values = Vec::with_capacity((end - start) as usize);
    for _ in start..end {
        values.push((term - Fr::one()) * size);
        term *= inverse_omega;
    }
    batch_inversion(&mut values);
    let numerator = sigma.pow([1u64 << log_size]) - Fr::one();
    for value in &mut values {
        *value *= numerator;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::Zero;

    fn evaluate(coefficients: &[Fr], x: Fr) -> Fr {
        coefficients.iter().rev().fold(Fr::zero(), |sum, c| sum * x + c)
    }

    #[test]
    fn lagrange_values_interpolate() {
        let tau = Fr::from(123_456_789u64);
        let values = lagrange_at(tau, 4, 0, 1, 16);
        let omega = root_of_unity(4);
        let polynomial: Vec<Fr> = (1..=16u64).map(Fr::from).collect();
        let interpolated: Fr = values
            .iter()
            .enumerate()
            .map(|(i, l)| *l * evaluate(&polynomial, omega.pow([i as u64])))
            .sum();
        assert_eq!(interpolated, evaluate(&polynomial, tau));
        assert_eq!(
            lagrange_at(tau, 4, 1, 2, 8),
            values.iter().skip(1).step_by(2).copied().collect::<Vec<_>>()
        );
    }

    #[test]
    fn combination_coefficients_agree_with_lagrange_values() {
        let (tau, sigma) = (Fr::from(77u64), Fr::from(1234u64));
        let coefficients = power_combination_coefficients(sigma, 5, 0, 32);
        let direct: Fr =
            lagrange_at(tau, 5, 0, 1, 32).iter().rev().fold(Fr::zero(), |sum, l| sum * sigma + l);
        assert_eq!(evaluate(&coefficients, tau), direct);
        assert_eq!(power_combination_coefficients(sigma, 5, 7, 20), coefficients[7..20]);
    }
}
