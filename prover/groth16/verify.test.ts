import { bn254 } from '@noble/curves/bn254.js'
import fc from 'fast-check'
import type { Hex } from 'viem'
import { SCALAR_FIELD } from '../../circuits/field.js'
import { knownKey } from '../../verifier-contracts/test/known-key.js'
import type { Verdict } from '../backend.js'
import type { Statement } from '../statement.js'
import {
  BASE_FIELD,
  decodeProof,
  encodeProof,
  type Groth16Proof,
  PROOF_BYTES,
  publicSignalCount,
  publicSignals,
} from './encoding.js'
import { verifyWithSnarkjs } from './snarkjs-files.js'
import { verifyGroth16, verifySignals } from './verify.js'
import { g1Coordinates, g2Coordinates } from './verifying-key.js'

const DIMENSIONS = 33
const { Fp2 } = bn254.fields

const statement: Statement = {
  modelId: `0x${'ab'.repeat(32)}`,
  seed: 42n,
  imageHash: `0x${'1f'.repeat(32)}`,
  context: {
    chainId: 31337n,
    contract: '0x00000000000000000000000000000000000000aa',
    recipient: '0x00000000000000000000000000000000000000bb',
  },
}
const key = knownKey(publicSignalCount(DIMENSIONS))
const signals = publicSignals(statement, DIMENSIONS) as readonly bigint[]
const proof = key.prove(signals)
const decoded = decodeProof(proof) as Groth16Proof

const verify = (
  changes: {
    readonly statement?: Partial<Statement>
    readonly proof?: Uint8Array
    readonly verifyingKey?: unknown
    readonly latentDimensions?: number
  } = {},
): Verdict =>
  verifyGroth16({
    verifyingKey: key.verifyingKey,
    latentDimensions: DIMENSIONS,
    proof,
    ...changes,
    statement: { ...statement, ...changes.statement },
  })

const reason = (verdict: Verdict): string => (verdict.valid ? 'valid' : verdict.reason)

/** The proof with one 32-byte word replaced. */
function withWord(index: number, word: bigint): Uint8Array {
  const bytes = proof.slice()
  bytes.set(Buffer.from(word.toString(16).padStart(64, '0'), 'hex'), 32 * index)
  return bytes
}
const wordOf = (index: number) =>
  BigInt(`0x${Buffer.from(proof.subarray(32 * index, 32 * index + 32)).toString('hex')}`)

describe('verifyGroth16', () => {
  test('accepts a valid proof', () => {
    expect(verify()).toEqual({ valid: true })
  })

  test('snarkjs agrees, and with us on another statement', async () => {
    expect(await verifyWithSnarkjs(key.verifyingKey, signals, decoded)).toBe(true)
    const other = signals.map((signal, i) => (i === 0 ? signal + 1n : signal))
    expect(await verifyWithSnarkjs(key.verifyingKey, other, decoded)).toBe(false)
  }, 60_000)

  const { context } = statement
  test.each<[string, Partial<Statement>]>([
    ['image hash', { imageHash: `0x${'1e'.repeat(32)}` }],
    ['seed', { seed: 43n }],
    ['a seed that is 2^256 − 1', { seed: (1n << 256n) - 1n }],
    ['model', { modelId: `0x${'ac'.repeat(32)}` }],
    ['chain', { context: { ...context, chainId: 1n } }],
    ['contract', { context: { ...context, contract: context.recipient } }],
    ['recipient', { context: { ...context, recipient: context.contract } }],
  ])('rejects another %s', (_, change) => {
    expect(reason(verify({ statement: change }))).toMatch(/^proof equation/)
  })

  const hash = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`
  test.each<[string, Partial<Statement>, RegExp]>([
    [
      'an image hash + r',
      { imageHash: hash(signals[0]! + SCALAR_FIELD) },
      /^image hash: not below/,
    ],
    ['an image hash of r', { imageHash: hash(SCALAR_FIELD) }, /^image hash: not below/],
    ['a short image hash', { imageHash: '0x12' }, /^image hash: not 32/],
    ['no hex', { imageHash: `0x${'zz'.repeat(32)}` }, /^image hash: not 32/],
    ['a negative seed', { seed: -1n }, /^statement/],
    ['a seed of 2^256', { seed: 1n << 256n }, /^statement/],
    ['an address that is none', { context: { ...context, contract: '0x12' } }, /^statement/],
  ])('rejects %s', (_, change, expected) => {
    expect(reason(verify({ statement: change }))).toMatch(expected)
  })

  test.each<[string, Uint8Array]>([
    ['empty', new Uint8Array()],
    ['truncated', proof.slice(0, -1)],
    ['extended', Uint8Array.of(...proof, 0)],
    ['twice', Uint8Array.of(...proof, ...proof)],
  ])('rejects a proof that is %s', (_, bytes) => {
    expect(reason(verify({ proof: bytes }))).toMatch(/^proof length/)
  })

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('rejects coordinate %i + q', (index) => {
    const word = wordOf(index) + BASE_FIELD
    if (word < 1n << 256n)
      expect(reason(verify({ proof: withWord(index, word) }))).toBe(
        `proof encoding: coordinate ${index} is not below q`,
      )
    expect(reason(verify({ proof: withWord(index, BASE_FIELD) }))).toMatch(/^proof encoding/)
  })

  test('rejects points off the curve, infinity, and points off the subgroup', () => {
    expect(reason(verify({ proof: withWord(0, wordOf(0) ^ 1n) }))).toMatch(/^proof point A/)
    expect(reason(verify({ proof: withWord(2, wordOf(2) ^ 1n) }))).toMatch(/^proof point B/)
    expect(reason(verify({ proof: withWord(6, wordOf(6) ^ 1n) }))).toMatch(/^proof point C/)
    expect(reason(verify({ proof: new Uint8Array(PROOF_BYTES) }))).toMatch(/^proof point A/)
    const infinite = proof.slice()
    infinite.fill(0, 192)
    expect(reason(verify({ proof: infinite }))).toMatch(/^proof point C/)
    const b = encodeProof({ ...decoded, b: offSubgroup() })
    expect(reason(verify({ proof: b }))).toBe(
      'proof point B: not on the curve or not in the subgroup',
    )
  })

  test('rejects the halves of B exchanged, and C negated', () => {
    const { b, c } = decoded
    const swapped = {
      x: { c0: b.x.c1, c1: b.x.c0 },
      y: { c0: b.y.c1, c1: b.y.c0 },
    }
    expect(verify({ proof: encodeProof({ ...decoded, b: swapped }) }).valid).toBe(false)
    const negated = { x: c.x, y: BASE_FIELD - c.y }
    expect(reason(verify({ proof: encodeProof({ ...decoded, c: negated }) }))).toMatch(/^proof eq/)
  })

  test('rejects signals in another order', () => {
    const [digest, first, second, bound] = signals as [bigint, bigint, bigint, bigint]
    expect(verifySignals(key.verifyingKey, [digest, second, first, bound], decoded).valid).toBe(
      false,
    )
  })

  test('rejects keys for other statements and keys that anyone can forge under', () => {
    const { verifyingKey } = key
    expect(reason(verify({ verifyingKey: knownKey(3).verifyingKey }))).toMatch(/^verifying key/)
    expect(reason(verify({ latentDimensions: 16 }))).toMatch(/^verifying key/)
    expect(reason(verify({ latentDimensions: 1e9 }))).toMatch(/^verifying key/)
    expect(reason(verify({ verifyingKey: null }))).toMatch(/^verifying key/)
    const skipped = { ...verifyingKey, delta2: verifyingKey.gamma2 }
    expect(reason(verify({ verifyingKey: skipped }))).toMatch(/^verifying key: delta equals gamma/)
    const other = { ...verifyingKey, alpha1: g1Coordinates(bn254.G1.Point.BASE) }
    expect(reason(verify({ verifyingKey: other }))).toMatch(/^proof equation/)
    const b = { ...verifyingKey, beta2: g2Coordinates(bn254.G2.Point.BASE) }
    expect(reason(verify({ verifyingKey: b }))).toMatch(/^proof equation/)
  })

  test('the forgery without a phase 2 works against the equation, so the key check is needed', () => {
    const { verifyingKey } = key
    const skipped = { ...verifyingKey, delta2: verifyingKey.gamma2 }
    const points = verifyingKey.ic.map(([x, y]) =>
      bn254.G1.Point.fromAffine({ x: BigInt(x), y: BigInt(y) }),
    )
    const inputs = signals.reduce(
      (sum, signal, i) => sum.add(points[i + 1]!.multiply(signal)),
      points[0]!,
    )
    const [[bx, by], [ax, ay]] = [verifyingKey.beta2, verifyingKey.alpha1]
    const forged: Groth16Proof = {
      a: { x: BigInt(ax), y: BigInt(ay) },
      b: {
        x: { c0: BigInt(bx[0]), c1: BigInt(bx[1]) },
        y: { c0: BigInt(by[0]), c1: BigInt(by[1]) },
      },
      c: inputs.negate().toAffine(),
    }
    expect(verifySignals(skipped, signals, forged)).toEqual({ valid: true })
    expect(reason(verify({ verifyingKey: skipped, proof: encodeProof(forged) }))).toMatch(
      /^verifying key: delta equals gamma/,
    )
  })

  test('any single altered byte is rejected', () => {
    fc.assert(
      fc.property(fc.nat(PROOF_BYTES - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = proof.slice()
        bytes[at]! ^= change
        return !verify({ proof: bytes }).valid
      }),
      { numRuns: 40 },
    )
  })

  test('arbitrary bytes are rejected and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => !verify({ proof: bytes }).valid),
      { numRuns: 60 },
    )
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: PROOF_BYTES, maxLength: PROOF_BYTES }),
        (bytes) => !verify({ proof: bytes }).valid,
      ),
      { numRuns: 60 },
    )
  })
})

describe('proof encoding', () => {
  test('survives a round trip', () => {
    expect(encodeProof(decoded)).toEqual(proof)
  })

  test('is malleable, which is why no proof is ever an identity', () => {
    // (−A, −B, C) is the same proof: nothing may use its hash as a key against replay.
    const { a, b } = decoded
    const minus = { c0: (BASE_FIELD - b.y.c0) % BASE_FIELD, c1: (BASE_FIELD - b.y.c1) % BASE_FIELD }
    const twin = {
      ...decoded,
      a: { x: a.x, y: BASE_FIELD - a.y },
      b: { x: b.x, y: minus },
    }
    expect(verify({ proof: encodeProof(twin) })).toEqual({ valid: true })
  })
})

/** A point on the twist outside the subgroup of order r. */
function offSubgroup(): Groth16Proof['b'] {
  for (let i = 1n; ; i++) {
    const x = Fp2.create({ c0: i, c1: 1n })
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), bn254.G2.Point.CURVE().b))
      if (!bn254.G2.Point.fromAffine({ x, y }).isTorsionFree())
        return { x: { c0: x.c0, c1: x.c1 }, y: { c0: y.c0, c1: y.c1 } }
    } catch {}
  }
}
