import { mulAddUnsafe } from '@noble/curves/abstract/curve.js'
import { bn254 } from '@noble/curves/bn254.js'
import { type G1, G1_BASE, type G2, G2_BASE } from './read-points.js'
import type { Points, Scalars } from './read-proof.js'
import { ensure } from './reject.js'
import { mod, multiply, power } from './scalar-field.js'
import type { Transcript } from './transcript.js'

type Term = readonly [point: G1, scalar: bigint]

/** Σ scalar · point, interleaved: for tens of points faster than buckets. */
function combine(terms: readonly Term[]): G1 {
  return mulAddUnsafe(
    bn254.G1.Point,
    terms.map(([point]) => point),
    terms.map(([, scalar]) => mod(scalar)),
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
  const [h, g, q, s, d, sum, last] = points.values as [G1, G1, G1, G1, G1, G1, G1]
  const bytes = (from: number, to: number) => points.bytes.subarray(64 * from, 64 * to)
  const chi = transcript.one(bytes(0, 1))
  const theta = transcript.one(bytes(1, 3))
  const zeta = transcript.one(bytes(3, 5))
  const delta = transcript.one(evaluations.bytes.subarray(0, 6 * 32))
  const w = transcript.one(bytes(5, 6))
  const [gZeta, gIota, hZeta, hIota, hChi, sZeta, inverse] = evaluations.values as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ]
  // ζ·(w − ι), w − χ and w − z: their product with ζ has the inverse that the proof says.
  const byIota = mod(zeta * w - 1n)
  const byChi = mod(w - chi)
  const byZ = image === undefined ? 1n : mod(w - image.z)
  ensure(
    multiply(multiply(inverse, zeta), multiply(byIota, multiply(byChi, byZ))) === 1n,
    'inverse',
  )
  const iota = multiply(inverse, multiply(byIota, multiply(byChi, byZ)))
  const share = multiply(multiply(inverse, zeta), w - zeta)
  const cIota = multiply(multiply(share, zeta), multiply(byChi, byZ))
  const cChi = multiply(share, multiply(byIota, byZ))
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
  const yZeta = gZeta * (1n + d1) + d2 * hZeta + d3 * sZeta + d4 * dZeta
  const yIota = gIota + d1 * hIota + d2 * sIota
  const leftTerms: Term[] = [
    ...commitments.map((commitment, i): Term => [commitment, scalars[i]!]),
    [h, d2 + cIota * d1 + cChi],
    [g, d1 + cIota],
    [q, chi - power(zeta, 2 ** t)],
    [s, d3 + cIota * d2],
    [d, d4],
    [sum, zeta - w],
    [last, w],
    [G1_BASE, -(yZeta + cIota * yIota + cChi * hChi)],
  ]
  if (image !== undefined) {
    const cZ = multiply(share, multiply(byIota, byChi))
    leftTerms.push([image.commitment, cZ], [G1_BASE, -cZ * image.value])
  }
  const pairs = [
    { g1: combine(leftTerms), g2: G2_BASE },
    { g1: last.negate(), g2: tau },
    // The library does not take infinity, whose pairing is 1.
  ].filter(({ g1 }) => !g1.is0())
  const { Fp12 } = bn254.fields
  ensure(pairs.length === 0 || Fp12.eql(bn254.pairingBatch(pairs), Fp12.ONE), 'opening')
}
