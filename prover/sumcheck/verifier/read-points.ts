import type { Fp2 } from '@noble/curves/abstract/tower.js'
import type { WeierstrassPoint } from '@noble/curves/abstract/weierstrass.js'
import { bn254 } from '@noble/curves/bn254.js'
import { bytesToNumberBE } from '@noble/curves/utils.js'

export type G1 = WeierstrassPoint<bigint>
export type G2 = WeierstrassPoint<Fp2>

/** G1's generator. */
export const G1_BASE: G1 = bn254.G1.Point.BASE

/** G2's generator. A point of its own: for the library's, the subgroup check first builds a big table. */
export const G2_BASE: G2 = bn254.G2.Point.fromAffine(bn254.G2.Point.BASE.toAffine())

const FIELD = bn254.fields.Fp.ORDER

/** 64 bytes, canonical and on the curve (zeros: infinity), or undefined. */
export function readG1(bytes: Uint8Array): G1 | undefined {
  const x = bytesToNumberBE(bytes.subarray(0, 32))
  const y = bytesToNumberBE(bytes.subarray(32, 64))
  if (x === 0n && y === 0n) return bn254.G1.Point.ZERO
  if (x >= FIELD || y >= FIELD || (y * y - x * x * x - 3n) % FIELD !== 0n) return undefined
  return bn254.G1.Point.fromAffine({ x, y })
}

/** 128 bytes x.c1 ‖ x.c0 ‖ y.c1 ‖ y.c0: canonical, on the curve, of prime order, not infinity. */
export function readG2(bytes: Uint8Array): G2 | undefined {
  const [x1, x0, y1, y0] = [0, 32, 64, 96].map((at) => bytesToNumberBE(bytes.subarray(at, at + 32)))
  if ([x1!, x0!, y1!, y0!].some((value) => value >= FIELD)) return undefined
  try {
    const point = bn254.G2.Point.fromAffine({ x: { c0: x0!, c1: x1! }, y: { c0: y0!, c1: y1! } })
    // On the curve, of prime order.
    point.assertValidity()
    return point.is0() ? undefined : point
  } catch {
    return undefined
  }
}
