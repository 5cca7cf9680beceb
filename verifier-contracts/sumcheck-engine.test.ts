import { readFileSync } from 'node:fs'
import { bn254 } from '@noble/curves/bn254.js'
import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js'
import fc from 'fast-check'
import { keccak256, size } from 'viem'
import { requestOfVector, type Vectors } from '../prover/sumcheck/vectors.js'
import { CODE_SIZE_LIMIT, compilePackageContract } from './compile-solidity.js'
import { ENGINE_CODE_HASH } from './sumcheck-engine.js'
import { type TestEngine, testEngine } from './test/sumcheck-engine.js'

const slow = process.env.PLATEMARK_SLOW === '1'
const ORDER = bn254.fields.Fr.ORDER
const read = (file: string) =>
  JSON.parse(
    readFileSync(new URL(`../fixtures/sumcheck/${file}`, import.meta.url), 'utf8'),
  ) as Vectors
const vectors = read('vectors.json')
const conditioned = read('conditions.json')
let engine: TestEngine

beforeAll(async () => {
  engine = await testEngine()
}, 300_000)

test('the engine has the code that generated verifiers ask for', async () => {
  const { deployedBytecode, immutables } = await compilePackageContract('SumcheckVerifier')
  expect(immutables).toEqual([])
  expect(size(deployedBytecode)).toBeLessThanOrEqual(CODE_SIZE_LIMIT)
  // Another hash: write it into sumcheck-engine.ts.
  expect(keccak256(deployedBytecode)).toBe(ENGINE_CODE_HASH)
})

/** The error that stands for a reason of the other verifiers. */
function errorFor(reason: string): RegExp {
  if (reason.startsWith('proof length')) return /^ProofLengthInvalid\(/
  if (reason.startsWith('scalar not canonical')) return /^ScalarNotCanonical\(/
  if (reason.startsWith('point not on the curve'))
    // The hash of the image's commitment comes first.
    return /^(PointNotOnCurve|ImageHashMismatch)\(/
  if (reason.startsWith('image hash')) return /^ImageHashMismatch\(/
  if (reason === 'public inputs: no such class') return /^LabelInvalid\(/
  if (/^public inputs: .* condition bytes/.test(reason)) return /^ConditionsLengthInvalid\(/
  if (reason.startsWith('public inputs')) return /^ImageLengthInvalid\(/
  if (reason === 'merged claim') return /^ClaimMismatch\(/
  if (reason === 'opening') return /^OpeningInvalid\(/
  if (reason === 'inverse') return /^InverseInvalid\(/
  throw new Error(`no error stands for ${reason}`)
}

test('golden proofs are accepted', async () => {
  for (const vector of [...vectors.positive, ...conditioned.positive]) {
    const result = await engine.ask(requestOfVector(vector))
    expect([vector.name, result.success]).toEqual([vector.name, true])
  }
}, 120_000)

test.each([
  ['vectors', vectors],
  ['conditions', conditioned],
])(
  'negative %s are rejected for the reason of the other verifiers',
  async (_, vectors) => {
    // The contract is given no latent: there is nothing to lie about.
    const expressible = vectors.negative.filter(
      ({ latent, proof, seed }) =>
        latent === undefined || proof !== undefined || seed !== undefined,
    )
    expect(vectors.negative.length - expressible.length).toBeLessThan(10)
    for (const change of expressible) {
      const result = await engine.ask(requestOfVector(vectors.positive[change.base]!, change))
      expect([change.name, result.success ? 'accepted' : result.reason]).toEqual([
        change.name,
        expect.stringMatching(errorFor(change.reason)),
      ])
    }
  },
  600_000,
)

test('no proof with one word changed passes', async () => {
  const base = vectors.positive.map((vector) => requestOfVector(vector))
  await fc.assert(
    fc.asyncProperty(
      fc.nat(base.length - 1),
      fc.nat(),
      fc.bigInt({ min: 1n, max: ORDER - 1n }),
      fc.constantFrom('add', 'set', 'alias'),
      async (which, place, value, how) => {
        const request = base[which]!
        const proof = request.proof.slice()
        const at = 32 * (place % (proof.length / 32))
        const old = bytesToNumberBE(proof.subarray(at, at + 32))
        const next = how === 'add' ? (old + value) % ORDER : how === 'set' ? value : old + ORDER
        fc.pre(next !== old && next < 1n << 256n)
        proof.set(numberToBytesBE(next, 32), at)
        const result = await engine.ask({ ...request, proof })
        expect(result.success).toBe(false)
      },
    ),
    { numRuns: slow ? 10_000 : 150 },
  )
}, 3_600_000)

test('a key without conditions takes none', async () => {
  const request = requestOfVector(vectors.positive[0]!)
  const result = await engine.ask({ ...request, conditions: Uint8Array.of(0, 3) })
  expect(result.success ? 'accepted' : result.reason).toMatch(/^ConditionsLengthInvalid\(2, 0\)/)
})

test('a proof is for its key, seed, image and context only', async () => {
  const requests = vectors.positive.map((vector) => requestOfVector(vector))
  for (const [i, request] of requests.entries()) {
    const other = requests[(i + 1) % requests.length]!
    for (const change of [
      { key: other.key },
      { key: { ...(request.key as object), modelId: `0x${'ab'.repeat(32)}` } },
      { seed: request.seed.map((byte, k) => (k === 31 ? byte ^ 1 : byte)) },
      { context: request.context.map((byte, k) => (k === 0 ? byte ^ 128 : byte)) },
      { image: request.image.map((byte, k) => (k === 1 ? byte ^ 1 : byte)) },
    ])
      expect((await engine.ask({ ...request, ...change })).success).toBe(false)
  }
}, 300_000)

test('a point off the curve costs little, whatever gas is given', async () => {
  const request = requestOfVector(vectors.positive[0]!)
  const valid = await engine.ask(request)
  for (const at of [63, request.proof.length - 7 * 32 - 1]) {
    const proof = request.proof.map((byte, i) => (i === at ? byte ^ 1 : byte))
    const { gas } = await engine.ask({ ...request, proof })
    expect(gas.execution).toBeLessThan(valid.gas.execution / 4n)
  }
})
