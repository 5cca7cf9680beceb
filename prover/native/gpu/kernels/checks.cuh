// Arithmetic on its own, one operation a thread, for the self-test and for tests against the CPU.
#pragma once
#include "curve.cuh"

template <class P>
DEVICE Field<P> calculate(u32 operation, Field<P> a, Field<P> b) {
  switch (operation) {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return a * b;
    case 3: return inverse(a);
    default: return to_integer(a);
  }
}

KERNEL scalar_operation(u32 operation, const Fr* a, const Fr* b, u32 count, Fr* out) {
  u32 i = thread_index();
  if (i < count) out[i] = calculate(operation, a[i], b[i]);
}

KERNEL base_operation(u32 operation, const Fq* a, const Fq* b, u32 count, Fq* out) {
  u32 i = thread_index();
  if (i < count) out[i] = calculate(operation, a[i], b[i]);
}

// 0: a + b as a mixed addition; 1: a + 2b, of sums with ZZ ≠ 1; 2: 2a.
KERNEL point_operation(u32 operation, const Affine* a, const Affine* b, u32 count, Sum* out) {
  u32 i = thread_index();
  if (i >= count) return;
  Sum sum = to_sum(a[i]);
  if (operation == 0) {
    add(sum, b[i]);
  } else if (operation == 1) {
    // 3a + (2b − 2a).
    Sum triple = added(doubled(sum), sum);
    Affine negative = {a[i].x, -a[i].y};
    Sum rest = added(doubled(to_sum(b[i])), doubled(to_sum(negative)));
    sum = added(triple, rest);
  } else {
    sum = doubled(sum);
  }
  out[i] = sum;
}

// How fast multiplications are where memory does not matter: two chains a thread.
KERNEL multiply_chains(Fq* values, u32 count, u32 times) {
  u32 i = thread_index();
  if (i >= count) return;
  Fq a = values[i], b = a + one<BaseField>(), factor = a;
#pragma unroll 1
  for (u32 k = 0; k < times; k++) {
    a = a * factor;
    b = b * factor;
  }
  values[i] = a + b;
}
