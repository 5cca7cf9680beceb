//! Multi-scalar multiplication on a card (`gpu/kernels/buckets.cuh` has the method).
//!
//! What comes back is two points a window of digits; the windows are joined here.

use super::card::{Argument, Buffer, Card, Point, Scalar, Sum, View};
use super::error::CardError;
use ark_bn254::G1Projective;
use ark_ff::{AdditiveGroup, Zero};

/// Neighbours that one thread sums up in prefix sums.
const PREFIX_RUN: usize = 64;
/// Partial sums that one thread joins.
const MERGE_RUN: usize = 8;
/// Runs of buckets that one thread joins.
const WEIGH_GROUP: usize = 8;
/// Bits of a scalar.
const SCALAR_BITS: usize = 254;

/// Digit width with the fewest multiplications: 10 an entry, about 60 a bucket.
fn window_bits(count: usize, bits: usize) -> usize {
    (2..=18)
        .min_by_key(|&c| (bits + 1).div_ceil(c) * (10 * count + 60 * (1 << (c - 1))))
        .unwrap_or(8)
}

/// About how many field multiplications a multiplication of scalars of so many bits takes.
pub fn multiplications(count: usize, bits: usize) -> usize {
    let width = window_bits(count, bits);
    (bits + 1).div_ceil(width) * (10 * count + 30 * (1 << (width - 1)))
}

/// Bytes of the card that so many windows take at once.
fn window_bytes(count: usize, windows: usize, span: usize) -> usize {
    let entries = count * windows;
    let partials = 2 * entries.div_ceil(entry_run(entries));
    8 * entries + (4 + 128) * span * windows + (4 + 128) * (partials + partials / 2)
}

/// Entries that one thread adds: many threads first, long runs then.
fn entry_run(entries: usize) -> usize {
    (entries >> 18).clamp(8, 32)
}

/// `Σ scalarsᵢ·pointsᵢ` over the shorter of both.
pub fn msm(
    card: &Card,
    points: View<Point>,
    scalars: View<Scalar>,
) -> Result<G1Projective, CardError> {
    let count = points.len().min(scalars.len());
    by_windows(card, points, count, SCALAR_BITS, |digits, width, first, windows| {
        let arguments = [
            scalars.pointer(),
            Argument::Word(count as u32),
            Argument::Word(width as u32),
            Argument::Word(first as u32),
            Argument::Word(windows as u32),
            digits.pointer(),
        ];
        card.launch("scalar_digits", count, &arguments)
    })
}

/// `Σ valuesᵢ·pointsᵢ` of integers of at most `bits` bits, the sign aside.
pub fn msm_integers(
    card: &Card,
    points: View<Point>,
    values: View<i64>,
    bits: usize,
) -> Result<G1Projective, CardError> {
    let count = points.len().min(values.len());
    by_windows(card, points, count, bits, |digits, width, first, windows| {
        let arguments = [
            values.pointer(),
            Argument::Word(count as u32),
            Argument::Word(width as u32),
            Argument::Word(first as u32),
            Argument::Word(windows as u32),
            digits.pointer(),
        ];
        card.launch("integer_digits", count, &arguments)
    })
}

/// Sums as many windows at a time as there is memory for, and joins them. `digits(to, width, first,
/// windows)` writes the digits of some windows.
fn by_windows(
    card: &Card,
    points: View<Point>,
    count: usize,
    bits: usize,
    digits: impl Fn(View<i32>, usize, usize, usize) -> Result<(), CardError>,
) -> Result<G1Projective, CardError> {
    if count == 0 || bits == 0 {
        return Ok(G1Projective::zero());
    }
    let width = window_bits(count, bits);
    let windows = (bits + 1).div_ceil(width);
    let span = 1usize << (width - 1);
    let free = card.free_memory()? / 10 * 9;
    let fits = |n: &usize| window_bytes(count, *n, span) <= free && count * n <= 1 << 30;
    let at_once = (1..=windows).rev().find(fits).unwrap_or(1);
    let mut sums = Vec::with_capacity(windows);
    for first in (0..windows).step_by(at_once) {
        let now = at_once.min(windows - first);
        let own = card.allocate(count * now)?;
        digits(own.view(), width, first, now)?;
        let buckets = sum_buckets(card, points, own, now, span)?;
        sums.extend(weighted_sums(card, buckets, now, span)?);
    }
    let mut total = G1Projective::zero();
    for sum in sums.iter().rev() {
        for _ in 0..width {
            total.double_in_place();
        }
        total += sum;
    }
    Ok(total)
}

/// Sums of the points in every bucket: point i goes into bucket `digits[i] − 1`, nowhere where that is 0.
pub fn bucket_sums(
    card: &Card,
    points: View<Point>,
    digits: Buffer<i32>,
    buckets: usize,
) -> Result<Buffer<Sum>, CardError> {
    sum_buckets(card, points, digits, 1, buckets)
}

/// `digits` are those of `windows` windows, one after the other; each has `span` buckets.
fn sum_buckets(
    card: &Card,
    points: View<Point>,
    digits: Buffer<i32>,
    windows: usize,
    span: usize,
) -> Result<Buffer<Sum>, CardError> {
    let entries = digits.len();
    let count = entries / windows;
    assert!(count <= points.len() && entries <= 1 << 30, "more digits than points");
    let buckets = windows * span;
    let next = card.zeros::<u32>(buckets)?;
    let shape = [
        digits.view().pointer(),
        Argument::Word(count as u32),
        Argument::Word(windows as u32),
        Argument::Word(span as u32),
    ];
    card.launch("count_digits", entries, &[&shape[..], &[next.view().pointer()]].concat())?;
    prefix_sums(card, next.view())?;
    let sorted = card.allocate::<u32>(entries)?;
    let places = [next.view().pointer(), sorted.view().pointer()];
    card.launch("place_digits", entries, &[&shape[..], &places].concat())?;
    drop(digits);
    let sums = card.zeros::<Sum>(buckets)?;
    let run = entry_run(entries);
    let threads = entries.div_ceil(run);
    // Threads without entries leave their keys: "no bucket".
    let keys = card.filled::<u32>(2 * threads, 0xff)?;
    let partials = card.allocate::<Sum>(2 * threads)?;
    let arguments = [
        points.pointer(),
        sorted.view().pointer(),
        next.view().pointer(),
        Argument::Word(buckets as u32),
        Argument::Word(run as u32),
        sums.view().pointer(),
        keys.view().pointer(),
        partials.view().pointer(),
    ];
    card.launch("accumulate", threads, &arguments)?;
    drop((sorted, next));
    merge(card, keys, partials, &sums)?;
    Ok(sums)
}

/// Joins the partial sums until one thread can finish.
fn merge(
    card: &Card,
    mut keys: Buffer<u32>,
    mut partials: Buffer<Sum>,
    sums: &Buffer<Sum>,
) -> Result<(), CardError> {
    loop {
        let count = keys.len();
        let threads = count.div_ceil(MERGE_RUN);
        let next_keys = card.allocate::<u32>(2 * threads)?;
        let next_partials = card.allocate::<Sum>(2 * threads)?;
        let arguments = [
            keys.view().pointer(),
            partials.view().pointer(),
            Argument::Word(count as u32),
            Argument::Word(MERGE_RUN as u32),
            Argument::Word(u32::from(threads == 1)),
            sums.view().pointer(),
            next_keys.view().pointer(),
            next_partials.view().pointer(),
        ];
        card.launch("merge_partials", threads, &arguments)?;
        if threads == 1 {
            return Ok(());
        }
        (keys, partials) = (next_keys, next_partials);
    }
}

/// What is before each value, in place.
fn prefix_sums(card: &Card, values: View<u32>) -> Result<(), CardError> {
    let (count, run) = (values.len(), PREFIX_RUN);
    let threads = count.div_ceil(run);
    let shape = [values.pointer(), Argument::Word(count as u32), Argument::Word(run as u32)];
    if threads == 1 {
        let none = [Argument::Pointer(0)];
        return card.launch("prefix_runs", 1, &[&shape[..], &none].concat());
    }
    let sums = card.allocate::<u32>(threads)?;
    let own = [sums.view().pointer()];
    card.launch("sum_runs", threads, &[&shape[..], &own].concat())?;
    prefix_sums(card, sums.view())?;
    card.launch("prefix_runs", threads, &[&shape[..], &own].concat())
}

/// `Σ_k (k+1)·bucket_k` of every window.
fn weighted_sums(
    card: &Card,
    buckets: Buffer<Sum>,
    windows: usize,
    span: usize,
) -> Result<Vec<G1Projective>, CardError> {
    let mut plain = buckets;
    let mut weighted: Option<Buffer<Sum>> = None;
    let (mut left, mut log) = (span, 0);
    while left > 1 {
        let group = left.min(WEIGH_GROUP);
        let runs = windows * left;
        let plain_out = card.allocate(runs / group)?;
        let weighted_out = card.allocate(runs / group)?;
        let arguments = [
            plain.view().pointer(),
            weighted.as_ref().map_or(Argument::Pointer(0), |own| own.view().pointer()),
            Argument::Word(runs as u32),
            Argument::Word(group as u32),
            Argument::Word(log),
            plain_out.view().pointer(),
            weighted_out.view().pointer(),
        ];
        card.launch("weigh", runs / group, &arguments)?;
        (plain, weighted) = (plain_out, Some(weighted_out));
        left /= group;
        log += group.trailing_zeros();
    }
    let mut totals: Vec<G1Projective> = plain.read()?.iter().map(G1Projective::from).collect();
    if let Some(weighted) = weighted {
        for (total, own) in totals.iter_mut().zip(weighted.read()?) {
            *total += G1Projective::from(&own);
        }
    }
    Ok(totals)
}

/// Affine points of sums.
pub fn normalize(card: &Card, sums: View<Sum>) -> Result<Buffer<Point>, CardError> {
    let count = sums.len();
    let points = card.allocate(count)?;
    let scratch = card.allocate::<Scalar>(count)?;
    let arguments = [
        sums.pointer(),
        Argument::Word(count as u32),
        scratch.view().pointer(),
        points.view().pointer(),
    ];
    // An inversion is worth about 380 multiplications.
    card.launch("normalize", count.div_ceil(64), &arguments)?;
    Ok(points)
}
