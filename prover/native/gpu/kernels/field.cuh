// The two prime fields of BN254 in Montgomery form: the value v is stored as v·2^256 mod the modulus,
// always reduced. In memory that is what arkworks stores too. Arguments are values, so that an element
// is read from memory in whole, with two wide loads.
#pragma once
#include "limbs.cuh"

struct BaseField {
  static DEVICE constexpr u32 modulus(int i) {
    constexpr u32 limbs[8] = {0xd87cfd47, 0x3c208c16, 0x6871ca8d, 0x97816a91,
                              0x8181585d, 0xb85045b6, 0xe131a029, 0x30644e72};
    return limbs[i];
  }
  // 2^512 mod the modulus.
  static DEVICE constexpr u32 square(int i) {
    constexpr u32 limbs[8] = {0x538afa89, 0xf32cfc5b, 0xd44501fb, 0xb5e71911,
                              0x0a417ff6, 0x47ab1eff, 0xcab8351f, 0x06d89f71};
    return limbs[i];
  }
  // 2^256 mod the modulus: one.
  static DEVICE constexpr u32 unit(int i) {
    constexpr u32 limbs[8] = {0xc58f0d9d, 0xd35d438d, 0xf5c70b3d, 0x0a78eb28,
                              0x7879462c, 0x666ea36f, 0x9a07df2f, 0x0e0a77c1};
    return limbs[i];
  }
  // −1/modulus mod 2^32.
  static constexpr u32 inverse = 0xe4866389;
};

struct ScalarField {
  static DEVICE constexpr u32 modulus(int i) {
    constexpr u32 limbs[8] = {0xf0000001, 0x43e1f593, 0x79b97091, 0x2833e848,
                              0x8181585d, 0xb85045b6, 0xe131a029, 0x30644e72};
    return limbs[i];
  }
  static DEVICE constexpr u32 square(int i) {
    constexpr u32 limbs[8] = {0xae216da7, 0x1bb8e645, 0xe35c59e3, 0x53fe3ab1,
                              0x53bb8085, 0x8c49833d, 0x7f4e44a5, 0x0216d0b1};
    return limbs[i];
  }
  static DEVICE constexpr u32 unit(int i) {
    constexpr u32 limbs[8] = {0x4ffffffb, 0xac96341c, 0x9f60cd29, 0x36fc7695,
                              0x7879462e, 0x666ea36f, 0x9a07df2f, 0x0e0a77c1};
    return limbs[i];
  }
  static constexpr u32 inverse = 0xefffffff;
};

template <class P>
struct alignas(16) Field {
  u32 limb[8];
};

using Fq = Field<BaseField>;
using Fr = Field<ScalarField>;

template <class P>
DEVICE Field<P> zero() {
  Field<P> r;
#pragma unroll
  for (int i = 0; i < 8; i++) r.limb[i] = 0;
  return r;
}

template <class P>
DEVICE Field<P> modulus() {
  Field<P> r;
#pragma unroll
  for (int i = 0; i < 8; i++) r.limb[i] = P::modulus(i);
  return r;
}

template <class P>
DEVICE bool is_zero(Field<P> a) {
  u32 any = 0;
#pragma unroll
  for (int i = 0; i < 8; i++) any |= a.limb[i];
  return any == 0;
}

template <class P>
DEVICE bool operator==(Field<P> a, Field<P> b) {
  u32 any = 0;
#pragma unroll
  for (int i = 0; i < 8; i++) any |= a.limb[i] ^ b.limb[i];
  return any == 0;
}

// a where `first`, else b.
template <class P>
DEVICE Field<P> select(bool first, Field<P> a, Field<P> b) {
  Field<P> r;
#pragma unroll
  for (int i = 0; i < 8; i++) r.limb[i] = first ? a.limb[i] : b.limb[i];
  return r;
}

// a below twice the modulus, reduced.
template <class P>
DEVICE Field<P> reduce(Field<P> a) {
  Field<P> m = modulus<P>(), r;
  u32 borrow = sub_limbs(r.limb, a.limb, m.limb);
  return select(borrow != 0, a, r);
}

template <class P>
DEVICE Field<P> operator+(Field<P> a, Field<P> b) {
  Field<P> r;
  // Below 2^255.
  add_limbs(r.limb, a.limb, b.limb);
  return reduce(r);
}

template <class P>
DEVICE Field<P> operator-(Field<P> a, Field<P> b) {
  Field<P> m = modulus<P>(), r, s;
  u32 borrow = sub_limbs(r.limb, a.limb, b.limb);
  add_limbs(s.limb, r.limb, m.limb);
  return select(borrow != 0, s, r);
}

template <class P>
DEVICE Field<P> operator-(Field<P> a) {
  return zero<P>() - a;
}

template <class P>
DEVICE Field<P> twice(Field<P> a) {
  return a + a;
}

// One limb b of the multiplier: even += a·b, then the multiple of the modulus that clears the lowest
// limb. `even` and `odd` stand for even + odd·2^32; afterwards they change roles, everything having
// moved down by one limb.
template <class P>
DEVICE void multiply_limb(u32* even, u32* odd, const u32* a, u32 b) {
  // The lowest limb of `even` was cleared one step ago; what it stood for is in odd[1].
  shift_add_products(odd, even[0], odd[1], a[1], a[3], a[5], a[7], b);
  add_products(even, odd[7], a[0], a[2], a[4], a[6], b);
  u32 m = even[0] * P::inverse, unused = 0;
  add_products(odd, unused, P::modulus(1), P::modulus(3), P::modulus(5), P::modulus(7), m);
  add_products(even, odd[7], P::modulus(0), P::modulus(2), P::modulus(4), P::modulus(6), m);
}

// a·b/2^256.
template <class P>
DEVICE Field<P> operator*(Field<P> a, Field<P> b) {
  u32 even[8] = {0, 0, 0, 0, 0, 0, 0, 0}, odd[8] = {0, 0, 0, 0, 0, 0, 0, 0};
#pragma unroll
  for (int i = 0; i < 8; i += 2) {
    multiply_limb<P>(even, odd, a.limb, b.limb[i]);
    multiply_limb<P>(odd, even, a.limb, b.limb[i + 1]);
  }
  // even + odd·2^32 with the lowest limb of `odd` cleared, all one limb up.
  u32 shifted[8];
#pragma unroll
  for (int i = 0; i < 7; i++) shifted[i] = odd[i + 1];
  shifted[7] = 0;
  Field<P> r;
  add_limbs(r.limb, even, shifted);
  return reduce(r);
}

template <class P>
DEVICE Field<P> squared(Field<P> a) {
  return a * a;
}

template <class P>
DEVICE Field<P> one() {
  Field<P> r;
#pragma unroll
  for (int i = 0; i < 8; i++) r.limb[i] = P::unit(i);
  return r;
}

// The integer that an element stands for.
template <class P>
DEVICE Field<P> to_integer(Field<P> a) {
  Field<P> unit = zero<P>();
  unit.limb[0] = 1;
  return a * unit;
}

// 1/a = a^(modulus − 2), and 0 of 0.
template <class P>
DEVICE_CALL Field<P> inverse(Field<P> a) {
  Field<P> r = one<P>();
#pragma unroll 1
  for (int bit = 253; bit >= 0; bit--) {
    r = squared(r);
    u32 limb = P::modulus(bit / 32);
    // The lowest limb of both moduli is at least 2.
    if (bit < 32) limb -= 2;
    if ((limb >> (bit % 32)) & 1) r = r * a;
  }
  return r;
}

// r·2^256 for `scaled` below: multiplies plain integers by r.
template <class P>
DEVICE Field<P> for_integers(Field<P> r) {
  Field<P> square;
#pragma unroll
  for (int i = 0; i < 8; i++) square.limb[i] = P::square(i);
  return r * square;
}

// value·r, given for_integers(r).
template <class P>
DEVICE Field<P> scaled(i64 value, Field<P> prepared) {
  u64 magnitude = value < 0 ? 0 - (u64)value : (u64)value;
  Field<P> a = zero<P>();
  a.limb[0] = (u32)magnitude;
  a.limb[1] = (u32)(magnitude >> 32);
  Field<P> r = a * prepared;
  return value < 0 ? -r : r;
}
