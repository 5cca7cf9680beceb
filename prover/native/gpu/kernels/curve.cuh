// G1 of BN254, y² = x³ + 3: affine points and sums in coordinates (X, Y, ZZ, ZZZ) with x = X/ZZ,
// y = Y/ZZZ, ZZ³ = ZZZ² (the "XYZZ" of the Explicit-Formulas Database). Infinity is (0, 0), respectively
// ZZ = 0; no point has y = 0, the order being odd.
#pragma once
#include "field.cuh"

struct Affine {
  Fq x, y;
};

struct Sum {
  Fq x, y, zz, zzz;
};

DEVICE bool is_infinity(const Affine& p) { return is_zero(p.x) && is_zero(p.y); }
DEVICE bool is_infinity(const Sum& p) { return is_zero(p.zz); }

DEVICE Sum infinity() {
  Fq none = zero<BaseField>();
  return {none, none, none, none};
}

DEVICE Sum to_sum(const Affine& p) {
  if (is_infinity(p)) return infinity();
  Fq unit = one<BaseField>();
  return {p.x, p.y, unit, unit};
}

// 2p ("dbl-2008-s-1"); infinity stays what it is.
DEVICE_CALL Sum doubled(const Sum& p) {
  Fq u = twice(p.y);
  Fq v = squared(u);
  Fq w = u * v;
  Fq s = p.x * v;
  Fq xx = squared(p.x);
  Fq m = twice(xx) + xx;
  Sum r;
  r.x = squared(m) - twice(s);
  r.y = m * (s - r.x) - w * p.y;
  r.zz = v * p.zz;
  r.zzz = w * p.zzz;
  return r;
}

// acc += p ("madd-2008-s").
DEVICE void add(Sum& acc, Affine p) {
  if (is_infinity(p)) return;
  if (is_infinity(acc)) {
    acc = to_sum(p);
    return;
  }
  Fq difference = p.x * acc.zz - acc.x;
  Fq r = p.y * acc.zzz - acc.y;
  if (is_zero(difference)) {
    acc = is_zero(r) ? doubled(acc) : infinity();
    return;
  }
  Fq pp = squared(difference);
  Fq ppp = difference * pp;
  Fq q = acc.x * pp;
  Fq x = squared(r) - ppp - twice(q);
  acc.y = r * (q - x) - acc.y * ppp;
  acc.x = x;
  acc.zz = acc.zz * pp;
  acc.zzz = acc.zzz * ppp;
}

// a + b ("add-2008-s").
DEVICE_CALL Sum added(const Sum& a, const Sum& b) {
  if (is_infinity(a)) return b;
  if (is_infinity(b)) return a;
  Fq u = a.x * b.zz;
  Fq s = a.y * b.zzz;
  Fq difference = b.x * a.zz - u;
  Fq r = b.y * a.zzz - s;
  if (is_zero(difference)) return is_zero(r) ? doubled(a) : infinity();
  Fq pp = squared(difference);
  Fq ppp = difference * pp;
  Fq q = u * pp;
  Sum sum;
  sum.x = squared(r) - ppp - twice(q);
  sum.y = r * (q - sum.x) - s * ppp;
  sum.zz = a.zz * b.zz * pp;
  sum.zzz = a.zzz * b.zzz * ppp;
  return sum;
}
