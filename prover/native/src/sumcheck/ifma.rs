//! Batched affine additions on AVX-512 IFMA: eight at a time, radix 2^52.
//!
//! A coordinate x is stored by arkworks as `x·2^256 mod p`. Here it is `x·2^260` in five limbs of 52 bits,
//! which is the stored integer shifted left by four bits: below 16p, not reduced. `mul(a, b)` is
//! `a·b/2^260` modulo p and below `a·b/2^260 + p`. Bounds, with p < 2^253.6 and everything below 2^260:
//! loaded coordinates < 2^258, differences (a multiple of p added) < 2^259.93, products < 2^256.3.

#![allow(unsafe_code)]

use ark_bn254::Fq;
use ark_ff::{BigInteger256, Field, PrimeField};
use core::arch::x86_64::*;

/// x and y of an affine point, as stored.
pub type Coordinates = [u64; 8];

type Limbs = [__m512i; 5];

const MASK: u64 = (1 << 52) - 1;

/// Whether this processor has the instructions.
pub fn available() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
}

struct Constants {
    p: Limbs,
    /// −1/p mod 2^52.
    inverse: __m512i,
    /// 16p and 64p.
    multiples: [Limbs; 2],
    /// 2^256 mod p: multiplying by it gives back the stored form.
    back: Limbs,
}

fn split(words: [u64; 5]) -> [u64; 5] {
    // 64-bit words (the fifth small) to 52-bit limbs.
    let mut limbs = [0; 5];
    for (i, limb) in limbs.iter_mut().enumerate() {
        let bit = 52 * i;
        let (word, shift) = (bit / 64, bit % 64);
        let mut value = words[word] >> shift;
        if shift > 12 && word + 1 < 5 {
            value |= words[word + 1] << (64 - shift);
        }
        *limb = value & MASK;
    }
    limbs
}

fn shifted(words: &[u64; 4], bits: u32) -> [u64; 5] {
    let mut out = [0; 5];
    for i in 0..4 {
        out[i] |= words[i] << bits;
        out[i + 1] = words[i] >> (64 - bits);
    }
    out
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn broadcast(limbs: [u64; 5]) -> Limbs {
    limbs.map(|limb| _mm512_set1_epi64(limb as i64))
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn constants() -> Constants {
    let p = Fq::MODULUS.0;
    let [p0, p1, p2, p3] = p;
    // Newton's iteration for 1/p mod 2^64.
    let mut inverse = 1u64;
    for _ in 0..6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(p0.wrapping_mul(inverse)));
    }
    // The stored form of 1 is 2^256 mod p.
    let back = Fq::ONE.0.0;
    Constants {
        p: broadcast(split([p0, p1, p2, p3, 0])),
        inverse: _mm512_set1_epi64((inverse.wrapping_neg() & MASK) as i64),
        multiples: [4, 6].map(|bits| broadcast(split(shifted(&p, bits)))),
        back: broadcast(split([back[0], back[1], back[2], back[3], 0])),
    }
}

/// Makes every limb 52 bits again; the top keeps what is left.
#[target_feature(enable = "avx512f,avx512ifma")]
fn carry(mut a: Limbs) -> Limbs {
    let mask = _mm512_set1_epi64(MASK as i64);
    for i in 0..4 {
        a[i + 1] = _mm512_add_epi64(a[i + 1], _mm512_srai_epi64::<52>(a[i]));
        a[i] = _mm512_and_si512(a[i], mask);
    }
    a
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn mul(a: &Limbs, b: &Limbs, c: &Constants) -> Limbs {
    let zero = _mm512_setzero_si512();
    let mut t = [zero; 5];
    for x in a {
        for (sum, limb) in t.iter_mut().zip(b) {
            *sum = _mm512_madd52lo_epu64(*sum, *x, *limb);
        }
        let m = _mm512_madd52lo_epu64(zero, t[0], c.inverse);
        for (sum, limb) in t.iter_mut().zip(&c.p) {
            *sum = _mm512_madd52lo_epu64(*sum, m, *limb);
        }
        // The lowest limb is now a multiple of 2^52.
        let mut next =
            [_mm512_add_epi64(t[1], _mm512_srli_epi64::<52>(t[0])), t[2], t[3], t[4], zero];
        for (sum, (limb, p)) in next.iter_mut().zip(b.iter().zip(&c.p)) {
            *sum = _mm512_madd52hi_epu64(*sum, *x, *limb);
            *sum = _mm512_madd52hi_epu64(*sum, m, *p);
        }
        t = next;
    }
    carry(t)
}

/// a − b + multiple.
#[target_feature(enable = "avx512f,avx512ifma")]
fn sub(a: &Limbs, b: &Limbs, multiple: &Limbs) -> Limbs {
    let mut out = *a;
    for i in 0..5 {
        out[i] = _mm512_add_epi64(_mm512_sub_epi64(a[i], b[i]), multiple[i]);
    }
    carry(out)
}

/// Four stored words of eight points, shifted left by four bits into limbs.
#[target_feature(enable = "avx512f,avx512ifma")]
fn load(points: &[Coordinates], first: usize) -> Limbs {
    let mask = _mm512_set1_epi64(MASK as i64);
    let word = |i: usize| {
        let lanes: [i64; 8] = core::array::from_fn(|lane| points[lane][first + i] as i64);
        // SAFETY: the array has 64 bytes; the load is unaligned.
        unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
    };
    let [w0, w1, w2, w3] = [word(0), word(1), word(2), word(3)];
    let and = |v| _mm512_and_si512(v, mask);
    let or = |a, b| _mm512_or_si512(a, b);
    // Bit k of the value is bit k + 4 of the shifted one: limb i begins at bit 52i − 4.
    [
        and(_mm512_slli_epi64::<4>(w0)),
        and(or(_mm512_srli_epi64::<48>(w0), _mm512_slli_epi64::<16>(w1))),
        and(or(_mm512_srli_epi64::<36>(w1), _mm512_slli_epi64::<28>(w2))),
        and(or(_mm512_srli_epi64::<24>(w2), _mm512_slli_epi64::<40>(w3))),
        _mm512_srli_epi64::<12>(w3),
    ]
}

/// Back to canonical stored words, eight lanes.
#[target_feature(enable = "avx512f,avx512ifma")]
fn store(a: &Limbs, c: &Constants) -> [[u64; 4]; 8] {
    let reduced = mul(a, &c.back, c);
    let mut lanes = [[0u64; 8]; 5];
    for (limb, out) in reduced.iter().zip(&mut lanes) {
        // SAFETY: the array has 64 bytes; the store is unaligned.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), *limb) };
    }
    core::array::from_fn(|lane| {
        let l: [u64; 5] = core::array::from_fn(|i| lanes[i][lane]);
        let mut words = [
            l[0] | l[1] << 52,
            l[1] >> 12 | l[2] << 40,
            l[2] >> 24 | l[3] << 28,
            l[3] >> 36 | l[4] << 16,
        ];
        // Below 2p.
        if !less(&words, &Fq::MODULUS.0) {
            subtract(&mut words, &Fq::MODULUS.0);
        }
        words
    })
}

fn less(a: &[u64; 4], b: &[u64; 4]) -> bool {
    for i in (0..4).rev() {
        if a[i] != b[i] {
            return a[i] < b[i];
        }
    }
    false
}

fn subtract(a: &mut [u64; 4], b: &[u64; 4]) {
    let mut borrow = false;
    for i in 0..4 {
        let (d, first) = a[i].overflowing_sub(b[i]);
        let (d, second) = d.overflowing_sub(u64::from(borrow));
        a[i] = d;
        borrow = first || second;
    }
}

/// Writes `a[i] + b[i]` to `out[i]`. All x coordinates of a pair differ, no point is infinity, and the
/// length is a multiple of eight.
pub fn add_many(a: &[Coordinates], b: &[Coordinates], out: &mut [Coordinates]) {
    assert!(available() && a.len() == b.len() && a.len() == out.len() && a.len().is_multiple_of(8));
    // SAFETY: the processor has the features.
    unsafe { add_groups(a, b, out) }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn add_groups(a: &[Coordinates], b: &[Coordinates], out: &mut [Coordinates]) {
    let c = constants();
    let [p16, p64] = &c.multiples;
    let groups = a.len() / 8;
    let mut prefixes = Vec::with_capacity(groups);
    let mut differences = Vec::with_capacity(groups);
    // 2^260 mod p, the one of this domain, as 16 times the stored one: below 2^258.
    let one = Fq::ONE.0.0;
    let mut product = broadcast(split(shifted(&one, 4)));
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        let difference = sub(&load(b, 0), &load(a, 0), p16);
        prefixes.push(product);
        product = mul(&product, &difference, &c);
        differences.push(difference);
    }
    let mut lanes: [Fq; 8] =
        store(&product, &c).map(|words| Fq::new_unchecked(BigInteger256::new(words)));
    ark_ff::batch_inversion(&mut lanes);
    let inverted: [Coordinates; 8] = lanes.map(|lane| {
        let w = lane.0.0;
        [w[0], w[1], w[2], w[3], 0, 0, 0, 0]
    });
    let mut inverse = load(&inverted, 0);
    for group in (0..groups).rev() {
        let (a, b) = (&a[8 * group..], &b[8 * group..]);
        let own = mul(&inverse, &prefixes[group], &c);
        inverse = mul(&inverse, &differences[group], &c);
        let (x1, y1, x2, y2) = (load(a, 0), load(a, 4), load(b, 0), load(b, 4));
        let slope = mul(&sub(&y2, &y1, p16), &own, &c);
        let square = mul(&slope, &slope, &c);
        let x3 = sub(&sub(&square, &x1, p16), &x2, p16);
        let y3 = sub(&mul(&slope, &sub(&x1, &x3, p64), &c), &y1, p16);
        let (xs, ys) = (store(&x3, &c), store(&y3, &c));
        for (lane, out) in out[8 * group..8 * group + 8].iter_mut().enumerate() {
            out[..4].copy_from_slice(&xs[lane]);
            out[4..].copy_from_slice(&ys[lane]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{G1Affine, G1Projective};
    use ark_ec::{CurveGroup, PrimeGroup};
    use ark_ff::AdditiveGroup;

    fn coordinates(point: &G1Affine) -> Coordinates {
        let (x, y) = (point.x.0.0, point.y.0.0);
        [x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3]]
    }

    #[test]
    fn equals_portable_additions() {
        if !available() {
            return;
        }
        let mut point = G1Projective::generator();
        let mut points = Vec::new();
        for i in 0..4096u64 {
            point = point.double() + G1Projective::generator() * ark_bn254::Fr::from(i * i + 1);
            points.push(point);
        }
        let points = G1Projective::normalize_batch(&points);
        let (a, b) = points.split_at(2048);
        let encode = |points: &[G1Affine]| points.iter().map(coordinates).collect::<Vec<_>>();
        let mut out = vec![[0; 8]; 2048];
        add_many(&encode(a), &encode(b), &mut out);
        for i in 0..2048 {
            assert_eq!(out[i], coordinates(&(a[i] + b[i]).into_affine()), "pair {i}");
        }
    }

    /// Coordinates at the edges of the range; the additions need not be of curve points.
    #[test]
    fn equals_field_arithmetic_at_the_edges() {
        if !available() {
            return;
        }
        let minus_one = -Fq::ONE;
        let edge = [Fq::ZERO, Fq::ONE, minus_one, Fq::from(2u64), minus_one.double()];
        let raw_max = {
            // The stored integer p − 1.
            let mut words = Fq::MODULUS.0;
            words[0] -= 1;
            Fq::new_unchecked(BigInteger256::new(words))
        };
        let mut values = edge.to_vec();
        values.push(raw_max);
        let (mut a, mut b, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for x1 in &values {
            for x2 in values.iter().filter(|x2| *x2 != x1) {
                for y1 in &values {
                    for y2 in &values {
                        let slope = (*y2 - y1) / (*x2 - x1);
                        let x3 = slope.square() - x1 - x2;
                        let y3 = slope * (*x1 - x3) - y1;
                        let make = |x: Fq, y: Fq| coordinates(&G1Affine::new_unchecked(x, y));
                        a.push(make(*x1, *y1));
                        b.push(make(*x2, *y2));
                        expected.push(make(x3, y3));
                    }
                }
            }
        }
        while a.len() % 8 != 0 {
            a.push(a[0]);
            b.push(b[0]);
            expected.push(expected[0]);
        }
        let mut out = vec![[0; 8]; a.len()];
        add_many(&a, &b, &mut out);
        assert_eq!(out, expected);
    }
}
