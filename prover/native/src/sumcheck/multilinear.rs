//! Multilinear extensions over the Boolean cube.
//!
//! Points list the most significant bit first: `f~(x₀ … x_{n−1})` with `x₀` the top bit of the index.

use super::field::F;
use super::vector::{fold, spread};
use ark_ff::{Field, One, Zero};
use rayon::prelude::*;

/// Below this many elements threads cost more than they give.
pub const PARALLEL_FROM: usize = 1 << 11;

/// `eq(point, x)` for all `x`, scaled by `scale`.
pub fn eq_vector_scaled(point: &[F], scale: F) -> Vec<F> {
    let mut values = vec![F::zero(); 1 << point.len()];
    values[0] = scale;
    // From the last variable on: what there is so far has a 0 in front, its copy a 1.
    let mut length = 1;
    for p in point.iter().rev() {
        let (low, high) = values[..2 * length].split_at_mut(length);
        spread(low, high, *p);
        length *= 2;
    }
    values
}

/// `eq(point, x)` for all `x`.
pub fn eq_vector(point: &[F]) -> Vec<F> {
    eq_vector_scaled(point, F::one())
}

/// `eq(a, b) = Π (aᵢbᵢ + (1−aᵢ)(1−bᵢ))`; the shorter length counts.
pub fn eq_eval(a: &[F], b: &[F]) -> F {
    a.iter()
        .zip(b)
        .map(|(a, b)| {
            let ab = *a * b;
            F::one() - a - b + ab + ab
        })
        .product()
}

/// `eq(bits of index, point)`, the index written with `point.len()` bits.
pub fn eq_index(index: usize, point: &[F]) -> F {
    let n = point.len();
    point
        .iter()
        .enumerate()
        .map(|(i, p)| if (index >> (n - 1 - i)) & 1 == 1 { *p } else { F::one() - p })
        .product()
}

/// `Σ_{i < size} eq(i, point)`: the MLE of "index below size".
pub fn below(size: usize, point: &[F]) -> F {
    let n = point.len();
    if size >= 1 << n {
        return F::one();
    }
    // Walk the bits of `size` from the top: where it has a 1, all indices with a 0 there are below.
    let mut prefix = F::one();
    let mut sum = F::zero();
    for (i, p) in point.iter().enumerate() {
        let low = F::one() - p;
        if (size >> (n - 1 - i)) & 1 == 1 {
            sum += prefix * low;
            prefix *= p;
        } else {
            prefix *= low;
        }
    }
    sum
}

/// Binds the top variable: `v[i] ← v[i] + r·(v[i + half] − v[i])`.
pub fn bind_top(values: &mut Vec<F>, r: F) {
    let half = values.len() / 2;
    let (low, high) = values.split_at_mut(half);
    low.par_chunks_mut(PARALLEL_FROM)
        .zip(high.par_chunks(PARALLEL_FROM))
        .for_each(|(low, high)| fold(low, high, r));
    values.truncate(half);
    // Half of a large vector is memory that others need.
    values.shrink_to_fit();
}

/// `Σ aᵢ bᵢ`.
pub fn inner_product(a: &[F], b: &[F]) -> F {
    if a.len() >= PARALLEL_FROM {
        a.par_iter()
            .with_min_len(PARALLEL_FROM)
            .zip(b.par_iter())
            .map(|(a, b)| *a * b)
            .reduce(F::zero, |x, y| x + y)
    } else {
        a.iter().zip(b).map(|(a, b)| *a * b).sum()
    }
}

/// Inverts all values in place (zeros stay zero).
pub fn invert_all(values: &mut [F]) {
    ark_ff::batch_inversion(values);
}

/// 1, x, x², …
pub fn powers(x: F, count: usize) -> Vec<F> {
    std::iter::successors(Some(F::one()), |last| Some(*last * x)).take(count).collect()
}

/// `value^exponent`.
pub fn power(value: F, exponent: u64) -> F {
    value.pow([exponent])
}
