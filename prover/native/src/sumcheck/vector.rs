//! Loops over many scalars, eight at a time where the processor has AVX-512 IFMA.

use super::field::F;
#[cfg(target_arch = "x86_64")]
use super::ifma;
use ark_ff::Zero;

/// `low ← low + r·(high − low)`; the lengths are equal.
pub fn fold(low: &mut [F], high: &[F], r: F) {
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if ifma::available() {
        let (groups, _) = low.as_chunks_mut();
        done = 8 * groups.len();
        // SAFETY: the processor has the features.
        #[allow(unsafe_code)]
        unsafe {
            ifma::fold(groups, high.as_chunks().0, r)
        }
    }
    for (l, h) in low[done..].iter_mut().zip(&high[done..]) {
        if l != h {
            *l += r * (*h - *l);
        }
    }
}

/// `high ← r·low`, `low ← low − high`; the lengths are equal.
pub fn spread(low: &mut [F], high: &mut [F], r: F) {
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if ifma::available() {
        let (groups, _) = low.as_chunks_mut();
        done = 8 * groups.len();
        // SAFETY: the processor has the features.
        #[allow(unsafe_code)]
        unsafe {
            ifma::spread(groups, high.as_chunks_mut().0, r)
        }
    }
    for (l, h) in low[done..].iter_mut().zip(&mut high[done..]) {
        *h = r * *l;
        *l -= *h;
    }
}

/// `Σ a₀·b₀` and `Σ (a₁ − a₀)·(b₁ − b₀)`; all lengths are equal.
pub fn sum_pairs(a: [&[F]; 2], b: [&[F]; 2]) -> (F, F) {
    let mut total = (F::zero(), F::zero());
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if ifma::available() {
        let (a, b) = (a.map(|v| v.as_chunks().0), b.map(|v| v.as_chunks().0));
        done = 8 * a[0].len();
        // SAFETY: the processor has the features.
        #[allow(unsafe_code)]
        unsafe {
            total = ifma::sum_pairs(a, b);
        }
    }
    for i in done..a[0].len() {
        // Columns are partly empty: zeros cost a comparison.
        if !a[0][i].is_zero() || !a[1][i].is_zero() {
            total.0 += a[0][i] * b[0][i];
            total.1 += (a[1][i] - a[0][i]) * (b[1][i] - b[0][i]);
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{BigInteger256, Field, PrimeField};

    /// Values at the edges, stored and real, and others.
    fn scalars(count: usize, seed: u64) -> Vec<F> {
        let most = {
            let mut words = F::MODULUS.0;
            words[0] -= 1;
            F::new_unchecked(BigInteger256::new(words))
        };
        let edges = [F::zero(), F::from(1u64), -F::from(1u64), most, -most, F::zero()];
        let mut x = F::from(seed);
        (0..count)
            .map(|i| {
                x = x.square() + F::from(i as u64);
                if (i as u64 + seed).is_multiple_of(3) {
                    edges[(i * 7 + seed as usize) % 6]
                } else {
                    x
                }
            })
            .collect()
    }

    #[test]
    fn equals_one_by_one() {
        for count in [0, 1, 7, 8, 9, 100, 5000] {
            let all: Vec<Vec<F>> = (1..5).map(|seed| scalars(count, seed)).collect();
            let [a0, a1, b0, b1] = [&all[0], &all[1], &all[2], &all[3]];
            for r in scalars(7, 11) {
                let mut low = a0.clone();
                fold(&mut low, a1, r);
                let expected: Vec<F> = a0.iter().zip(a1).map(|(l, h)| *l + r * (*h - l)).collect();
                assert_eq!(low, expected);
                let (mut low, mut high) = (a0.clone(), vec![F::zero(); count]);
                spread(&mut low, &mut high, r);
                let product: Vec<F> = a0.iter().map(|l| r * l).collect();
                let rest: Vec<F> = a0.iter().map(|l| *l - r * l).collect();
                assert_eq!((low, high), (rest, product));
            }
            let sums = (0..count).fold((F::zero(), F::zero()), |sum, i| {
                (sum.0 + a0[i] * b0[i], sum.1 + (a1[i] - a0[i]) * (b1[i] - b0[i]))
            });
            assert_eq!(sum_pairs([a0, a1], [b0, b1]), sums);
        }
        let most = vec![-F::from(1u64); 8 * 1000];
        let zero = vec![F::zero(); 8 * 1000];
        let count = F::from(8000u64);
        assert_eq!(sum_pairs([&most, &zero], [&most, &zero]), (count, count));
    }
}
