// Factors of the affine argument (protocol.md §6.2, §6.3) and weights of the merged claims (§7.3), made of
// cells and of short vectors of eq.
#pragma once
#include "field.cuh"

// Σ_i scales[i]·values[i·width + j], rows part, part + parts, … at out[part·width + j]. Scales are
// for_integers of what is meant.
KERNEL combine_integers(const i64* values, u32 rows, u32 width, const Fr* scales, u32 parts,
                        Fr* out) {
  u64 t = thread_index();
  u64 part = t / width, j = t % width;
  if (part >= parts) return;
  Fr sum = zero<ScalarField>();
  for (u64 i = part; i < rows; i += parts) {
    i64 value = values[i * width + j];
    if (value != 0) sum = sum + scaled(value, scales[i]);
  }
  out[t] = sum;
}

// The same of scalars; without scales their plain sum.
KERNEL combine_scalars(const Fr* values, u32 rows, u32 width, const Fr* scales, u32 parts,
                       Fr* out) {
  u64 t = thread_index();
  u64 part = t / width, j = t % width;
  if (part >= parts) return;
  Fr sum = zero<ScalarField>();
  for (u64 i = part; i < rows; i += parts) {
    Fr value = values[i * width + j];
    sum = sum + (scales ? scales[i] * value : value);
  }
  out[t] = sum;
}

// A run of bits of an index, and where it is in the cell.
struct BitMove {
  u32 from, length, to;
};

// The cells of a block with their digits in another order, summed over digits that are not in the index:
// Σ_k weights[k]·cells[cell(i) + places[k]], in `parts` sums as above. Weights are for_integers.
KERNEL lay_out_cells(const i64* cells, const BitMove* moves, u32 moved, const u32* places,
                     const Fr* weights, u32 count, u32 size, u32 parts, Fr* out) {
  u64 t = thread_index();
  u64 part = t / size;
  if (part >= parts) return;
  u32 index = (u32)(t % size), cell = 0;
  for (u32 k = 0; k < moved; k++) {
    BitMove move = moves[k];
    cell |= ((index >> move.from) & ((1u << move.length) - 1)) << move.to;
  }
  Fr sum = zero<ScalarField>();
  for (u64 k = part; k < count; k += parts) {
    i64 value = cells[cell + places[k]];
    if (value != 0) sum = sum + scaled(value, weights[k]);
  }
  out[t] = sum;
}

// out[(m·taps + k)·inner + x] = Σ_y weights[k·middle + y]·values[(m·middle + y)·inner + x].
KERNEL contract_middle(const Fr* values, u32 outer, u32 middle, u32 inner, const Fr* weights,
                       u32 taps, Fr* out) {
  u64 t = thread_index();
  u64 x = t % inner, k = t / inner % taps, m = t / inner / taps;
  if (m >= outer) return;
  Fr sum = zero<ScalarField>();
  for (u64 y = 0; y < middle; y++)
    sum = sum + weights[k * middle + y] * values[(m * middle + y) * inner + x];
  out[t] = sum;
}

// From [contract][group][tap] to [group][contract][padded tap], times the group's weight.
KERNEL place_inputs(const Fr* values, u32 groups, u32 contract, u32 taps, u32 padded,
                    const Fr* weights, Fr* out) {
  u64 t = thread_index();
  u64 k = t % padded, c = t / padded % contract, g = t / padded / contract;
  if (g >= groups) return;
  out[t] = k < taps ? weights[g] * values[(c * groups + g) * taps + k] : zero<ScalarField>();
}

// out[i·width + j] = a[i]·b[j].
KERNEL outer_product(const Fr* a, u32 count, const Fr* b, u32 width, Fr* out) {
  u64 t = thread_index();
  if (t / width < count) out[t] = a[t / width] * b[t % width];
}

// into[i] += high[i >> bits]·low[the rest of i].
KERNEL add_outer(Fr* into, u32 count, const Fr* high, const Fr* low, u32 bits) {
  u32 i = thread_index();
  if (i < count) into[i] = into[i] + high[i >> bits] * low[i & ((1u << bits) - 1)];
}

// into[i] += value.
KERNEL add_constant(Fr* into, u32 count, Fr value) {
  u32 i = thread_index();
  if (i < count) into[i] = into[i] + value;
}
