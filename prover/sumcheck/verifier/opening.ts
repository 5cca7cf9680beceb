import { pippenger } from '@noble/curves/abstract/curve.js'
import { bn254 } from '@noble/curves/bn254.js'
import { type G1, G1_BASE, type G2, G2_BASE } from './read-points.js'
import type { Points, Scalars } from './read-proof.js'
import { ensure } from './reject.js'
import { invert, mod, multiply, power } from './scalar-field.js'
import type { Transcript } from './transcript.js'

/** Σ scalars · points. */
function combine(points: readonly G1[], scalars: readonly bigint[]): G1 {
  const used = points.map((_, i) => i).filter((i) => scalars[i] !== 0n && !points[i]!.is0())
  if (used.length === 0) return bn254.G1.Point.ZERO
  return pippenger(
    bn254.G1.Point,
    used.map((i) => points[i]!),
    used.map((i) => scalars[i]!),
  )
}

/** Π (1 − u + u·x^{2^k}), k = 0 for the last entry. */
function eqPolynomial(point: readonly bigint[], x: bigint): bigint {
  let weight = x
  let product = 1n
  for (const u of [...point].reverse()) {
    product = mod(product * (1n - u + u * weight))
    weight = multiply(weight, weight)
  }
  return product
}

/** A commitment as a polynomial in one variable, and its claimed value at z. */
export type ImageOpening = { readonly commitment: G1; readonly z: bigint; readonly value: bigint }

/**
 * Checks that Σ scalars · commitments opens at ρ to `value`, and the image's commitment at z to its
 * (`docs/protocol.md` §8).
 *
 * @throws {Rejection}
 */
export function checkOpening(
  tau: G2,
  commitments: readonly G1[],
  scalars: readonly bigint[],
  rho: readonly bigint[],
  value: bigint,
  points: Points,
  evaluations: Scalars,
  image: ImageOpening | undefined,
  transcript: Transcript,
): void {
  const [h, g, q, s, d, wZeta, wIota, wChi] = points.values as [G1, G1, G1, G1, G1, G1, G1, G1]
  const bytes = (from: number, to: number) => points.bytes.subarray(64 * from, 64 * to)
  const chi = transcript.one(bytes(0, 1))
  const theta = transcript.one(bytes(1, 3))
  const zeta = transcript.one(bytes(3, 5))
  const delta = transcript.one(evaluations.bytes)
  const kappa = transcript.one(bytes(5, points.values.length))
  ensure(zeta !== 0n, 'degenerate challenge')
  const iota = invert(zeta)
  const [gZeta, gIota, hZeta, hIota, hChi, sZeta] = evaluations.values as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ]
  const t = Math.floor(rho.length / 2)
  const u2 = rho.slice(0, rho.length - t)
  const u1 = rho.slice(rho.length - t)
  const left = mod(
    gZeta * eqPolynomial(u1, iota) +
      gIota * eqPolynomial(u1, zeta) +
      theta * mod(hZeta * eqPolynomial(u2, iota) + hIota * eqPolynomial(u2, zeta)),
  )
  const sIota = mod(zeta * (left - 2n * (hChi + theta * value) - zeta * sZeta))
  const dZeta = multiply(power(zeta, 2 ** t - 1), gIota)
  const [, d1, d2, d3, d4] = [0, 1, 2, 3, 4].map((k) => power(delta, k)) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ]
  const kappa2 = multiply(kappa, kappa)
  const kappa3 = multiply(kappa2, kappa)
  const yZeta = gZeta * (1n + d1) + d2 * hZeta + d3 * sZeta + d4 * dZeta
  const yIota = gIota + d1 * hIota + d2 * sIota
  const wImage = points.values.slice(8)
  const total = combine(
    [
      ...[...commitments, h, g, q, s, d, wZeta, wIota, wChi, G1_BASE],
      ...(image === undefined ? [] : [image.commitment, ...wImage]),
    ],
    [
      ...scalars,
      mod(d2 + kappa * d1 + kappa2),
      mod(d1 + kappa),
      mod(chi - power(zeta, 2 ** t)),
      mod(d3 + kappa * d2),
      d4,
      zeta,
      multiply(kappa, iota),
      multiply(kappa2, chi),
      mod(-(yZeta + kappa * mod(yIota) + kappa2 * hChi + kappa3 * (image?.value ?? 0n))),
      kappa3,
      multiply(kappa3, image?.z ?? 0n),
    ],
  )
  const right = combine([wZeta, wIota, wChi, ...wImage], [1n, kappa, kappa2, kappa3])
  const pairs = [
    { g1: total, g2: G2_BASE },
    { g1: right.negate(), g2: tau },
    // The library does not take infinity, whose pairing is 1.
  ].filter(({ g1 }) => !g1.is0())
  const { Fp12 } = bn254.fields
  ensure(pairs.length === 0 || Fp12.eql(bn254.pairingBatch(pairs), Fp12.ONE), 'opening')
}
