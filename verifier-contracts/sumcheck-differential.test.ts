import { readFileSync } from 'node:fs'
import { bn254 } from '@noble/curves/bn254.js'
import { concatBytes, numberToBytesBE } from '@noble/curves/utils.js'
import fc from 'fast-check'
import type { BlockDescriptor, TermDescriptor } from '../circuits/sumcheck/descriptor.js'
import { requestOfVector, type Vectors } from '../prover/sumcheck/vectors.js'
import { readKey } from '../prover/sumcheck/verifier/read-key.js'
import { type Rounds, readProof } from '../prover/sumcheck/verifier/read-proof.js'
import { blockBits } from '../prover/sumcheck/verifier/regions.js'
import { Transcript } from '../prover/sumcheck/verifier/transcript.js'
import { keyDigest, type SumcheckVerification } from '../prover/sumcheck/verifier/verify.js'
import { termPoints } from '../prover/sumcheck/verifier/wiring.js'
import { writeWire } from './encode-wire.js'
import { bitsOf, product, take, total, Writer } from './key-writer.js'
import { openSumcheckHarness, type SumcheckHarness } from './test/sumcheck-harness.js'

/*
 * The contract's transcript and its wires against those of the TypeScript verifier, directly: whole proofs
 * reach few of the shapes that an axis can have.
 */

const slow = process.env.PLATEMARK_SLOW === '1'
const ORDER = bn254.fields.Fr.ORDER
const scalar = fc.bigInt({ min: 0n, max: ORDER - 1n })
const word = fc.uint8Array({ minLength: 32, maxLength: 32 })
let harness: SumcheckHarness

beforeAll(async () => {
  harness = await openSumcheckHarness()
}, 300_000)

/** A kernel axis: sizes of its output and input axes, and how they are related. */
type Axis = {
  readonly output: readonly number[]
  readonly input: readonly number[]
  readonly stride: number
  readonly dilation: number
  readonly pad: number
  readonly transposed: boolean
  readonly kernel: number
}

const anySize = fc.oneof(fc.integer({ min: 2, max: 17 }), fc.constantFrom(2, 4, 8, 16))

/** Sizes, stride, dilation and pad have nothing to do with each other. */
const anyAxis: fc.Arbitrary<Axis> = fc.record({
  output: fc.array(anySize, { maxLength: 2 }),
  input: fc.array(anySize, { maxLength: 2 }),
  stride: fc.integer({ min: 1, max: 5 }),
  dilation: fc.integer({ min: 1, max: 3 }),
  pad: fc.integer({ min: -4, max: 6 }),
  transposed: fc.boolean(),
  kernel: fc.integer({ min: 1, max: 6 }),
})

/** What models have: one index is as many times longer as the stride says, the kernel reaches little further. */
const usualAxis: fc.Arbitrary<Axis> = fc
  .record({
    outer: anySize,
    inner: fc.constantFrom([], [2], [4], [3]),
    stride: fc.constantFrom(1, 2, 4),
    dilation: fc.constantFrom(1, 1, 2),
    kernel: fc.integer({ min: 1, max: 8 }),
    joined: fc.boolean(),
    pad: fc.integer({ min: 0, max: 4 }),
    transposed: fc.boolean(),
  })
  .map(({ outer, inner, stride, joined, pad, transposed, ...rest }) => {
    const driving = [outer, ...inner]
    const driven = joined
      ? [product(driving) * stride]
      : stride === 1
        ? driving
        : [...driving, stride]
    const [output, input] = transposed ? [driven, driving] : [driving, driven]
    return { output, input, stride, pad: Math.min(pad, stride), transposed, ...rest }
  })

const term = fc.record({
  groups: fc.array(anySize, { maxLength: 2 }),
  axes: fc.tuple(
    fc.option(fc.oneof(usualAxis, anyAxis), { nil: undefined }),
    fc.option(fc.oneof(usualAxis, anyAxis), { nil: undefined }),
  ),
  /** Whether the groups come last in the blocks. */
  groupsLast: fc.boolean(),
  more: fc.integer({ min: 0, max: 3 }),
  random: fc.infiniteStream(scalar),
})

test('wires of terms are those of the TypeScript verifier', async () => {
  await fc.assert(
    fc.asyncProperty(term, async ({ groups, axes, groupsLast, more, random }) => {
      const spatialSizes = (side: 'output' | 'input') =>
        axes.flatMap((axis) => (axis === undefined ? [] : axis[side]))
      const block = (side: 'output' | 'input'): BlockDescriptor => {
        const own = spatialSizes(side)
        return {
          space: 'activation',
          offset: 0,
          axes: groupsLast ? [...own, ...groups] : [...groups, ...own],
        }
      }
      const [output, input] = [block('output'), block('input')]
      const groupAt = (side: 'output' | 'input') => (groupsLast ? spatialSizes(side).length : 0)
      const spatialAt = groupsLast ? 0 : groups.length
      const next = { output: spatialAt, input: spatialAt }
      const numbers = (side: 'output' | 'input', count: number) =>
        Array.from({ length: count }, () => next[side]++)
      const descriptor: Pick<TermDescriptor, 'kernel' | 'spatial' | 'groupAxes'> = {
        groupAxes: groups.map((_, i) => [groupAt('output') + i, groupAt('input') + i]),
        kernel: [axes[0]?.kernel ?? 1, axes[1]?.kernel ?? 1],
        spatial: axes.flatMap((axis, kernelAxis) => {
          if (axis === undefined) return []
          const { stride, dilation, pad, transposed } = axis
          return {
            kernelAxis,
            output: numbers('output', axis.output.length),
            input: numbers('input', axis.input.length),
            ...{ stride, dilation, pad, transposed },
          }
        }),
      }
      const draw = (count: number) => Array.from({ length: count }, () => random.next().value)
      const bits = blockBits(output)
      const phaseOne = [...groups, product(descriptor.kernel)]
      const phaseTwo = [...groups, ...spatialSizes('input')]
      const r = draw(more + bits)
      const a = draw(bitsOf(phaseOne))
      const b = draw(bitsOf(phaseTwo))

      const to = new Writer()
      const digits = (start: number, sizes: readonly number[]) =>
        take(start, sizes).map((slice, i) => ({ ...slice, size: sizes[i]! }))
      const ofR = digits(more, output.axes)
      const ofA = take(r.length, phaseOne)
      const ofB = digits(r.length + a.length, phaseTwo)
      const zero = r.length + a.length + b.length
      expect(zero).toBe(more + total(ofR) + total(ofA) + total(ofB))
      writeWire(
        to,
        zero,
        descriptor,
        groups.map((_, i) => ({ r: ofR[groupAt('output') + i]!, a: ofA[i]!, b: ofB[i]! })),
        ofA.at(-1)!,
        ofR,
        (u) => ofB[groups.length + u - spatialAt]!,
      )
      const encoded = to.content()
      const full = { ...descriptor, input: 0, outputAxes: [], contractAxes: [], rowAxes: [] }
      const expected = termPoints(full as never, output, input, r.slice(more), a, b)
      expect(await harness.wire(encoded, [...r, ...a, ...b, 0n])).toEqual({
        value: expected.wire,
        read: BigInt(encoded.length),
      })
    }),
    { numRuns: slow ? 20_000 : 400, seed: 1 },
  )
}, 3_600_000)

const vectors = JSON.parse(
  readFileSync(new URL('../fixtures/sumcheck/vectors.json', import.meta.url), 'utf8'),
) as Vectors

/** All challenges of `docs/protocol.md` §5, in the order of the harness. */
function challengesOf(request: SumcheckVerification, imageHash: Uint8Array) {
  const key = readKey(request.key)
  const proof = readProof(key, request.proof)
  const transcript = new Transcript()
  const inputs = [keyDigest(request.key), request.seed, request.context, imageHash]
  const [beta, alpha] = transcript.step(concatBytes(...inputs, proof.first.bytes), 2)
  const rBits = Math.max(...key.blocks.slice(1).map((block) => blockBits(block)))
  const lookups = proof.lookups.length
  const second = transcript.step(proof.second.bytes, rBits + lookups + 3)
  const [gamma, z] = second.slice(rBits)
  const tau = second.slice(rBits + 2, rBits + 2 + lookups)
  const rounds = (all: Rounds) => all.map(({ bytes }) => transcript.one(bytes))
  transcript.one(proof.sums.bytes)
  const a = rounds(proof.phaseOne)
  const eta = transcript.one(proof.contracted.bytes)
  const b = rounds(proof.phaseTwo)
  const s = rounds(proof.lookups)
  const nu = transcript.one(proof.inverses.bytes)
  const rho = rounds(proof.merge)
  const mu = transcript.one(proof.columns.bytes)
  const points = (from: number, to: number) =>
    transcript.one(proof.openingPoints.bytes.subarray(64 * from, 64 * to))
  const chi = points(0, 1)
  const theta = points(1, 3)
  const zeta = points(3, 5)
  const delta = transcript.one(proof.openingScalars.bytes.subarray(0, 6 * 32))
  const w = points(5, 6)
  const zeros = new Array<bigint>(Math.max(0, rBits - key.columnBits)).fill(0n)
  return {
    drawn: [...second.slice(0, rBits), ...a, ...b, ...s, ...zeros, ...rho, 0n, ...tau],
    others: [beta, alpha, gamma, z, second.at(-1), eta, nu, mu, chi, theta, zeta, delta, w],
  }
}

test('challenges are those of the TypeScript verifier', async () => {
  const bases = vectors.positive.map((vector) => requestOfVector(vector))
  const change = fc.record({ place: fc.nat(), value: scalar })
  await fc.assert(
    fc.asyncProperty(
      fc.nat(bases.length - 1),
      fc.record({ seed: word, context: word, imageHash: word }),
      fc.array(change, { maxLength: 20 }),
      async (which, { seed, context, imageHash }, changes) => {
        const base = bases[which]!
        const key = readKey(base.key)
        const parts = readProof(key, base.proof)
        const proof = base.proof.slice()
        const pointBytes = parts.first.bytes.length + parts.second.bytes.length
        const openingAt = proof.length - 7 * 96
        for (const { place, value } of changes) {
          const at = 32 * (place % (proof.length / 32))
          if (at >= pointBytes && (at < openingAt || at >= openingAt + 7 * 64)) {
            proof.set(numberToBytesBE(value, 32), at)
            continue
          }
          const { x, y } = bn254.G1.Point.BASE.multiply((value % (ORDER - 1n)) + 1n).toAffine()
          const start = at - (at >= pointBytes ? (at - openingAt) % 64 : at % 64)
          proof.set(numberToBytesBE(x, 32), start)
          proof.set(numberToBytesBE(y, 32), start + 32)
        }
        const request = { ...base, seed, context, proof }
        expect(await harness.challenges(request, imageHash)).toEqual(
          challengesOf(request, imageHash),
        )
      },
    ),
    { numRuns: slow ? 5_000 : 150, seed: 1 },
  )
}, 3_600_000)
