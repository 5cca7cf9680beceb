//! Arithmetic of the two fields of BN254 on AVX-512 IFMA: eight elements at a time, five limbs of 52
//! bits each.
//!
//! `mul(a, b)` is `a·b/2^260` modulo p and below `a·b/2^260 + p`: Montgomery multiplication of the domain
//! x·2^260. Values need not be reduced: p < 2^253.6, so for a·b < 4p·4p it is below 1.2p.

#![allow(unsafe_code)]

use super::buckets::{Pair, Point, canonical};
use super::field::F;
use ark_bn254::{Fq, FqConfig, FrConfig};
use ark_ff::{Field, MontConfig, Zero};
use core::arch::x86_64::*;

/// Eight elements: limb i of all of them.
type Limbs = [__m512i; 5];

const MASK: u64 = (1 << 52) - 1;

/// Whether this processor has the instructions.
pub fn available() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
}

/// A field's constants.
struct Modulus {
    p: Limbs,
    /// −1/p mod 2^52.
    inverse: __m512i,
    twice: Limbs,
    four: Limbs,
    /// Entry t: the largest multiple of p that is at most t·2^253, limb by limb.
    multiples: Limbs,
}

/// 64-bit words to 52-bit limbs.
fn split(words: [u64; 4]) -> [u64; 5] {
    let [a, b, c, d] = words;
    [
        a & MASK,
        (a >> 52 | b << 12) & MASK,
        (b >> 40 | c << 24) & MASK,
        (c >> 28 | d << 36) & MASK,
        d >> 16,
    ]
}

fn times(limbs: [u64; 5], factor: u64) -> [u64; 5] {
    let mut out = limbs.map(|limb| limb * factor);
    for i in 0..4 {
        out[i + 1] += out[i] >> 52;
        out[i] &= MASK;
    }
    out
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn broadcast(limbs: [u64; 5]) -> Limbs {
    limbs.map(|limb| _mm512_set1_epi64(limb as i64))
}

impl Modulus {
    /// The constants of a field in arkworks' description.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn of<C: MontConfig<4>>() -> Self {
        let p = split(C::MODULUS.0);
        let mut table = [[0i64; 8]; 5];
        for t in 0..8 {
            // k·p is no multiple of 2^253, so k·p ≤ t·2^253 is ⌊k·p/2^253⌋ < t.
            let k = (1..8).take_while(|&k| times(p, k)[4] >> 45 < t as u64).last().unwrap_or(0);
            for (limb, row) in times(p, k).into_iter().zip(&mut table) {
                row[t] = limb as i64;
            }
        }
        Self {
            p: broadcast(p),
            inverse: _mm512_set1_epi64((C::INV & MASK) as i64),
            twice: broadcast(times(p, 2)),
            four: broadcast(times(p, 4)),
            // SAFETY: a row has 64 bytes; the load is unaligned.
            multiples: table.map(|row| unsafe { _mm512_loadu_si512(row.as_ptr().cast()) }),
        }
    }
}

/// Makes every limb 52 bits again; the top keeps what is left.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn carry(mut a: Limbs) -> Limbs {
    let mask = _mm512_set1_epi64(MASK as i64);
    for i in 0..4 {
        a[i + 1] = _mm512_add_epi64(a[i + 1], _mm512_srai_epi64::<52>(a[i]));
        a[i] = _mm512_and_si512(a[i], mask);
    }
    a
}

/// a·b/2^260, below a·b/2^260 + p.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn mul(a: &Limbs, b: &Limbs, c: &Modulus) -> Limbs {
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
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn sub(a: &Limbs, b: &Limbs, multiple: &Limbs) -> Limbs {
    let mut out = *a;
    for i in 0..5 {
        out[i] = _mm512_add_epi64(_mm512_sub_epi64(a[i], b[i]), multiple[i]);
    }
    carry(out)
}

/// The same modulo p, below p + 2^253 < 1.67p, for values below 2^256.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn reduce(a: &Limbs, c: &Modulus) -> Limbs {
    let index = _mm512_srli_epi64::<45>(a[4]);
    let mut out = *a;
    for (limb, table) in out.iter_mut().zip(&c.multiples) {
        *limb = _mm512_sub_epi64(*limb, _mm512_permutexvar_epi64(index, *table));
    }
    carry(out)
}

/// Four words of eight elements to limbs.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn from_words(w: [__m512i; 4]) -> Limbs {
    let mask = _mm512_set1_epi64(MASK as i64);
    let and = |v| _mm512_and_si512(v, mask);
    let or = |a, b| _mm512_or_si512(a, b);
    [
        and(w[0]),
        and(or(_mm512_srli_epi64::<52>(w[0]), _mm512_slli_epi64::<12>(w[1]))),
        and(or(_mm512_srli_epi64::<40>(w[1]), _mm512_slli_epi64::<24>(w[2]))),
        and(or(_mm512_srli_epi64::<28>(w[2]), _mm512_slli_epi64::<36>(w[3]))),
        _mm512_srli_epi64::<16>(w[3]),
    ]
}

/// Limbs of eight elements below 2^256 to words.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn to_words(l: &Limbs) -> [__m512i; 4] {
    let or = |a, b| _mm512_or_si512(a, b);
    [
        or(l[0], _mm512_slli_epi64::<52>(l[1])),
        or(_mm512_srli_epi64::<12>(l[1]), _mm512_slli_epi64::<40>(l[2])),
        or(_mm512_srli_epi64::<24>(l[2]), _mm512_slli_epi64::<28>(l[3])),
        or(_mm512_srli_epi64::<36>(l[3]), _mm512_slli_epi64::<16>(l[4])),
    ]
}

/// Rows and columns of eight words exchanged.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn transpose(r: [__m512i; 8]) -> [__m512i; 8] {
    let low = |i: usize| _mm512_unpacklo_epi64(r[i], r[i + 1]);
    let high = |i: usize| _mm512_unpackhi_epi64(r[i], r[i + 1]);
    // Lanes (2k, 2k + 1) of rows in pairs, even and odd words apart.
    let quarter = |t: [__m512i; 4]| {
        let (a, b) =
            (_mm512_shuffle_i64x2::<0x88>(t[0], t[1]), _mm512_shuffle_i64x2::<0xdd>(t[0], t[1]));
        let (c, d) =
            (_mm512_shuffle_i64x2::<0x88>(t[2], t[3]), _mm512_shuffle_i64x2::<0xdd>(t[2], t[3]));
        [
            _mm512_shuffle_i64x2::<0x88>(a, c),
            _mm512_shuffle_i64x2::<0x88>(b, d),
            _mm512_shuffle_i64x2::<0xdd>(a, c),
            _mm512_shuffle_i64x2::<0xdd>(b, d),
        ]
    };
    let [c0, c2, c4, c6] = quarter([low(0), low(2), low(4), low(6)]);
    let [c1, c3, c5, c7] = quarter([high(0), high(2), high(4), high(6)]);
    [c0, c1, c2, c3, c4, c5, c6, c7]
}

/// The points of eight pointers, word by word.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn load(points: &[*const Point; 8]) -> [__m512i; 8] {
    // No closures: what calls them is compiled without the features.
    let mut rows = [_mm512_setzero_si512(); 8];
    for (row, point) in rows.iter_mut().zip(points) {
        // SAFETY: a point has 64 bytes; callers pass pointers to points.
        *row = unsafe { _mm512_loadu_si512(point.cast()) };
    }
    transpose(rows)
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn load_x(points: &[*const Point; 8]) -> Limbs {
    let [x0, x1, x2, x3, ..] = load(points);
    from_words([x0, x1, x2, x3])
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn load_y(points: &[*const Point; 8]) -> Limbs {
    let [.., y0, y1, y2, y3] = load(points);
    from_words([y0, y1, y2, y3])
}

/// One step of a batch, eight pairs.
pub struct Step {
    /// x₂ − x₁.
    difference: Limbs,
    /// The product of the differences of the steps before.
    before: Limbs,
    targets: [*const Point; 8],
    sources: [*const Point; 8],
    /// Which sources are subtracted.
    negative: u8,
}

/// `targets[pair.target] += ±sources[pair.source]` for all pairs, or nothing and `false` if some pair has
/// equal or opposite points.
///
/// # Safety
/// The processor has the features, the indices are in range, all targets differ, no source is the target
/// of another pair, and no point is infinity. The two arrays may be the same.
#[target_feature(enable = "avx512f,avx512ifma")]
pub unsafe fn add_pairs(targets: *mut Point, sources: *const Point, pairs: &[Pair]) -> bool {
    let c = Modulus::of::<FqConfig>();
    let mut steps = Vec::with_capacity(pairs.len().div_ceil(8));
    // Two products, so that the latency of one hides behind the other.
    let mut products = [broadcast(split(Fq::from(16u64).0.0)); 2];
    for (group, chunk) in pairs.chunks(8).enumerate() {
        // The last group repeats its first pair; what that gives is not stored.
        let mut own = [chunk[0]; 8];
        own[..chunk.len()].copy_from_slice(chunk);
        let (mut to, mut from, mut negative) = ([std::ptr::null(); 8], [sources; 8], 0u8);
        for lane in 0..8 {
            // SAFETY: the caller's promise.
            to[lane] = unsafe { targets.add(own[lane].target as usize) }.cast_const();
            from[lane] = unsafe { sources.add(own[lane].index()) };
            negative |= u8::from(own[lane].is_negative()) << lane;
        }
        let difference = sub(&load_x(&from), &load_x(&to), &c.twice);
        let before = products[group % 2];
        products[group % 2] = mul(&before, &difference, &c);
        steps.push(Step { difference, before, targets: to, sources: from, negative });
    }
    let Some(mut inverses) = invert(&products) else { return false };
    for (group, step) in steps.iter().enumerate().rev() {
        let inverse = inverses[group % 2];
        let own = mul(&inverse, &step.before, &c);
        inverses[group % 2] = mul(&inverse, &step.difference, &c);
        let (x1, y1) = (load_x(&step.targets), load_y(&step.targets));
        let (x2, mut y2) = (load_x(&step.sources), load_y(&step.sources));
        for (y, twice) in y2.iter_mut().zip(&c.twice) {
            *y = _mm512_mask_sub_epi64(*y, step.negative, *twice, *y);
        }
        let slope = mul(&sub(&y2, &y1, &c.twice), &own, &c);
        let mut x3 = mul(&slope, &slope, &c);
        for (x3, x2) in x3.iter_mut().zip(&x2) {
            *x3 = _mm512_sub_epi64(*x3, *x2);
        }
        let x3 = reduce(&sub(&x3, &x1, &c.four), &c);
        let y3 = mul(&slope, &sub(&x1, &x3, &c.twice), &c);
        let y3 = reduce(&sub(&y3, &y1, &c.twice), &c);
        let ([x0, x1, x2, x3], [y0, y1, y2, y3]) = (to_words(&x3), to_words(&y3));
        let rows = transpose([x0, x1, x2, x3, y0, y1, y2, y3]);
        let count = (pairs.len() - 8 * group).min(8);
        for (row, target) in rows.iter().zip(&step.targets[..count]) {
            // SAFETY: a point has 64 bytes, and the pointer comes from the mutable one.
            unsafe { _mm512_storeu_si512(target.cast_mut().cast(), *row) };
        }
    }
    true
}

/// Inverses of sixteen elements of x·2^260, `None` if one is zero.
#[target_feature(enable = "avx512f,avx512ifma")]
fn invert(products: &[Limbs; 2]) -> Option<[Limbs; 2]> {
    let mut lanes = [Fq::zero(); 16];
    for (half, product) in products.iter().enumerate() {
        let mut words = [[0u64; 8]; 4];
        for (word, out) in to_words(product).into_iter().zip(&mut words) {
            // SAFETY: the array has 64 bytes; the store is unaligned.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), word) };
        }
        for lane in 0..8 {
            lanes[8 * half + lane] = canonical(words.map(|word| word[lane]));
        }
    }
    if lanes.iter().any(Fq::is_zero) {
        return None;
    }
    // arkworks takes x·2^260 for 16x and gives 1/(16x); 256 times that is stored as (1/x)·2^260.
    ark_ff::fields::batch_inversion_and_mul(&mut lanes, &Fq::from(256u64));
    let mut inverses = [[_mm512_setzero_si512(); 5]; 2];
    for (half, inverse) in inverses.iter_mut().enumerate() {
        let limbs: [[u64; 5]; 8] = core::array::from_fn(|lane| split(lanes[8 * half + lane].0.0));
        for (i, limb) in inverse.iter_mut().enumerate() {
            let column = limbs.map(|own| own[i]);
            // SAFETY: the array has 64 bytes; the load is unaligned.
            *limb = unsafe { _mm512_loadu_si512(column.as_ptr().cast()) };
        }
    }
    Some(inverses)
}

/// a − p where a is not below p, for a below 2p.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn subtract_once(a: &Limbs, c: &Modulus) -> Limbs {
    let mut less = *a;
    for (limb, p) in less.iter_mut().zip(&c.p) {
        *limb = _mm512_sub_epi64(*limb, *p);
    }
    let less = carry(less);
    let is_below = _mm512_cmplt_epi64_mask(less[4], _mm512_setzero_si512());
    let mut out = less;
    for (limb, before) in out.iter_mut().zip(a) {
        *limb = _mm512_mask_mov_epi64(*limb, is_below, *before);
    }
    out
}

/// Scalars are 32 bytes, as arkworks stores them.
const _: () = assert!(size_of::<F>() == 32 && std::mem::offset_of!(F, 0) == 0);

/// Eight scalars from the first on, in the order that [`store_scalars`] takes them.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn load_scalars(scalars: &[F; 8]) -> Limbs {
    let from: *const u8 = scalars.as_ptr().cast();
    let mut r = [_mm512_setzero_si512(); 4];
    for (i, row) in r.iter_mut().enumerate() {
        // SAFETY: eight scalars have 256 bytes.
        *row = unsafe { _mm512_loadu_si512(from.add(64 * i).cast()) };
    }
    let (a, b) = (_mm512_unpacklo_epi64(r[0], r[1]), _mm512_unpackhi_epi64(r[0], r[1]));
    let (c, d) = (_mm512_unpacklo_epi64(r[2], r[3]), _mm512_unpackhi_epi64(r[2], r[3]));
    from_words([
        _mm512_shuffle_i64x2::<0x88>(a, c),
        _mm512_shuffle_i64x2::<0x88>(b, d),
        _mm512_shuffle_i64x2::<0xdd>(a, c),
        _mm512_shuffle_i64x2::<0xdd>(b, d),
    ])
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn store_scalars(limbs: &Limbs, scalars: &mut [F; 8]) {
    let w = to_words(limbs);
    let (a, b) = (_mm512_unpacklo_epi64(w[0], w[1]), _mm512_unpackhi_epi64(w[0], w[1]));
    let (c, d) = (_mm512_unpacklo_epi64(w[2], w[3]), _mm512_unpackhi_epi64(w[2], w[3]));
    let first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    let second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    let rows = [
        _mm512_permutex2var_epi64(a, first, c),
        _mm512_permutex2var_epi64(b, first, d),
        _mm512_permutex2var_epi64(a, second, c),
        _mm512_permutex2var_epi64(b, second, d),
    ];
    let to: *mut u8 = scalars.as_mut_ptr().cast();
    for (i, row) in rows.iter().enumerate() {
        // SAFETY: eight scalars have 256 bytes, and what is stored is below the order.
        unsafe { _mm512_storeu_si512(to.add(64 * i).cast(), *row) };
    }
}

/// A factor for products with stored scalars: 16 times it makes up for 2^260 instead of 2^256.
#[target_feature(enable = "avx512f,avx512ifma")]
fn factor(r: F) -> Limbs {
    broadcast(split((r * F::from(16u64)).0.0))
}

/// `low ← low + r·(high − low)`, groups of eight.
///
/// # Safety
/// The processor has the features.
#[target_feature(enable = "avx512f,avx512ifma")]
pub unsafe fn fold(low: &mut [[F; 8]], high: &[[F; 8]], r: F) {
    let c = Modulus::of::<FrConfig>();
    let r = factor(r);
    for (low, high) in low.iter_mut().zip(high) {
        let a = load_scalars(low);
        let mut sum = mul(&sub(&load_scalars(high), &a, &c.p), &r, &c);
        for (sum, a) in sum.iter_mut().zip(&a) {
            *sum = _mm512_add_epi64(*sum, *a);
        }
        // Below 2.1p.
        let sum = subtract_once(&subtract_once(&carry(sum), &c), &c);
        store_scalars(&sum, low);
    }
}

/// `high ← r·low`, `low ← low − high`, groups of eight.
///
/// # Safety
/// The processor has the features.
#[target_feature(enable = "avx512f,avx512ifma")]
pub unsafe fn spread(low: &mut [[F; 8]], high: &mut [[F; 8]], r: F) {
    let c = Modulus::of::<FrConfig>();
    let r = factor(r);
    for (low, high) in low.iter_mut().zip(high) {
        let a = load_scalars(low);
        let product = subtract_once(&mul(&a, &r, &c), &c);
        store_scalars(&product, high);
        store_scalars(&subtract_once(&sub(&a, &product, &c.p), &c), low);
    }
}

/// Groups whose products are added before their sum is reduced: limbs stay below 2^63.
const SUMMED: usize = 128;

/// `Σ a₀·b₀` and `Σ (a₁ − a₀)·(b₁ − b₀)`, groups of eight.
///
/// # Safety
/// The processor has the features.
#[target_feature(enable = "avx512f,avx512ifma")]
pub unsafe fn sum_pairs(a: [&[[F; 8]]; 2], b: [&[[F; 8]]; 2]) -> (F, F) {
    let c = Modulus::of::<FrConfig>();
    let zero = _mm512_setzero_si512();
    let mut total = (F::zero(), F::zero());
    let mut from = 0;
    while from < a[0].len() {
        let mut sums = [[zero; 5]; 2];
        for i in from..(from + SUMMED).min(a[0].len()) {
            let (a0, a1) = (load_scalars(&a[0][i]), load_scalars(&a[1][i]));
            let mut any = zero;
            for limb in a0.iter().chain(&a1) {
                any = _mm512_or_si512(any, *limb);
            }
            // Columns are partly empty.
            if _mm512_test_epi64_mask(any, any) == 0 {
                continue;
            }
            let (b0, b1) = (load_scalars(&b[0][i]), load_scalars(&b[1][i]));
            let low = mul(&a0, &b0, &c);
            let top = mul(&sub(&a1, &a0, &c.p), &sub(&b1, &b0, &c.p), &c);
            for j in 0..5 {
                sums[0][j] = _mm512_add_epi64(sums[0][j], low[j]);
                sums[1][j] = _mm512_add_epi64(sums[1][j], top[j]);
            }
        }
        total.0 += collect(&sums[0]);
        total.1 += collect(&sums[1]);
        from += SUMMED;
    }
    total
}

/// The sum over the lanes of what products of stored scalars gave, as a scalar.
#[target_feature(enable = "avx512f,avx512ifma")]
fn collect(limbs: &Limbs) -> F {
    let mut sum = F::zero();
    for limb in limbs.iter().rev() {
        let mut lanes = [0u64; 8];
        // SAFETY: the array has 64 bytes; the store is unaligned.
        unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), *limb) };
        sum = sum * F::from(1u64 << 52) + F::from(lanes.iter().sum::<u64>());
    }
    // Stored is x·2^256; a product of two stored ones divided by 2^260 is 2^252 times the product.
    sum * F::from(2u64).pow([252]).inverse().unwrap_or_default()
}
