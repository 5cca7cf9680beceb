import { bn254 } from '@noble/curves/bn254.js'
import { bytesToHex, hexToBytes, numberToBytesBE } from '@noble/curves/utils.js'
import type { LayoutOptions } from '../../circuits/sumcheck/layout.js'
import { writeFileAtomic } from '../../model-export/atomic-write.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { randomModel as soundModel } from '../../test/random-model.js'
import { choice, labelModel, styledModel } from './conditional-models.js'
import { anotherLatent, liesOf } from './lies.js'
import { randomModel } from './random-model.js'
import { proveWith, requestOf, type TestProver, testProver, verdicts } from './test-prover.js'
import { type NegativeVector, requestOfVector, type Vector, type Vectors } from './vectors.js'
import { readG1 } from './verifier/read-points.js'
import { proofShape } from './verifier/read-proof.js'
import { ORDER } from './verifier/scalar-field.js'
import type { SumcheckVerification } from './verifier/verify.js'

/**
 * Writes `fixtures/sumcheck/vectors.json`, or `conditions.json` of models with a label or a vector: honest
 * proofs, and proofs and statements that every verifier must reject. Run after a change of the protocol:
 *
 *     npm run build && node dist/prover/sumcheck/make-vectors.js && node dist/prover/sumcheck/make-vectors.js conditions
 */

type Case = {
  readonly name: string
  readonly model: IntegerModel
  readonly seed: number
  readonly options: LayoutOptions
  readonly conditions?: Uint8Array
}

const small = (name: string, seed: number, options: LayoutOptions): Case => ({
  name,
  model: randomModel(seed),
  seed,
  options,
})
const sound = (name: string, seed: number, options: LayoutOptions): Case => ({
  name,
  model: soundModel(seed),
  seed,
  options,
})

/** Models that take a label, and a style. */
const CONDITIONED: readonly Case[] = [
  {
    name: 'a label and a style, by which the latent is multiplied',
    model: styledModel(),
    seed: 5,
    options: { columnBits: 11 },
    conditions: choice(3, 200, 17, 130, 90),
  },
  {
    name: 'a label, image by commitment',
    model: labelModel(),
    seed: 6,
    options: { imageBinding: 'commitment' },
    conditions: choice(4),
  },
]

/** Models with convolutions, transposed ones, groups, residuals, several limbs, copies and products. */
const UNCONDITIONED: readonly Case[] = [
  small('one column a group', 160, { imageBinding: 'pixels' }),
  small('regions longer than a column, image by commitment', 160, {
    imageBinding: 'commitment',
    columnBits: 8,
  }),
  sound('products with the latent and with activations', 6, { columnBits: 10 }),
  sound('contracted products', 566, {}),
  small('every region longer than a column', 8, { columnBits: 5 }),
  small('several columns a group', 3, { columnBits: 11 }),
  small('odd column length', 11, { columnBits: 13 }),
  small('groups', 107, { columnBits: 10 }),
  small('image by commitment', 19, { imageBinding: 'commitment' }),
]
const conditioned = process.argv[2] === 'conditions'
const CASES = conditioned ? CONDITIONED : UNCONDITIONED
/** The cases that are then changed in every way. */
const BASES = [0, 1, 2]

const hex = (bytes: Uint8Array) => `0x${bytesToHex(bytes)}`

type Change = Omit<NegativeVector, 'base' | 'reason'>

type Part = { readonly name: string; readonly offset: number; readonly bytes: 32 | 64 }

/** Where everything of a proof is, `docs/protocol.md` §4.2. */
function proofParts({ key }: TestProver): readonly Part[] {
  const shape = proofShape(key)
  const committed = key.image.binding === 'commitment' ? 1 : 0
  const parts: Part[] = []
  let offset = 0
  const add = (name: string, count: number, bytes: 32 | 64) => {
    for (let i = 0; i < count; i++) {
      parts.push({ name: count === 1 ? name : `${name} ${i}`, offset, bytes })
      offset += bytes
    }
  }
  add('first commitment', key.columns.first, 64)
  add('image commitment', committed, 64)
  add('second commitment', key.columns.second, 64)
  add('affine sum', 1, 32)
  add('image at z', committed, 32)
  add('phase one coefficient', 2 * shape.phaseOne, 32)
  add('contracted value', shape.terms, 32)
  add('phase two coefficient', 2 * shape.phaseTwo, 32)
  add('lookup coefficient', 2 * Math.max(key.activation.bits, key.table.bits), 32)
  add('inverse at s', key.limbs + 2, 32)
  add('merge coefficient', 2 * key.columnBits, 32)
  add('column at rho', key.columns.first + key.columns.second + key.columns.key, 32)
  add('opening point', 7, 64)
  add('opening scalar', 7, 32)
  return parts
}

/** Proofs of something false. */
async function lies(prover: TestProver): Promise<readonly Change[]> {
  const changes: Change[] = []
  for (const { name, lies } of liesOf(prover)) {
    const request = await requestOf(prover, await proveWith(prover, lies), lies)
    changes.push({ name, ...members(request) })
  }
  return changes
}

function members(request: SumcheckVerification) {
  const { seed, context, image, latent, conditions, proof } = request
  return {
    seed: hex(seed),
    context: hex(context),
    image: hex(image),
    latent: hex(latent),
    ...(conditions === undefined || conditions.length === 0 ? {} : { conditions: hex(conditions) }),
    proof: hex(proof),
  }
}

/** A true proof with something of it, of its statement or of its key altered. */
function mutations(prover: TestProver, vector: Vector): readonly Change[] {
  const proof = hexToBytes(vector.proof.slice(2))
  const changes: Change[] = []
  const patch = (name: string, offset: number, bytes: Uint8Array) =>
    changes.push({ name, patches: [{ offset, bytes: hex(bytes) }] })
  const kinds = new Set<string>()
  for (const { name, offset, bytes } of proofParts(prover)) {
    const old = proof.subarray(offset, offset + bytes)
    // One of each kind is enough for what encodings must refuse.
    const kind = name.replace(/ \d+$/, '')
    const isFirst = !kinds.has(kind)
    kinds.add(kind)
    if (bytes === 64) {
      patch(`${name} moved`, offset, moved(old))
      if (!isFirst) continue
      const y = BigInt(hex(old.subarray(32)))
      patch(`${name} off the curve`, offset + 32, numberToBytesBE(y ^ 1n, 32))
      const x = BigInt(hex(old.subarray(0, 32))) + bn254.fields.Fp.ORDER
      if (x < 1n << 256n) patch(`${name} plus the field order`, offset, numberToBytesBE(x, 32))
    } else {
      const value = BigInt(hex(old))
      patch(`${name} plus one`, offset, numberToBytesBE((value + 1n) % ORDER, 32))
      if (isFirst) patch(`${name} plus the order`, offset, numberToBytesBE(value + ORDER, 32))
    }
  }
  const { first, second } = prover.key.columns
  if (first > 1) {
    const swapped = Uint8Array.of(...proof.subarray(64, 128), ...proof.subarray(0, 64))
    patch('first commitments swapped', 0, swapped)
  }
  patch('no second commitments', 64 * first, new Uint8Array(64 * second))
  changes.push(
    { name: 'truncated', proof: hex(proof.subarray(0, -32)) },
    { name: 'one byte too many', proof: hex(Uint8Array.of(...proof, 0)) },
    { name: 'empty', proof: '0x' },
  )
  const other = (text: string) => `${text.slice(0, -1)}${text.endsWith('1') ? '2' : '1'}`
  for (const name of ['seed', 'context', 'image'] as const)
    changes.push({ name: `another ${name}`, [name]: other(vector[name]) })
  changes.push(
    { name: 'another latent', latent: hex(anotherLatent(prover)) },
    { name: 'image too short', image: vector.image.slice(0, -2) },
    { name: 'latent too long', latent: `${vector.latent}00` },
  )
  changes.push(...otherConditions(vector))
  const { commitments } = prover.key
  changes.push({ name: 'key of another model', key: { modelId: `0x${'22'.repeat(32)}` } })
  commitments.forEach((commitment, i) => {
    const point = hex(moved(hexToBytes(commitment.slice(2))))
    changes.push({
      name: `key commitment ${i} moved`,
      key: { commitments: commitments.map((it, at) => (at === i ? point : it)) },
    })
  })
  const { x, y } = bn254.G2.Point.BASE.toAffine()
  const one = [x.c1, x.c0, y.c1, y.c0].map((value) => bytesToHex(numberToBytesBE(value, 32)))
  changes.push({ name: 'key of another setup', key: { tauG2: `0x${one.join('')}` } })
  return changes
}

/** Conditions that are others, none, or no spelling of any. */
function otherConditions({ conditions }: Vector): readonly Change[] {
  if (conditions === undefined) return []
  const [high = 0, low = 0, ...style] = [...hexToBytes(conditions.slice(2))]
  const change = (name: string, ...bytes: readonly number[]): Change => ({
    name,
    conditions: hex(Uint8Array.from(bytes)),
  })
  return [
    change('another label', high, low - 1, ...style),
    change('a label that is no class', high, 5, ...style),
    change('a label that is a class but for its first byte', 1, low, ...style),
    change('no conditions'),
    change('one byte of conditions', low),
    change('conditions too long', high, low, ...style, 0),
    ...style.map((byte, i) =>
      change(`byte ${i} of the style`, high, low, ...style.with(i, byte ^ 1)),
    ),
    ...(style.length === 0 ? [] : [change('conditions too short', high, low, ...style.slice(1))]),
  ]
}

/** A point that is another one. */
function moved(bytes: Uint8Array): Uint8Array {
  const { x, y } = readG1(bytes)!.add(bn254.G1.Point.BASE).toAffine()
  return Uint8Array.of(...numberToBytesBE(x, 32), ...numberToBytesBE(y, 32))
}

const positive: Vector[] = []
const negative: NegativeVector[] = []
for (const [base, { name, model, seed, options, conditions }] of CASES.entries()) {
  const prover = await testProver(model, BigInt(seed), options, conditions)
  const request = await requestOf(prover, await proveWith(prover, {}, true))
  const vector: Vector = { name, key: prover.key, ...members(request) }
  positive.push(vector)
  if (!BASES.includes(base)) continue
  for (const change of [...(await lies(prover)), ...mutations(prover, vector)]) {
    const { rust, typescript } = await verdicts(requestOfVector(vector, change))
    if (rust === undefined || rust !== typescript)
      throw new Error(`${name}, ${change.name}: Rust says ${rust}, TypeScript ${typescript}`)
    negative.push({ ...change, base, reason: rust })
  }
}
const file = `fixtures/sumcheck/${conditioned ? 'conditions' : 'vectors'}.json`
const content: Vectors = { format: 'platemark-sumcheck-vectors', version: 2, positive, negative }
await writeFileAtomic(file, `${JSON.stringify(content, undefined, 1)}\n`)
console.log(`${positive.length} positive and ${negative.length} negative vectors`)
