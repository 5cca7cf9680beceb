// 256-bit integers in eight 32-bit limbs, least significant first.
//
// Each function is one carry chain, on a card one block of assembly: nothing relies on the carry flag
// between blocks. Rows of products are summed with even and odd limbs apart, so that the low and the
// high half of a product land in neighbouring limbs and the assembler can use one wide multiplication.
#pragma once
#include "platform.cuh"

// r = a + b mod 2^256; the carry.
DEVICE u32 add_limbs(u32* r, const u32* a, const u32* b) {
#ifdef __CUDA_ARCH__
  u32 carry;
  asm("add.cc.u32 %0, %9, %17;\n\t"
      "addc.cc.u32 %1, %10, %18;\n\t"
      "addc.cc.u32 %2, %11, %19;\n\t"
      "addc.cc.u32 %3, %12, %20;\n\t"
      "addc.cc.u32 %4, %13, %21;\n\t"
      "addc.cc.u32 %5, %14, %22;\n\t"
      "addc.cc.u32 %6, %15, %23;\n\t"
      "addc.cc.u32 %7, %16, %24;\n\t"
      "addc.u32 %8, 0, 0;"
      : "=&r"(r[0]), "=&r"(r[1]), "=&r"(r[2]), "=&r"(r[3]), "=&r"(r[4]), "=&r"(r[5]),
        "=&r"(r[6]), "=&r"(r[7]), "=&r"(carry)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[4]), "r"(a[5]), "r"(a[6]), "r"(a[7]),
        "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), "r"(b[4]), "r"(b[5]), "r"(b[6]), "r"(b[7]));
  return carry;
#else
  u64 sum = 0;
  for (int i = 0; i < 8; i++) {
    sum += (u64)a[i] + b[i];
    r[i] = (u32)sum;
    sum >>= 32;
  }
  return (u32)sum;
#endif
}

// r = a − b mod 2^256; 1 if it borrows.
DEVICE u32 sub_limbs(u32* r, const u32* a, const u32* b) {
#ifdef __CUDA_ARCH__
  u32 borrow;
  asm("sub.cc.u32 %0, %9, %17;\n\t"
      "subc.cc.u32 %1, %10, %18;\n\t"
      "subc.cc.u32 %2, %11, %19;\n\t"
      "subc.cc.u32 %3, %12, %20;\n\t"
      "subc.cc.u32 %4, %13, %21;\n\t"
      "subc.cc.u32 %5, %14, %22;\n\t"
      "subc.cc.u32 %6, %15, %23;\n\t"
      "subc.cc.u32 %7, %16, %24;\n\t"
      "subc.u32 %8, 0, 0;"
      : "=&r"(r[0]), "=&r"(r[1]), "=&r"(r[2]), "=&r"(r[3]), "=&r"(r[4]), "=&r"(r[5]),
        "=&r"(r[6]), "=&r"(r[7]), "=&r"(borrow)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[4]), "r"(a[5]), "r"(a[6]), "r"(a[7]),
        "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), "r"(b[4]), "r"(b[5]), "r"(b[6]), "r"(b[7]));
  // 0 − 0 − borrow is all ones.
  return borrow & 1;
#else
  u64 borrow = 0;
  for (int i = 0; i < 8; i++) {
    u64 difference = (u64)a[i] - b[i] - borrow;
    r[i] = (u32)difference;
    borrow = difference >> 63;
  }
  return (u32)borrow;
#endif
}

// acc += Σ_k x_k·m·2^{64k} over four limbs x_k; the carry goes into `extra`.
DEVICE void add_products(u32* acc, u32& extra, u32 x0, u32 x1, u32 x2, u32 x3, u32 m) {
#ifdef __CUDA_ARCH__
  u32 r[8], carried;
  asm("mad.lo.cc.u32 %0, %18, %22, %9;\n\t"
      "madc.hi.cc.u32 %1, %18, %22, %10;\n\t"
      "madc.lo.cc.u32 %2, %19, %22, %11;\n\t"
      "madc.hi.cc.u32 %3, %19, %22, %12;\n\t"
      "madc.lo.cc.u32 %4, %20, %22, %13;\n\t"
      "madc.hi.cc.u32 %5, %20, %22, %14;\n\t"
      "madc.lo.cc.u32 %6, %21, %22, %15;\n\t"
      "madc.hi.cc.u32 %7, %21, %22, %16;\n\t"
      "addc.u32 %8, %17, 0;"
      : "=&r"(r[0]), "=&r"(r[1]), "=&r"(r[2]), "=&r"(r[3]), "=&r"(r[4]), "=&r"(r[5]),
        "=&r"(r[6]), "=&r"(r[7]), "=&r"(carried)
      : "r"(acc[0]), "r"(acc[1]), "r"(acc[2]), "r"(acc[3]), "r"(acc[4]), "r"(acc[5]), "r"(acc[6]),
        "r"(acc[7]), "r"(extra), "r"(x0), "r"(x1), "r"(x2), "r"(x3), "r"(m));
#pragma unroll
  for (int i = 0; i < 8; i++) acc[i] = r[i];
  extra = carried;
#else
  const u32 x[4] = {x0, x1, x2, x3};
  u64 carry = 0;
  for (int k = 0; k < 4; k++) {
    // The low halves, then the high ones, as the two instructions do.
    u64 low = (u64)(u32)((u64)x[k] * m) + acc[2 * k] + carry;
    acc[2 * k] = (u32)low;
    u64 high = (((u64)x[k] * m) >> 32) + acc[2 * k + 1] + (low >> 32);
    acc[2 * k + 1] = (u32)high;
    carry = high >> 32;
  }
  extra += (u32)carry;
#endif
}

// first += addend; then, with that carry into the lowest limb, acc = acc / 2^64 + Σ_k x_k·m·2^{64k}.
DEVICE void shift_add_products(u32* acc, u32& first, u32 addend, u32 x0, u32 x1, u32 x2, u32 x3,
                               u32 m) {
#ifdef __CUDA_ARCH__
  u32 r[8], sum;
  asm("add.cc.u32 %8, %15, %16;\n\t"
      "madc.lo.cc.u32 %0, %17, %21, %9;\n\t"
      "madc.hi.cc.u32 %1, %17, %21, %10;\n\t"
      "madc.lo.cc.u32 %2, %18, %21, %11;\n\t"
      "madc.hi.cc.u32 %3, %18, %21, %12;\n\t"
      "madc.lo.cc.u32 %4, %19, %21, %13;\n\t"
      "madc.hi.cc.u32 %5, %19, %21, %14;\n\t"
      "madc.lo.cc.u32 %6, %20, %21, 0;\n\t"
      "madc.hi.u32 %7, %20, %21, 0;"
      : "=&r"(r[0]), "=&r"(r[1]), "=&r"(r[2]), "=&r"(r[3]), "=&r"(r[4]), "=&r"(r[5]),
        "=&r"(r[6]), "=&r"(r[7]), "=&r"(sum)
      : "r"(acc[2]), "r"(acc[3]), "r"(acc[4]), "r"(acc[5]), "r"(acc[6]), "r"(acc[7]), "r"(first),
        "r"(addend), "r"(x0), "r"(x1), "r"(x2), "r"(x3), "r"(m));
#pragma unroll
  for (int i = 0; i < 8; i++) acc[i] = r[i];
  first = sum;
#else
  const u32 x[4] = {x0, x1, x2, x3};
  u64 carry = (u64)first + addend;
  first = (u32)carry;
  carry >>= 32;
  for (int k = 0; k < 4; k++) {
    u64 low = (u64)(u32)((u64)x[k] * m) + (k < 3 ? acc[2 * k + 2] : 0) + carry;
    acc[2 * k] = (u32)low;
    u64 high = (((u64)x[k] * m) >> 32) + (k < 3 ? acc[2 * k + 3] : 0) + (low >> 32);
    acc[2 * k + 1] = (u32)high;
    carry = high >> 32;
  }
#endif
}
