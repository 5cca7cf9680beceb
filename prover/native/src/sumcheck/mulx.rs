//! Additions of pairs of points in ordinary registers, for processors without the vector units that `ifma`
//! needs.
//!
//! With d = x₂ − x₁ and slope = (y₂ − y₁)/d an affine sum is x₃ = slope² − x₁ − x₂,
//! y₃ = slope·(x₁ − x₃) − y₁. All inverses of a batch come from one: from the product of all d, going
//! back, 1/dᵢ = (1/(d₁ … dᵢ))·(d₁ … dᵢ₋₁). A multiplication waits for the one before it in such a product, so
//! there are several products side by side.

use super::buckets::{self, Pair, Point};
#[cfg(target_arch = "x86_64")]
use super::montgomery;
use ark_bn254::{Fq, FqConfig};
use ark_ff::{AdditiveGroup, BigInteger256, Field, MontConfig};

/// Products side by side.
const LANES: usize = 4;

/// Pairs from which on points are fetched: they lie anywhere.
const AHEAD: usize = 12;

/// Memory of a batch, kept from one to the next: differences, and the products before them.
pub type Batch = Vec<(Fq, Fq)>;

/// Does all additions, none of whose points is infinity or in two pairs. The sources are `points`, or the
/// targets themselves.
///
/// Returns false, with nothing done, where the operands of some pair have the same x.
pub fn add_pairs(
    targets: &mut [Point],
    points: Option<&[Point]>,
    pairs: &[Pair],
    batch: &mut Batch,
) -> bool {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("bmi2") && std::arch::is_x86_feature_detected!("adx") {
        // SAFETY: the features were asked for.
        #[allow(unsafe_code)]
        let multiply = |a, b| unsafe { montgomery::multiply(a, b) };
        return add_with(multiply, montgomery::subtract, targets, points, pairs, batch);
    }
    portable(targets, points, pairs, batch)
}

/// The same on any processor.
fn portable(
    targets: &mut [Point],
    points: Option<&[Point]>,
    pairs: &[Pair],
    batch: &mut Batch,
) -> bool {
    add_with(|a, b| a * b, |a, b| a - b, targets, points, pairs, batch)
}

/// Inlined with the arithmetic that it is given.
#[inline(always)]
fn add_with(
    multiply: impl Fn(Fq, Fq) -> Fq,
    subtract: impl Fn(Fq, Fq) -> Fq,
    targets: &mut [Point],
    points: Option<&[Point]>,
    pairs: &[Pair],
    batch: &mut Batch,
) -> bool {
    batch.clear();
    let mut products = [Fq::ONE; LANES];
    for (i, pair) in pairs.iter().enumerate() {
        if let Some(ahead) = pairs.get(i + AHEAD) {
            prefetch(&points.unwrap_or(targets)[ahead.index()]);
            prefetch(&targets[ahead.target as usize]);
        }
        let source = &points.unwrap_or(targets)[pair.index()];
        let difference = subtract(x(source), x(&targets[pair.target as usize]));
        batch.push((difference, products[i % LANES]));
        products[i % LANES] = multiply(products[i % LANES], difference);
    }
    let Some(mut inverses) = invert(&products) else { return false };
    for (i, pair) in pairs.iter().enumerate().rev() {
        if let Some(ahead) = i.checked_sub(AHEAD).map(|at| pairs[at]) {
            prefetch(&points.unwrap_or(targets)[ahead.index()]);
            prefetch(&targets[ahead.target as usize]);
        }
        let (difference, before) = batch[i];
        let inverse = multiply(inverses[i % LANES], before);
        inverses[i % LANES] = multiply(inverses[i % LANES], difference);
        let source = points.unwrap_or(targets)[pair.index()];
        let target = &mut targets[pair.target as usize];
        let (x1, y1, x2) = (x(target), y(target), x(&source));
        let y2 = signed(y(&source), pair.is_negative());
        let slope = multiply(subtract(y2, y1), inverse);
        let x3 = subtract(subtract(multiply(slope, slope), x1), x2);
        let y3 = subtract(multiply(slope, subtract(x1, x3)), y1);
        *target = Point::of_words(x3.0.0, y3.0.0);
    }
    true
}

/// The inverses of all, with one inversion; `None` where one is zero.
fn invert(values: &[Fq; LANES]) -> Option<[Fq; LANES]> {
    let mut before = [Fq::ONE; LANES];
    let mut product = Fq::ONE;
    for (before, value) in before.iter_mut().zip(values) {
        *before = product;
        product *= value;
    }
    let mut inverse = product.inverse()?;
    let mut inverses = [Fq::ZERO; LANES];
    for i in (0..LANES).rev() {
        inverses[i] = inverse * before[i];
        inverse *= values[i];
    }
    Some(inverses)
}

/// ±y, without a branch: half of all signs are negative. No point of this curve has y = 0.
#[inline(always)]
fn signed(y: Fq, negative: bool) -> Fq {
    let mut opposite = FqConfig::MODULUS.0;
    buckets::subtract(&mut opposite, &y.0.0);
    let mask = u64::from(negative).wrapping_neg();
    let mut words = y.0.0;
    for (word, opposite) in words.iter_mut().zip(opposite) {
        *word ^= (*word ^ opposite) & mask;
    }
    Fq::new_unchecked(BigInteger256::new(words))
}

/// Asks for a point that is read soon.
#[inline(always)]
fn prefetch(point: &Point) {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    // SAFETY: a hint, which reads nothing.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(
            std::ptr::from_ref(point).cast(),
        );
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = point;
}

#[inline(always)]
fn x(point: &Point) -> Fq {
    let [x0, x1, x2, x3, ..] = *point.words();
    Fq::new_unchecked(BigInteger256::new([x0, x1, x2, x3]))
}

#[inline(always)]
fn y(point: &Point) -> Fq {
    let [.., y0, y1, y2, y3] = *point.words();
    Fq::new_unchecked(BigInteger256::new([y0, y1, y2, y3]))
}

#[cfg(test)]
mod tests {
    use super::super::buckets::bucket_pairs;
    use super::*;
    use ark_bn254::{Fr, G1Affine, G1Projective};
    use ark_ec::{CurveGroup, PrimeGroup};

    /// As arkworks stores it, whatever this processor prefers.
    fn stored(point: &G1Affine) -> Point {
        Point::of_words(point.x.0.0, point.y.0.0)
    }

    /// Both ways of compiling it, on every processor that has them.
    #[test]
    fn equals_the_group_law() {
        let point = |i: u64| G1Projective::generator() * Fr::from(i * i + 7);
        for count in [1u64, 3, 4, 5, 100] {
            for negative in [false, true] {
                let (a, b): (Vec<_>, Vec<_>) =
                    (0..count).map(|i| (point(i), point(i + 1000))).unzip();
                let expected: Vec<Point> = a
                    .iter()
                    .zip(&b)
                    .map(|(a, b)| stored(&if negative { *a - b } else { *a + b }.into_affine()))
                    .collect();
                let store = |points: &[G1Projective]| -> Vec<Point> {
                    points.iter().map(|point| stored(&point.into_affine())).collect()
                };
                let (targets, sources) = (store(&a), store(&b));
                let pairs = bucket_pairs(count as u32, negative);
                for add in [add_pairs, portable] {
                    let mut sums = targets.clone();
                    assert!(add(&mut sums, Some(&sources), &pairs, &mut Batch::new()));
                    let words = |points: &[Point]| -> Vec<[u64; 8]> {
                        points.iter().map(|point| *point.words()).collect()
                    };
                    assert_eq!(words(&sums), words(&expected));
                    // The same x twice: nothing is done.
                    assert!(!add(&mut sums.clone(), Some(&sums), &pairs, &mut Batch::new()));
                }
            }
        }
    }
}
