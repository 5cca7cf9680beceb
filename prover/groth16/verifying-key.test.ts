import { bn254 } from '@noble/curves/bn254.js'
import fc from 'fast-check'
import { keccak256 } from 'viem'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import {
  checkVerifyingKey,
  checkVerifyingKeyForExport,
  type Groth16VerifyingKey,
  g1Coordinates,
  g2Coordinates,
  parseVerifyingKey,
  verifyingKeyHash,
} from './verifying-key.js'

const G1 = bn254.G1.Point.BASE
const G2 = bn254.G2.Point.BASE
const { Fp, Fp2 } = bn254.fields

const key: Groth16VerifyingKey = {
  format: 'platemark-groth16-verifying-key',
  version: 1,
  nPublic: 2,
  alpha1: g1Coordinates(G1.multiply(3n)),
  beta2: g2Coordinates(G2.multiply(5n)),
  gamma2: g2Coordinates(G2.multiply(7n)),
  delta2: g2Coordinates(G2.multiply(11n)),
  ic: [13n, 17n, 19n].map((k) => g1Coordinates(G1.multiply(k))),
}
const hex = (value: bigint) => `0x${value.toString(16).padStart(64, '0')}` as const

/** A point on the twist outside the prime-order subgroup, found by trying x = i + u. */
function offSubgroup() {
  for (let i = 1n; ; i++) {
    const x = { c0: i, c1: 1n }
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), bn254.G2.Point.CURVE().b))
      const point = bn254.G2.Point.fromAffine({ x, y })
      if (!point.isTorsionFree()) return g2Coordinates(point)
    } catch {}
  }
}

describe('parseVerifyingKey', () => {
  test('accepts a key and survives a JSON round trip', () => {
    expect(parseVerifyingKey(JSON.parse(JSON.stringify(key)))).toEqual(key)
  })

  test.each<[string, unknown, RegExp]>([
    ['null', null, /JSON object/],
    ['an array', [], /JSON object/],
    ['another version', { ...key, version: 2 }, /version/],
    ['another format', { ...key, format: 'x' }, /format/],
    ['an unknown field', { ...key, extra: 1 }, /extra/],
    ['a missing point', { ...key, alpha1: undefined }, /alpha1/],
    ['too few ic points', { ...key, ic: key.ic.slice(1) }, /ic/],
    ['a fractional count', { ...key, nPublic: 1.5 }, /nPublic/],
    ['infinity', { ...key, alpha1: [hex(0n), hex(0n)] }, /alpha1 is not usable.*infinity/s],
    [
      'G2 infinity',
      {
        ...key,
        delta2: [
          [hex(0n), hex(0n)],
          [hex(0n), hex(0n)],
        ],
      },
      /delta2 is not usable.*infinity/s,
    ],
    ['a point off the curve', { ...key, alpha1: [hex(1n), hex(3n)] }, /alpha1 is not usable/],
    ['a point off the subgroup', { ...key, beta2: offSubgroup() }, /beta2.*subgroup/s],
    [
      'a coordinate + q',
      { ...key, alpha1: [hex(BigInt(key.alpha1[0]) + Fp.ORDER), key.alpha1[1]] },
      /alpha1\[0\]/,
    ],
    ['upper case', { ...key, alpha1: [key.alpha1[0].toUpperCase(), key.alpha1[1]] }, /alpha1\[0\]/],
    ['a number', { ...key, alpha1: [1, 2] }, /alpha1\[0\]/],
  ])('refuses %s', (_, json, message) => {
    expect(() => parseVerifyingKey(json)).toThrow(PlatemarkError)
    expect(() => parseVerifyingKey(json)).toThrow(message)
  })

  test('any JSON value is refused with a PlatemarkError', () => {
    const fields = fc.record(
      Object.fromEntries(
        Object.entries(key).map(([name, value]) => [
          name,
          fc.oneof(fc.constant<unknown>(value), fc.jsonValue()),
        ]),
      ),
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fields), (json) => {
        try {
          expect(parseVerifyingKey(json)).toEqual(json)
        } catch (error) {
          expect(error).toBeInstanceOf(PlatemarkError)
        }
      }),
      { numRuns: 300 },
    )
  })
})

test('the hash is of all coordinates in EIP-197 order', () => {
  const words = [
    ...key.alpha1,
    ...[key.beta2, key.gamma2, key.delta2].flatMap(([x, y]) => [x[1], x[0], y[1], y[0]]),
    ...key.ic.flat(),
  ]
  expect(verifyingKeyHash(key)).toBe(keccak256(`0x${words.map((w) => w.slice(2)).join('')}`))
  expect(verifyingKeyHash({ ...key, gamma2: key.delta2 })).not.toBe(verifyingKeyHash(key))
})

describe('checkVerifyingKey', () => {
  const generator = g2Coordinates(G2)
  const opposite = g2Coordinates(G2.negate())

  test('accepts unrelated gamma and delta, and gamma = generator', () => {
    checkVerifyingKey(key)
    checkVerifyingKey({ ...key, gamma2: generator })
  })

  test.each<[string, Partial<Groth16VerifyingKey>, RegExp]>([
    ['delta = gamma', { delta2: key.gamma2 }, /delta equals gamma/],
    ['delta = −gamma', { delta2: g2Coordinates(G2.multiply(7n).negate()) }, /delta equals gamma/],
    ['gamma = delta = generator', { gamma2: generator, delta2: generator }, /delta equals gamma/],
    ['delta = generator', { delta2: generator }, /delta is the G2 generator/],
    ['delta = −generator', { delta2: opposite }, /delta is the G2 generator/],
    ['equal ic', { ic: [key.ic[0]!, key.ic[1]!, key.ic[1]!] }, /ic\[1\] and ic\[2\]/],
    ['off subgroup', { gamma2: offSubgroup() }, /subgroup/],
  ])('refuses %s', (_, change, message) => {
    expect(() => checkVerifyingKey({ ...key, ...change })).toThrow(message)
  })

  test('export wants the record of a ceremony when gamma is the generator', () => {
    const ceremonyKey = { ...key, gamma2: generator }
    const verifyingKeyHashOf = verifyingKeyHash(ceremonyKey)
    const record = { verifyingKeyHash: verifyingKeyHashOf }
    checkVerifyingKeyForExport(ceremonyKey, { ...record, kind: 'ptau', contributions: ['ada'] })
    for (const setup of [
      { ...record, kind: 'development' as const, contributions: ['ada'] },
      { ...record, kind: 'ptau' as const, contributions: [] },
      { ...record, kind: 'ptau' as const },
    ])
      expect(() => checkVerifyingKeyForExport(ceremonyKey, setup)).toThrow(/gamma is the G2/)
    expect(() => checkVerifyingKeyForExport(key, { ...record, kind: 'development' })).toThrow(
      /not the one its setup record describes/,
    )
  })
})
