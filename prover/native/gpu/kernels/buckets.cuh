// Multi-scalar multiplication by buckets: Σ sᵢ·Pᵢ with s = Σ_w d_w·2^{cw}, |d_w| ≤ 2^{c−1}.
//
//   digits → count → (prefix sums) → place → accumulate → merge … → weigh …
//
// Bucket w·span + |d| − 1 sums the points whose digit w is ±|d|. The entries are sorted by bucket (a
// counting sort), and every thread adds equally many neighbours, wherever buckets begin and end: one
// bucket that has all the points takes no longer than many that have few. What a thread finds at the
// ends of its run goes to the next level as partial sums.
#pragma once
#include "curve.cuh"

// Key of a partial sum that there is none.
constexpr u32 NO_BUCKET = 0xffffffff;

// Digit w of a magnitude that is given by limbs, and the carry into the next one.
DEVICE int next_digit(const u32* limbs, u32 count, u32 window, u32 width, u32& carry) {
  u32 bit = window * width, limb = bit / 32, shift = bit % 32;
  u64 bits = 0;
  if (limb < count) bits = limbs[limb];
  if (limb + 1 < count) bits |= (u64)limbs[limb + 1] << 32;
  u32 digit = ((u32)(bits >> shift) & ((1u << width) - 1)) + carry;
  carry = digit > (1u << (width - 1));
  return carry ? (int)digit - (int)(1u << width) : (int)digit;
}

// digits[w·count + i] of scalar i, for `windows` windows from `first` on.
KERNEL scalar_digits(const Fr* scalars, u32 count, u32 width, u32 first, u32 windows, int* digits) {
  u32 i = thread_index();
  if (i >= count) return;
  Fr integer = to_integer(scalars[i]);
  u32 carry = 0;
  for (u32 w = 0; w < first + windows; w++) {
    int digit = next_digit(integer.limb, 8, w, width, carry);
    if (w >= first) digits[(u64)(w - first) * count + i] = digit;
  }
}

// The same of signed integers.
KERNEL integer_digits(const i64* values, u32 count, u32 width, u32 first, u32 windows,
                      int* digits) {
  u32 i = thread_index();
  if (i >= count) return;
  i64 value = values[i];
  u64 magnitude = value < 0 ? 0 - (u64)value : (u64)value;
  u32 limbs[2] = {(u32)magnitude, (u32)(magnitude >> 32)};
  u32 carry = 0;
  for (u32 w = 0; w < first + windows; w++) {
    int digit = next_digit(limbs, 2, w, width, carry);
    if (w >= first) digits[(u64)(w - first) * count + i] = value < 0 ? -digit : digit;
  }
}

DEVICE u32 bucket_of(int digit, u32 window, u32 span) {
  return window * span + (u32)(digit < 0 ? -digit : digit) - 1;
}

// How many entries each bucket has. One thread a digit.
KERNEL count_digits(const int* digits, u32 count, u32 windows, u32 span, u32* counts) {
  u32 entry = thread_index();
  if (entry >= count * windows) return;
  int digit = digits[entry];
  if (digit != 0) fetch_add(&counts[bucket_of(digit, entry / count, span)], 1);
}

// Writes point and sign (the top bit) of every entry to its place; `next` starts as the first places
// and ends as those of the following bucket.
KERNEL place_digits(const int* digits, u32 count, u32 windows, u32 span, u32* next, u32* sorted) {
  u32 entry = thread_index();
  if (entry >= count * windows) return;
  int digit = digits[entry];
  if (digit == 0) return;
  u32 at = fetch_add(&next[bucket_of(digit, entry / count, span)], 1);
  sorted[at] = (entry % count) | (digit < 0 ? 0x80000000u : 0u);
}

// Sums of `run` neighbours each.
KERNEL sum_runs(const u32* values, u32 count, u32 run, u32* sums) {
  u32 t = thread_index();
  u64 from = (u64)t * run;
  if (from >= count) return;
  u32 sum = 0;
  for (u64 i = from; i < from + run && i < count; i++) sum += values[i];
  sums[t] = sum;
}

// Prefix sums (of what is before) in place, given those of the runs; `before` may be null for one run.
KERNEL prefix_runs(u32* values, u32 count, u32 run, const u32* before) {
  u32 t = thread_index();
  u64 from = (u64)t * run;
  if (from >= count) return;
  u32 sum = before ? before[t] : 0;
  for (u64 i = from; i < from + run && i < count; i++) {
    u32 value = values[i];
    values[i] = sum;
    sum += value;
  }
}

// Where a thread's sums go: the first and the last bucket of its run may go on in other runs and
// become partial sums 2t and 2t + 1, all others are complete.
struct Outlet {
  Sum* buckets;
  u32* keys;
  Sum* partials;
  u32 thread;
  u32 emitted;

  DEVICE void emit(u32 bucket, const Sum& sum, bool last) {
    if (emitted == 0 || last) {
      u64 slot = 2 * (u64)thread + (emitted == 0 ? 0 : 1);
      keys[slot] = bucket;
      partials[slot] = sum;
    } else {
      buckets[bucket] = sum;
    }
    emitted++;
  }

  DEVICE void close() {
    for (u32 k = emitted; k < 2; k++) keys[2 * (u64)thread + k] = NO_BUCKET;
  }
};

// Adds `run` sorted entries; bucket b has those from ends[b − 1] (0 for the first) to ends[b].
KERNEL accumulate(const Affine* points, const u32* sorted, const u32* ends, u32 buckets, u32 run,
                  Sum* sums, u32* keys, Sum* partials) {
  u32 total = ends[buckets - 1];
  u32 t = thread_index();
  u64 from = (u64)t * run;
  if (from >= total) return;
  u32 to = from + run < total ? (u32)from + run : total;
  Outlet outlet = {sums, keys, partials, t, 0};
  u32 at = (u32)from;
  while (at < to) {
    // The first bucket that ends after `at`.
    u32 low = 0, high = buckets - 1;
    while (low < high) {
      u32 middle = (low + high) / 2;
      if (ends[middle] > at) high = middle;
      else low = middle + 1;
    }
    u32 end = ends[low] < to ? ends[low] : to;
    Sum sum = infinity();
    for (; at < end; at++) {
      u32 entry = sorted[at];
      Affine point = points[entry & 0x7fffffff];
      if (entry >> 31) point.y = -point.y;
      add(sum, point);
    }
    outlet.emit(low, sum, at == to);
  }
  outlet.close();
}

// The same of partial sums, which are in the order of their keys. With `finish` (one thread) nothing
// goes on.
KERNEL merge_partials(const u32* from_keys, const Sum* from, u32 count, u32 run, u32 finish,
                      Sum* sums, u32* keys, Sum* partials) {
  u32 t = thread_index();
  u64 start = (u64)t * run;
  if (start >= count) return;
  u64 stop = start + run < count ? start + run : count;
  Outlet outlet = {sums, keys, partials, t, 0};
  u32 bucket = NO_BUCKET;
  Sum sum = infinity();
  for (u64 i = start; i < stop; i++) {
    u32 key = from_keys[i];
    if (key == NO_BUCKET) continue;
    if (key == bucket) {
      sum = added(sum, from[i]);
      continue;
    }
    if (bucket != NO_BUCKET) {
      if (finish) sums[bucket] = sum;
      else outlet.emit(bucket, sum, false);
    }
    bucket = key;
    sum = from[i];
  }
  if (bucket != NO_BUCKET) {
    if (finish) sums[bucket] = sum;
    else outlet.emit(bucket, sum, true);
  }
  if (!finish) outlet.close();
}

// A run of buckets is kept as (Σ bucket_k, Σ k·bucket_k), k counted from its start. Joins `group` runs
// of 2^log each: Σ_j (plain_j, 2^log·j·plain_j + weighted_j). `weighted` is null for single buckets.
KERNEL weigh(const Sum* plain, const Sum* weighted, u32 runs, u32 group, u32 log, Sum* plain_out,
             Sum* weighted_out) {
  u32 t = thread_index();
  if (t >= runs / group) return;
  u64 from = (u64)t * group;
  // Σ_j j·plain_j by running sums.
  Sum running = infinity(), total = infinity();
  for (u32 j = group - 1; j > 0; j--) {
    running = added(running, plain[from + j]);
    total = added(total, running);
  }
  running = added(running, plain[from]);
  for (u32 i = 0; i < log; i++) total = doubled(total);
  if (weighted) {
    for (u32 j = 0; j < group; j++) total = added(total, weighted[from + j]);
  }
  plain_out[t] = running;
  weighted_out[t] = total;
}

// Affine points of sums: one inversion a thread; `before` is scratch.
KERNEL normalize(const Sum* sums, u32 count, Fq* before, Affine* points) {
  u32 threads = thread_count();
  Fq product = one<BaseField>();
  u32 last = NO_BUCKET;
  for (u64 i = thread_index(); i < count; i += threads) {
    before[i] = product;
    if (!is_infinity(sums[i])) product = product * sums[i].zzz;
    last = (u32)i;
  }
  if (last == NO_BUCKET) return;
  Fq inverted = inverse(product);
  for (i64 i = last; i >= 0; i -= threads) {
    Sum sum = sums[i];
    Affine point = {zero<BaseField>(), zero<BaseField>()};
    if (!is_infinity(sum)) {
      Fq own = inverted * before[i];
      inverted = inverted * sum.zzz;
      // ZZ³ = ZZZ², so 1/ZZ = (ZZ/ZZZ)².
      point.x = sum.x * squared(sum.zz * own);
      point.y = sum.y * own;
    }
    points[i] = point;
  }
}
