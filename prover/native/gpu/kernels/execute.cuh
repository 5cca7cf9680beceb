// Execution of a model on its cells (sumcheck/execute.rs). All sums are below 2^63: the compiler proves it
// for every seed.
#pragma once
#include "platform.cuh"

// What an index adds to the places in output, weights and input.
struct Step {
  u32 output, weight, input;
};

// Positions along one kernel axis: position i has the taps from starts[i] to starts[i + 1].
struct Positions {
  const u32* outputs;
  const u32* starts;
  const Step* taps;
  u64 count;
};

// The sums of a term, one output a thread: over contracted digits and the taps of both kernel axes.
KERNEL add_term(const i64* weights, const i64* input, const Step* outer, u32 outers,
                const Step* inner, u32 inners, Positions down, Positions across, i64* sums) {
  u64 t = thread_index();
  u64 x = t % across.count, y = t / across.count % down.count, o = t / across.count / down.count;
  if (o >= outers) return;
  Step own = outer[o];
  u32 rows = down.starts[y], rows_end = down.starts[y + 1];
  u32 columns = across.starts[x], columns_end = across.starts[x + 1];
  i64 sum = 0;
  for (u32 c = 0; c < inners; c++) {
    Step step = inner[c];
    const i64* w = weights + own.weight + step.weight;
    const i64* u = input + own.input + step.input;
    for (u32 row = rows; row < rows_end; row++) {
      Step a = down.taps[row];
      for (u32 column = columns; column < columns_end; column++) {
        Step b = across.taps[column];
        sum += w[a.weight + b.weight] * u[a.input + b.input];
      }
    }
  }
  sums[own.output + down.outputs[y] + across.outputs[x]] += sum;
}

// Where quotients, outputs and limbs of a block go.
constexpr u32 MOST_LIMBS = 4;
struct Places {
  i64* quotient;
  i64* output;
  i64* limbs[MOST_LIMBS];
  u64 count;
};

// acc·multiplier + half = q·2^shift + limbs, and the table's output at q; `wrong` counts quotients that are
// in no table.
KERNEL requantize(const i64* sums, const u32* cells, u32 count, i64 multiplier, u32 shift,
                  u32 limb_bits, const i64* table, i64 first, u32 rows, Places to, u32* wrong) {
  u32 i = thread_index();
  if (i >= count) return;
  u32 cell = cells[i];
  i64 half = shift ? (i64)1 << (shift - 1) : 0;
  i64 scaled = sums[cell] * multiplier + half;
  i64 q = scaled >> shift, row = q - first;
  if (row < 0 || row >= (i64)rows) {
    fetch_add(wrong, 1);
    return;
  }
  to.quotient[cell] = q;
  to.output[cell] = table[row];
  i64 rest = scaled - (i64)((u64)q << shift);
  for (u32 k = 0; k < to.count; k++) {
    to.limbs[k][cell] = rest & (((i64)1 << limb_bits) - 1);
    rest >>= limb_bits;
  }
}

// to[cells[i]] = from[reads[i]].
KERNEL copy_cells(const i64* from, const u32* reads, const u32* cells, u32 count, i64* to) {
  u32 i = thread_index();
  if (i < count) to[cells[i]] = from[reads[i]];
}
