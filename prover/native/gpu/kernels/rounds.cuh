// Rounds of sumchecks over products of two multilinear polynomials (protocol.md §6). A variable is
// bound from the top bit down: index i stands for x = 0, i + half for x = 1. Of a factor only the first
// `length` values are stored, the rest is zero.
#pragma once
#include "field.cuh"

// Values at 0 of a round polynomial, and its leading coefficient.
struct RoundSums {
  Fr c0, c2;
};

DEVICE Fr stored(const Fr* values, u64 index, u32 length) {
  return index < length ? values[index] : zero<ScalarField>();
}

DEVICE void add_pair(RoundSums& sums, Fr a0, Fr a1, Fr b0, Fr b1) {
  sums.c0 = sums.c0 + a0 * b0;
  sums.c2 = sums.c2 + (a1 - a0) * (b1 - b0);
}

DEVICE RoundSums no_sums() { return {zero<ScalarField>(), zero<ScalarField>()}; }

// Σ_i a(i, ·)·b(i, ·), one pair of sums a thread.
KERNEL plain_round(const Fr* a, const Fr* b, u32 length, u32 half, RoundSums* sums) {
  u32 pairs = length < half ? length : half;
  RoundSums own = no_sums();
  for (u64 i = thread_index(); i < pairs; i += thread_count())
    add_pair(own, a[i], stored(a, i + half, length), b[i], stored(b, i + half, length));
  sums[thread_index()] = own;
}

// v(i, r) = v(i, 0) + r·(v(i, 1) − v(i, 0)), in place, `length` above `half`.
KERNEL bind(Fr* values, u32 length, u32 half, Fr r) {
  for (u64 i = thread_index(); i < half; i += thread_count()) {
    Fr low = values[i];
    values[i] = low + r * (stored(values, i + half, length) - low);
  }
}

// `bind` of both factors and the `plain_round` that follows, in one pass. `half` is at least 2.
KERNEL bind_round(Fr* a, Fr* b, u32 length, u32 half, Fr r, RoundSums* sums) {
  u32 quarter = half / 2;
  RoundSums own = no_sums();
  for (u64 i = thread_index(); i < quarter; i += thread_count()) {
    Fr a0 = a[i], a1 = a[i + quarter], b0 = b[i], b1 = b[i + quarter];
    a0 = a0 + r * (stored(a, i + half, length) - a0);
    a1 = a1 + r * (stored(a, i + half + quarter, length) - a1);
    b0 = b0 + r * (stored(b, i + half, length) - b0);
    b1 = b1 + r * (stored(b, i + half + quarter, length) - b1);
    a[i] = a0;
    a[i + quarter] = a1;
    b[i] = b0;
    b[i + quarter] = b1;
    add_pair(own, a0, a1, b0, b1);
  }
  sums[thread_index()] = own;
}

// One summand of the lookup sumcheck: Σ_k a_k·b_k + linear (which may be null), all of 2·half values.
constexpr u32 MOST_PRODUCTS = 8;
struct Summand {
  const Fr* a[MOST_PRODUCTS];
  const Fr* b[MOST_PRODUCTS];
  const Fr* linear;
  u64 products;
};

// Its round under the weights eq(τ, ·) of the variables after this one.
KERNEL eq_round(Summand part, const Fr* eq, u32 half, RoundSums* sums) {
  RoundSums own = no_sums();
  for (u64 i = thread_index(); i < half; i += thread_count()) {
    RoundSums here = no_sums();
    if (part.linear) here.c0 = part.linear[i];
    for (u32 k = 0; k < part.products; k++)
      add_pair(here, part.a[k][i], part.a[k][i + half], part.b[k][i], part.b[k][i + half]);
    own.c0 = own.c0 + here.c0 * eq[i];
    own.c2 = own.c2 + here.c2 * eq[i];
  }
  sums[thread_index()] = own;
}

// eq of one variable fewer: the top one is summed out.
KERNEL sum_out_top(Fr* eq, u32 half) {
  u32 i = thread_index();
  if (i < half) eq[i] = eq[i] + eq[i + half];
}

// Thread t adds sums t, t + threads, …
KERNEL add_sums(const RoundSums* sums, u32 count, RoundSums* out) {
  RoundSums own = no_sums();
  for (u64 i = thread_index(); i < count; i += thread_count()) {
    own.c0 = own.c0 + sums[i].c0;
    own.c2 = own.c2 + sums[i].c2;
  }
  out[thread_index()] = own;
}
