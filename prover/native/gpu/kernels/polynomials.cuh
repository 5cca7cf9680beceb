// Vectors of scalars as multilinear polynomials and as coefficients: eq tables, evaluation, division,
// and what Mercury's opening needs (protocol.md §8).
#pragma once
#include "field.cuh"

// From eq(u, ·) of some variables to that with one more in front of them: `size` values become 2·size.
KERNEL extend_eq(Fr* eq, u32 size, Fr u) {
  u32 i = thread_index();
  if (i >= size) return;
  Fr high = eq[i] * u;
  eq[i + size] = high;
  eq[i] = eq[i] - high;
}

// Horner's rule in pieces. Row i, lane l of f is f[i·lanes + l]; piece p has rows p·piece and on, and
// out[p·lanes + l] = Σ_k f[p·piece + k]·x^k over it. One thread a piece and lane.
KERNEL evaluate_pieces(const Fr* f, u32 rows, u32 lanes, u32 piece, Fr x, Fr* out) {
  u64 t = thread_index();
  u64 from = t / lanes * piece, lane = t % lanes;
  if (from >= rows) return;
  u64 to = from + piece < rows ? from + piece : rows;
  Fr sum = zero<ScalarField>();
  for (u64 i = to; i > from; i--) sum = sum * x + f[(i - 1) * lanes + lane];
  out[t] = sum;
}

// Suffix values s_i = Σ_{k ≥ i} f_k·x^{k−i} a lane, given those of the pieces (null for one piece).
// `out` gets s_i in row i, or with `shifted` s_{i+1}: that is the quotient by X − x, and s_0 the
// remainder, which goes to `remainder` where that is not null.
KERNEL suffix_values(const Fr* f, u32 rows, u32 lanes, u32 piece, Fr x, const Fr* pieces,
                     u32 shifted, Fr* out, Fr* remainder) {
  u64 t = thread_index();
  u64 p = t / lanes, from = p * piece, lane = t % lanes;
  if (from >= rows) return;
  u64 to = from + piece < rows ? from + piece : rows;
  Fr sum = zero<ScalarField>();
  if (pieces && to < rows) sum = pieces[(p + 1) * lanes + lane];
  for (u64 i = to; i > from; i--) {
    u64 at = (i - 1) * lanes + lane;
    Fr next = sum * x + f[at];
    out[at] = shifted ? sum : next;
    sum = next;
  }
  if (from == 0 && remainder) remainder[lane] = sum;
}

// Σ_col f[row·columns + col]·weights[col], in `parts` sums a row.
KERNEL row_products(const Fr* f, const Fr* weights, u32 rows, u32 columns, u32 parts, Fr* out) {
  u64 t = thread_index();
  u64 row = t / parts, part = t % parts;
  if (row >= rows) return;
  Fr sum = zero<ScalarField>();
  for (u64 col = part; col < columns; col += parts)
    sum = sum + f[row * columns + col] * weights[col];
  out[t] = sum;
}

// Σ_i a_{i+d}·b_i + a_i·b_{i+d} for d = 1 … count − 1, at out[(d − 1)·parts …], in `parts` sums each.
KERNEL cross_terms(const Fr* a, const Fr* b, u32 count, u32 parts, Fr* out) {
  u64 t = thread_index();
  u64 d = t / parts + 1, part = t % parts;
  if (d >= count) return;
  Fr sum = zero<ScalarField>();
  for (u64 i = part; i + d < count; i += parts) sum = sum + a[i + d] * b[i] + a[i] * b[i + d];
  out[t] = sum;
}

// Sums of `parts` neighbours.
KERNEL add_parts(const Fr* values, u32 count, u32 parts, Fr* out) {
  u64 t = thread_index();
  if (t >= count) return;
  Fr sum = zero<ScalarField>();
  for (u32 k = 0; k < parts; k++) sum = sum + values[t * parts + k];
  out[t] = sum;
}

// into += scale·values.
KERNEL add_scaled(Fr* into, const Fr* values, u32 count, Fr scale) {
  u32 i = thread_index();
  if (i < count) into[i] = into[i] + scale * values[i];
}
