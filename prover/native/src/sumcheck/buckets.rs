//! Sums of points in buckets, by affine additions that share inversions.
//!
//! An affine addition needs the inverse of a difference; one inversion serves a batch of independent
//! additions (three multiplications each), so an addition costs about six multiplications.

#[cfg(target_arch = "x86_64")]
use super::ifma;
use super::mulx;
use ark_bn254::{Fq, FqConfig, G1Affine};
use ark_ff::{AdditiveGroup, BigInteger256, Field, MontConfig, PrimeField, Zero};

/// A point as the additions of this processor want it: x and y, four words each, all zero for infinity.
/// With AVX-512 IFMA a coordinate is x·2^260 up to 2p, else it is what arkworks stores.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub struct Point([u64; 8]);

/// Whether points are in the form of the vector additions.
pub fn is_vector() -> bool {
    #[cfg(target_arch = "x86_64")]
    return ifma::available();
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

impl Point {
    /// From arkworks' form.
    pub fn new(point: &G1Affine) -> Self {
        if point.infinity {
            return Self::default();
        }
        // arkworks stores x·2^256: what it stores for 16x is x·2^260.
        let shift = |x: Fq| if is_vector() { x * Fq::from(16u64) } else { x };
        let ([x0, x1, x2, x3], [y0, y1, y2, y3]) = (shift(point.x).0.0, shift(point.y).0.0);
        Self([x0, x1, x2, x3, y0, y1, y2, y3])
    }

    /// To arkworks' form.
    pub fn affine(&self) -> G1Affine {
        if self.is_infinity() {
            return G1Affine::identity();
        }
        let [x0, x1, x2, x3, y0, y1, y2, y3] = self.0;
        let shift = |x: Fq| if is_vector() { x * SIXTEENTH } else { x };
        let value = |words| shift(canonical(words));
        G1Affine::new_unchecked(value([x0, x1, x2, x3]), value([y0, y1, y2, y3]))
    }

    /// Coordinates in the form of this processor.
    pub fn of_words([x0, x1, x2, x3]: [u64; 4], [y0, y1, y2, y3]: [u64; 4]) -> Self {
        Self([x0, x1, x2, x3, y0, y1, y2, y3])
    }

    /// x and y in the form of this processor.
    pub fn words(&self) -> &[u64; 8] {
        &self.0
    }

    /// Whether it is the neutral element.
    pub fn is_infinity(&self) -> bool {
        self.0.iter().fold(0, |all, word| all | word) == 0
    }

    /// −self where `negative`.
    fn signed(&self, negative: bool) -> Self {
        if !negative || self.is_infinity() {
            return *self;
        }
        let [x0, x1, x2, x3, y0, y1, y2, y3] = self.0;
        let mut y = FqConfig::MODULUS.0;
        if is_vector() {
            // Coordinates go up to 2p.
            y = [y[0] << 1, y[1] << 1 | y[0] >> 63, y[2] << 1 | y[1] >> 63, y[3] << 1 | y[2] >> 63];
        }
        subtract(&mut y, &[y0, y1, y2, y3]);
        Self([x0, x1, x2, x3, y[0], y[1], y[2], y[3]])
    }
}

/// 1/16.
const SIXTEENTH: Fq = ark_ff::MontFp!(
    "12312136615409592312513603231707217237391675025980025810262583815737939742328"
);

/// The element that is stored as a 256-bit number, reduced.
pub fn canonical(mut words: [u64; 4]) -> Fq {
    while BigInteger256::new(words) >= Fq::MODULUS {
        subtract(&mut words, &FqConfig::MODULUS.0);
    }
    Fq::new_unchecked(BigInteger256::new(words))
}

/// a −= b, modulo 2^256.
pub fn subtract(a: &mut [u64; 4], b: &[u64; 4]) {
    let mut borrow = false;
    for i in 0..4 {
        let (d, first) = a[i].overflowing_sub(b[i]);
        let (d, second) = d.overflowing_sub(u64::from(borrow));
        a[i] = d;
        borrow = first || second;
    }
}

/// An addition: `targets[target] += ±sources[index]`.
#[derive(Clone, Copy)]
pub struct Pair {
    /// Where the sum goes.
    pub target: u32,
    source: u32,
}

impl Pair {
    fn new(target: u32, index: u32, negative: bool) -> Self {
        Self { target, source: index << 1 | u32::from(negative) }
    }

    /// Index of the source.
    pub fn index(self) -> usize {
        (self.source >> 1) as usize
    }

    /// Whether the source is subtracted.
    pub fn is_negative(self) -> bool {
        self.source & 1 == 1
    }
}

/// Pairs of equal indices, for tests of additions.
#[cfg(test)]
pub fn bucket_pairs(count: u32, negative: bool) -> Vec<Pair> {
    (0..count).map(|i| Pair::new(i, i, negative)).collect()
}

/// Additions that share one inversion: what is kept of them stays in the second cache level.
const BATCH: usize = 2048;

/// Collects additions and does them in batches.
#[derive(Default)]
struct Adder {
    pairs: Vec<Pair>,
    /// A sum was infinity, so that operands may be: the fast additions do not see that.
    is_careful: bool,
    batch: mulx::Batch,
}

impl Adder {
    /// All collected pairs, the sources being `points` or, if there are none, the targets themselves.
    fn flush(&mut self, targets: &mut [Point], points: Option<&[Point]>) {
        if self.pairs.is_empty() {
            return;
        }
        let pairs = std::mem::take(&mut self.pairs);
        if !self.add_fast(targets, points, &pairs) {
            let operands: Vec<(G1Affine, G1Affine)> = pairs
                .iter()
                .map(|pair| {
                    let source = points.unwrap_or(targets)[pair.index()];
                    let source = source.signed(pair.is_negative()).affine();
                    (targets[pair.target as usize].affine(), source)
                })
                .collect();
            for (pair, sum) in pairs.iter().zip(add_portable(&operands)) {
                self.is_careful |= sum.infinity;
                targets[pair.target as usize] = Point::new(&sum);
            }
        }
        self.pairs = pairs;
        self.pairs.clear();
    }

    fn add_fast(&mut self, targets: &mut [Point], points: Option<&[Point]>, p: &[Pair]) -> bool {
        if self.is_careful {
            return false;
        }
        if is_vector() {
            return self.add_vector(targets, points, p);
        }
        mulx::add_pairs(targets, points, p, &mut self.batch)
    }

    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    fn add_vector(&self, targets: &mut [Point], points: Option<&[Point]>, p: &[Pair]) -> bool {
        let sources = points.map_or(targets.len(), <[Point]>::len);
        assert!(p.iter().all(|p| (p.target as usize) < targets.len() && p.index() < sources));
        let targets = targets.as_mut_ptr();
        let sources = points.map_or(targets.cast_const(), <[Point]>::as_ptr);
        // SAFETY: the features were asked for and the indices checked; both callers collect pairs
        // without common points, and `is_careful` is set before a point can be infinity.
        unsafe { ifma::add_pairs(targets, sources, p) }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn add_vector(&self, _: &mut [Point], _: Option<&[Point]>, _: &[Pair]) -> bool {
        false
    }
}

/// a + b of every pair, with one inversion.
fn add_portable(operands: &[(G1Affine, G1Affine)]) -> Vec<G1Affine> {
    let mut inverses: Vec<Fq> = operands
        .iter()
        .map(|(a, b)| match (a.infinity || b.infinity, a.x == b.x, a.y == b.y) {
            (false, false, _) => b.x - a.x,
            (false, true, true) => a.y.double(),
            _ => Fq::ZERO,
        })
        .collect();
    ark_ff::batch_inversion(&mut inverses);
    operands
        .iter()
        .zip(inverses)
        .map(|((a, b), inverse)| {
            if a.infinity {
                return *b;
            }
            if b.infinity {
                return *a;
            }
            if inverse.is_zero() {
                return G1Affine::identity();
            }
            let slope = if a.x == b.x {
                let square = a.x.square();
                (square.double() + square) * inverse
            } else {
                (b.y - a.y) * inverse
            };
            let x = slope.square() - a.x - b.x;
            G1Affine::new_unchecked(x, slope * (a.x - x) - a.y)
        })
        .collect()
}

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

/// Entries sorted at once: few enough that their points stay in cache.
const CHUNK: usize = 1 << 14;

/// Sums of the points in every bucket, however unevenly they are filled.
pub fn bucket_sums(points: &[Point], entries: &[Entry], buckets: usize) -> Vec<Point> {
    let mut sums = vec![Point::default(); buckets];
    // A chunk's work has a part that is proportional to the buckets.
    for chunk in entries.chunks(CHUNK.max(buckets * 4)) {
        add_chunk(points, chunk, &mut sums);
    }
    sums
}

/// Sorts a chunk by bucket, the sum so far first, and adds in pairs until one point is left in each.
fn add_chunk(points: &[Point], entries: &[Entry], sums: &mut [Point]) {
    let buckets = sums.len();
    let mut lengths: Vec<u32> = sums.iter().map(|sum| u32::from(!sum.is_infinity())).collect();
    for entry in entries {
        lengths[entry.bucket as usize] += 1;
    }
    let mut start = Vec::with_capacity(buckets);
    let mut total = 0u32;
    for length in &lengths {
        start.push(total);
        total += length;
    }
    let mut next = start.clone();
    let mut sorted = vec![Point::default(); total as usize];
    let mut put = |bucket: usize, point: Point| {
        sorted[next[bucket] as usize] = point;
        next[bucket] += 1;
    };
    for (bucket, sum) in sums.iter().enumerate().filter(|(_, sum)| !sum.is_infinity()) {
        put(bucket, *sum);
    }
    let mut adder = Adder::default();
    for entry in entries {
        let point = points[entry.point as usize].signed(entry.negative);
        adder.is_careful |= point.is_infinity();
        put(entry.bucket as usize, point);
    }
    let mut active: Vec<u32> = (0..buckets as u32).filter(|&b| lengths[b as usize] > 1).collect();
    while !active.is_empty() {
        for &bucket in &active {
            let first = start[bucket as usize];
            let length = &mut lengths[bucket as usize];
            for k in 0..*length / 2 {
                adder.pairs.push(Pair::new(first + k, first + *length - 1 - k, false));
                if adder.pairs.len() == BATCH {
                    adder.flush(&mut sorted, None);
                }
            }
            *length = length.div_ceil(2);
        }
        adder.flush(&mut sorted, None);
        active.retain(|&b| lengths[b as usize] > 1);
    }
    for (bucket, sum) in sums.iter_mut().enumerate() {
        if lengths[bucket] > 0 {
            *sum = sorted[start[bucket] as usize];
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Empty,
    Filled,
    /// Target of a collected addition.
    Busy,
}

/// Entries that may wait for their bucket before they are added by sorting.
const WAITING: usize = 4 * BATCH;

/// The same as [`bucket_sums`] for entries that are spread evenly, without sorting: points are read in
/// order and added to their buckets, a batch holding each bucket once.
pub fn spread_sums(
    points: &[Point],
    entries: impl Iterator<Item = Entry>,
    buckets: usize,
) -> Vec<Point> {
    let mut sums = vec![Point::default(); buckets];
    let mut states = vec![State::Empty; buckets];
    let mut waiting: Vec<Entry> = Vec::new();
    let mut adder = Adder::default();
    let place = |entry: Entry, adder: &mut Adder, sums: &mut [Point], states: &mut [State]| {
        let state = &mut states[entry.bucket as usize];
        match state {
            State::Busy => return false,
            State::Filled => {
                *state = State::Busy;
                adder.is_careful |= points[entry.point as usize].is_infinity();
                adder.pairs.push(Pair::new(entry.bucket, entry.point, entry.negative));
            }
            State::Empty => {
                let point = points[entry.point as usize].signed(entry.negative);
                adder.is_careful |= point.is_infinity();
                sums[entry.bucket as usize] = point;
                *state = State::Filled;
            }
        }
        true
    };
    let flush = |adder: &mut Adder, sums: &mut [Point], states: &mut [State]| {
        for pair in &adder.pairs {
            states[pair.target as usize] = State::Filled;
        }
        adder.flush(sums, Some(points));
    };
    for entry in entries {
        if !place(entry, &mut adder, &mut sums, &mut states) {
            waiting.push(entry);
        }
        if adder.pairs.len() >= BATCH || waiting.len() >= WAITING {
            flush(&mut adder, &mut sums, &mut states);
            if waiting.len() >= WAITING {
                add_chunk(points, &waiting, &mut sums);
                waiting.clear();
                for (state, sum) in states.iter_mut().zip(&sums) {
                    *state = if sum.is_infinity() { State::Empty } else { State::Filled };
                }
            }
            waiting.retain(|entry| !place(*entry, &mut adder, &mut sums, &mut states));
        }
    }
    flush(&mut adder, &mut sums, &mut states);
    add_chunk(points, &waiting, &mut sums);
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::G1Projective;
    use ark_ec::{CurveGroup, PrimeGroup};

    fn add(a: &[Point], b: &[Point], negative: bool) -> Vec<Point> {
        let mut sums = a.to_vec();
        let pairs = bucket_pairs(a.len() as u32, negative);
        let mut adder = Adder { pairs, ..Adder::default() };
        adder.flush(&mut sums, Some(b));
        sums
    }

    #[test]
    fn equals_portable_additions() {
        let mut point = G1Projective::generator();
        let points: Vec<G1Projective> = (0..4096u64)
            .map(|i| {
                point = point.double() + G1Projective::generator() * ark_bn254::Fr::from(i * i + 1);
                point
            })
            .collect();
        let points = G1Projective::normalize_batch(&points);
        let packed: Vec<Point> = points.iter().map(Point::new).collect();
        for count in [1usize, 7, 8, 9, 100, 2048] {
            let (a, b) = (&points[..count], &points[2048..2048 + count]);
            for negative in [false, true] {
                let sums = add(&packed[..count], &packed[2048..2048 + count], negative);
                for i in 0..count {
                    let b = if negative { -b[i] } else { b[i] };
                    assert_eq!(sums[i].affine(), (a[i] + b).into_affine(), "pair {i} of {count}");
                }
            }
        }
    }

    /// Coordinates at the edges of the range; the additions need not be of curve points.
    #[test]
    fn equals_field_arithmetic_at_the_edges() {
        let most = {
            // The stored integer p − 1.
            let mut words = Fq::MODULUS.0;
            words[0] -= 1;
            Fq::new_unchecked(BigInteger256::new(words))
        };
        let one = Fq::from(1u64);
        let values = [Fq::ZERO, one, -one, Fq::from(2u64), -one.double(), most, most * SIXTEENTH];
        let (mut a, mut b, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        // Unreduced forms, up to 2p, stand for the same.
        let raised = |point: Point| {
            let mut words = point.0;
            for half in 0..2 {
                let mut carry = 0u64;
                for i in 0..4 {
                    let sum = u128::from(words[4 * half + i])
                        + u128::from(Fq::MODULUS.0[i])
                        + u128::from(carry);
                    words[4 * half + i] = sum as u64;
                    carry = (sum >> 64) as u64;
                }
            }
            Point(words)
        };
        for x1 in &values {
            for x2 in values.iter().filter(|x2| *x2 != x1) {
                for y1 in &values {
                    for y2 in &values {
                        let slope = (*y2 - y1) / (*x2 - x1);
                        let x3 = slope.square() - x1 - x2;
                        let y3 = slope * (*x1 - x3) - y1;
                        let make = |x: Fq, y: Fq| Point::new(&G1Affine::new_unchecked(x, y));
                        a.push(make(*x1, *y1));
                        b.push(make(*x2, *y2));
                        expected.push(G1Affine::new_unchecked(x3, y3));
                        if is_vector() {
                            a.push(raised(make(*x1, *y1)));
                            b.push(make(*x2, *y2));
                            a.push(raised(make(*x1, *y1)));
                            b.push(raised(make(*x2, *y2)));
                            expected.extend([G1Affine::new_unchecked(x3, y3); 2]);
                        }
                    }
                }
            }
        }
        if is_vector() {
            // (0, 0) is taken for infinity elsewhere, not by the additions themselves.
            let sums = add(&a, &b, false);
            let found: Vec<(Fq, Fq)> = sums.iter().map(coordinates).collect();
            let wanted: Vec<(Fq, Fq)> = expected.iter().map(|p| (p.x, p.y)).collect();
            assert_eq!(found, wanted);
        }
    }

    fn coordinates(point: &Point) -> (Fq, Fq) {
        let [x0, x1, x2, x3, y0, y1, y2, y3] = point.0;
        (canonical([x0, x1, x2, x3]) * SIXTEENTH, canonical([y0, y1, y2, y3]) * SIXTEENTH)
    }
}
