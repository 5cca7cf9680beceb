import { bn254 } from '@noble/curves/bn254.js'
import { numberToBytesBE } from '@noble/curves/utils.js'
import fc from 'fast-check'
import { readKey } from './read-key.js'
import { proofLength, proofShape } from './read-proof.js'
import { Rejection } from './reject.js'
import { randomScalars } from './test-cells.js'
import { type KeyFile, testKey } from './test-key.js'
import { type SumcheckVerification, verifySumcheck } from './verify.js'

/** Whatever is wrong, the verdict is a reason: never an exception, never undefined. */
function reason(request: SumcheckVerification): string {
  const verdict = verifySumcheck(request)
  if (typeof verdict !== 'string') throw new Error('accepted')
  return verdict
}

/** A proof that decodes: points of the curve and scalars below the order, none of them meant. */
function decodable(key: KeyFile, seed: bigint): Uint8Array {
  const random = randomScalars(seed)
  const shape = proofShape(key)
  const extra = shape.imageCommitments
  const points = shape.firstColumns + shape.secondColumns + extra
  const pool = random(4).map((scalar) => {
    const { x, y } = bn254.G1.Point.BASE.multiplyUnsafe(scalar).toAffine()
    return [...numberToBytesBE(x, 32), ...numberToBytesBE(y, 32)]
  })
  const point = (i: number) => (i % 5 === 4 ? new Uint8Array(64) : pool[i % 5]!)
  const total = proofLength(key)
  const scalars = (total - 64 * (points + 7) - 32 * 7) / 32
  const bytes = [
    ...Array.from({ length: points }, (_, i) => point(i)),
    ...random(scalars).map((value) => numberToBytesBE(value, 32)),
    ...Array.from({ length: 7 }, (_, i) => point(i)),
    ...random(7).map((value) => numberToBytesBE(value, 32)),
  ]
  return Uint8Array.from(bytes.flatMap((part) => [...part]))
}

function request(key: KeyFile, proof: Uint8Array): SumcheckVerification {
  const { height, width, channels, binding } = key.image
  return {
    ...{ key, proof },
    seed: new Uint8Array(32).fill(1),
    context: new Uint8Array(32).fill(2),
    image: new Uint8Array(binding === 'pixels' ? height * width * channels : 32).fill(3),
    latent: new Uint8Array(key.latent.dimensions).fill(4),
  }
}

const keyOf = (binding: 'pixels' | 'commitment', columnBits: number): KeyFile => {
  const key = testKey(columnBits)
  return { ...key, image: { ...key.image, binding } }
}

test('a proof that decodes and proves nothing fails where its claims are compared', () => {
  for (const columnBits of [4, 7, 12]) {
    const pixels = keyOf('pixels', columnBits)
    expect(reason(request(pixels, decodable(pixels, 1n)))).toBe('merged claim')
    const committed = keyOf('commitment', columnBits)
    expect(reason(request(committed, decodable(committed, 1n)))).toBe('image hash')
  }
})

test('a public input of another length is named', () => {
  const pixels = keyOf('pixels', 7)
  const committed = keyOf('commitment', 7)
  const short = new Uint8Array(31)
  const honest = request(pixels, decodable(pixels, 1n))
  expect(reason({ ...honest, seed: short })).toBe('public inputs: 32 bytes')
  expect(reason({ ...honest, context: short })).toBe('public inputs: 32 bytes')
  expect(reason({ ...honest, image: short })).toBe(
    'public inputs: expected 36 pixel bytes, found 31',
  )
  expect(reason({ ...honest, latent: short })).toBe(
    'public inputs: expected 3 latent bytes, found 31',
  )
  expect(reason({ ...request(committed, decodable(committed, 1n)), image: short })).toBe(
    'public inputs: expected 32 image hash bytes, found 31',
  )
})

test('truncated, extended and random proofs give reasons', () => {
  const key = keyOf('pixels', 7)
  const proof = decodable(key, 2n)
  fc.assert(
    fc.property(fc.nat(2 * proof.length), (length) => {
      const resized = new Uint8Array(length)
      resized.set(proof.subarray(0, length))
      if (length !== proof.length)
        expect(reason(request(key, resized))).toMatch(/^proof length: expected \d+ bytes, found /)
    }),
    { numRuns: 50 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ minLength: proof.length, maxLength: proof.length }), (bytes) => {
      expect(reason(request(key, bytes))).toMatch(/not on the curve|not canonical|merged claim/)
    }),
    { numRuns: 20 },
  )
})

test('mutated proofs give reasons', () => {
  const keys = [keyOf('pixels', 7), keyOf('commitment', 7)]
  const proofs = keys.map((key) => decodable(key, 3n))
  fc.assert(
    fc.property(fc.boolean(), fc.nat(1 << 20), fc.nat(255), (committed, at, byte) => {
      const key = keys[committed ? 1 : 0]!
      const proof = proofs[committed ? 1 : 0]!.slice()
      proof[at % proof.length] = byte
      expect(reason(request(key, proof))).toMatch(
        /^(point not on the curve at byte \d+|scalar not canonical at byte \d+|merged claim|image hash)$/,
      )
    }),
    { numRuns: 40 },
  )
})

type Path = readonly (string | number)[]

/** Every place in a JSON value. */
function paths(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at]
  const inner = Object.entries(value).flatMap(([name, item]) => paths(item, [...at, name]))
  return [at, ...inner]
}

function replace(value: unknown, path: Path, by: unknown): unknown {
  const [name, ...rest] = path
  if (name === undefined) return by
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...value] : { ...value }
  const members = copy as Record<string, unknown>
  members[name] = replace(members[name], rest, by)
  return copy
}

const junk = fc.oneof(
  fc.constantFrom<unknown>(
    -1,
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    16,
    64,
    0.5,
    -0,
    2 ** 40,
    2 ** 53,
    Number.NaN,
  ),
  fc.constantFrom<unknown>(
    Number.POSITIVE_INFINITY,
    null,
    undefined,
    true,
    '',
    '0x',
    'copy',
    'tensor',
  ),
  fc.constantFrom<unknown>(
    [],
    {},
    [[]],
    [0],
    [0, 0],
    [0, 1, 2],
    new Array(3),
    'activation',
    'latent',
  ),
  fc.jsonValue({ maxDepth: 2 }),
)

test('mutated keys give reasons, read or not', () => {
  for (const binding of ['pixels', 'commitment'] as const) {
    const key = keyOf(binding, 7)
    const all = paths(key)
    let read = 0
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(all.length - 1), junk), { minLength: 1, maxLength: 3 }),
        (changes) => {
          const changed = changes.reduce<unknown>(
            (value, [i, by]) => replace(value, all[i]!, by),
            key,
          )
          try {
            readKey(changed)
            read++
          } catch (error) {
            expect(error).toBeInstanceOf(Rejection)
            expect(reason({ ...request(key, new Uint8Array(0)), key: changed })).toMatch(/^key: /)
            return
          }
          const own = changed as KeyFile
          reason(request(own, decodable(own, 4n)))
        },
      ),
      { numRuns: 300 },
    )
    expect(read).toBeGreaterThan(0)
  }
})
