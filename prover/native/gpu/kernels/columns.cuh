// Columns of cells: integers and inverses that the lookups need.
#pragma once
#include "field.cuh"

// Integers as scalars, times `scale`.
KERNEL from_integers(const i64* values, u32 count, Fr scale, Fr* out) {
  u32 i = thread_index();
  if (i >= count) return;
  out[i] = scaled(values[i], for_integers(scale));
}

// into += scale·values, of integers.
KERNEL add_scaled_integers(Fr* into, const i64* values, u32 count, Fr scale) {
  Fr prepared = for_integers(scale);
  for (u64 i = thread_index(); i < count; i += thread_count()) {
    if (values[i] != 0) into[i] = into[i] + scaled(values[i], prepared);
  }
}

// out[i] = scale·values[rows[i]].
KERNEL gather(const Fr* values, const u32* rows, u32 count, Fr scale, Fr* out) {
  u32 i = thread_index();
  if (i < count) out[i] = scale * values[rows[i]];
}

// The bucket of every cell for sums of points: one a row.
KERNEL row_digits(const u32* rows, u32 count, int* digits) {
  u32 i = thread_index();
  if (i < count) digits[i] = (int)rows[i] + 1;
}

// Fingerprints of a table's rows (protocol.md §6.4): start − β·(first + i) − β²·outputs[i].
KERNEL fingerprints(const i64* outputs, u32 count, i64 first, Fr start, Fr beta, Fr* out) {
  u32 i = thread_index();
  if (i >= count) return;
  out[i] = start - scaled(first + i, for_integers(beta)) -
           scaled(outputs[i], for_integers(beta * beta));
}

// Inverts where `needed` is not zero (null: everywhere): one inversion a thread. Zeros stay zero, what
// is not needed becomes zero. `out` serves as scratch first.
KERNEL invert(const Fr* values, const i64* needed, u32 count, Fr* out) {
  u32 threads = thread_count();
  Fr product = one<ScalarField>();
  i64 last = -1;
  for (u64 i = thread_index(); i < count; i += threads) {
    out[i] = product;
    if ((!needed || needed[i] != 0) && !is_zero(values[i])) product = product * values[i];
    last = (i64)i;
  }
  if (last < 0) return;
  Fr inverted = inverse(product);
  for (i64 i = last; i >= 0; i -= threads) {
    bool wanted = (!needed || needed[i] != 0) && !is_zero(values[i]);
    Fr own = inverted * out[i];
    if (wanted) inverted = inverted * values[i];
    out[i] = wanted ? own : zero<ScalarField>();
  }
}

// out[i] = factors[i]·values[i].
KERNEL scale_by_integers(const Fr* values, const i64* factors, u32 count, Fr* out) {
  u32 i = thread_index();
  if (i >= count) return;
  out[i] = scaled(factors[i], for_integers(values[i]));
}
