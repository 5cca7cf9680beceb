import { bn254 } from '@noble/curves/bn254.js'
import { bytesToHex, numberToBytesBE } from '@noble/curves/utils.js'
import { paddedAddresses, totalBits } from '../../circuits/sumcheck/axes.js'
import { writeFileAtomic } from '../../model-export/atomic-write.js'
import { randomModel } from './random-model.js'
import { proveWith, type TestProver, testProver, verdicts } from './test-prover.js'
import { readG1 } from './verifier/read-points.js'
import { proofShape } from './verifier/read-proof.js'
import { ORDER } from './verifier/scalar-field.js'

/**
 * Writes `fixtures/sumcheck/vectors.json`: honest proofs, and proofs and statements that every verifier
 * must reject. Run after a change of the protocol:
 *
 *     npm run build && node dist/prover/sumcheck/make-vectors.js
 */

/** Models with convolutions, transposed ones, groups, residuals, limbs and copies. */
const POSITIVE = [3, 7, 11, 19]
const MODEL = 7

const hex = (bytes: Uint8Array) => `0x${bytesToHex(bytes)}`

type Part = { readonly name: string; readonly offset: number; readonly bytes: 32 | 64 }

/** Where everything of a proof is, `docs/protocol.md` §4.2. */
function proofParts(prover: TestProver): readonly Part[] {
  const shape = proofShape(prover.key)
  const n = prover.key.columnBits
  const parts: Part[] = []
  let offset = 0
  const add = (name: string, count: number, bytes: 32 | 64) => {
    for (let i = 0; i < count; i++) {
      parts.push({ name: `${name} ${i}`, offset, bytes })
      offset += bytes
    }
  }
  add('first commitment', shape.firstColumns, 64)
  add('second commitment', shape.secondColumns, 64)
  add('affine sum', 1, 32)
  add('phase one coefficient', 2 * shape.phaseOne, 32)
  add('contracted value', shape.terms, 32)
  add('phase two coefficient', 2 * shape.phaseTwo, 32)
  add('lookup coefficient', 2 * n, 32)
  add('inverse at s', shape.secondColumns, 32)
  add('merge coefficient', 2 * n, 32)
  add('column at rho', shape.allColumns, 32)
  add('opening point', 8, 64)
  add('opening scalar', 6, 32)
  return parts
}

const statementOf = ({ request }: TestProver) => ({
  seed: hex(request.seed),
  context: hex(request.context),
  pixels: hex(request.pixels),
  latent: hex(request.latent),
})

type Change = {
  readonly name: string
  /** Replaced members of the statement, or the whole proof, or bytes of the honest proof. */
  readonly statement?: Readonly<Record<string, string>>
  readonly proof?: string
  readonly patches?: readonly { readonly offset: number; readonly bytes: string }[]
}

async function lies(prover: TestProver): Promise<readonly Change[]> {
  const { descriptor, weight, table } = prover.layout
  const cells = descriptor.columns.activation * 2 ** descriptor.columnBits
  const index = descriptor.blocks.findIndex(({ space }) => space === 'activation')
  const node = descriptor.nodes[index - 1]!
  if (node.kind !== 'affine') throw new RangeError('the first activation block is affine')
  const block = descriptor.blocks[index]!
  const add = <T extends Int32Array | Float64Array>(array: T, at: number, by: number): T => {
    const copy = array.slice() as T
    copy[at]! += by
    return copy
  }
  const changes: Change[] = []
  const lie = async (name: string, by: Parameters<typeof proveWith>[1], claimed = {}) => {
    const request = { ...prover.request, ...claimed }
    const proof = hex(await proveWith(prover, { request, ...by }))
    const statement = statementOf({ ...prover, request })
    changes.push({ name, proof, statement })
  }
  await lie('one activation', { activation: add(prover.activation, cells + block.offset, 1) })
  await lie('one quotient', { activation: add(prover.activation, block.offset, 1) })
  await lie('one remainder', { activation: add(prover.activation, 2 * cells + block.offset, 1) })
  const limb = node.limbs.findLastIndex((l) => l >= 0)
  const wide = add(prover.activation, block.offset, -1)
  wide[(2 + limb) * cells + block.offset]! += 2 ** (node.shift - limb * descriptor.limbBits)
  await lie('remainder of at least 2^shift', { activation: wide })
  await lie('one multiplicity', { forgedRow: descriptor.segments[0]!.offset })
  await lie('one weight', {
    layout: { ...prover.layout, weight: add(weight, node.terms[0]!.weight, 1) },
  })
  await lie('one table entry', {
    layout: { ...prover.layout, table: add(table, descriptor.segments[0]!.offset, 1) },
  })
  const padded = descriptor.blocks.find(
    ({ space, axes }) =>
      space === 'activation' && paddedAddresses(axes).length < 2 ** totalBits(axes),
  )
  if (padded !== undefined) {
    const last = padded.offset + 2 ** totalBits(padded.axes) - 1
    for (let column = 0; column < 2 + descriptor.limbs; column++)
      await lie(`padding cell of column ${column}`, {
        activation: add(prover.activation, column * cells + last, 1),
      })
  }
  if (prover.copy.length > 0) await lie('one copied integer', { copy: add(prover.copy, 0, 1) })
  const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
  await lie('one pixel', {}, { pixels: flipped(prover.request.pixels) })
  await lie('one latent byte', {}, { latent: flipped(prover.request.latent) })
  return changes
}

function mutations(prover: TestProver, proof: Uint8Array): readonly Change[] {
  const changes: Change[] = []
  const patch = (name: string, offset: number, bytes: Uint8Array) =>
    changes.push({ name, patches: [{ offset, bytes: hex(bytes) }] })
  const words = new Set<string>()
  for (const { name, offset, bytes } of proofParts(prover)) {
    const old = proof.subarray(offset, offset + bytes)
    if (bytes === 64) {
      const point = readG1(old)!.add(bn254.G1.Point.BASE).toAffine()
      const moved = [numberToBytesBE(point.x, 32), numberToBytesBE(point.y, 32)]
      patch(`${name} moved`, offset, Uint8Array.of(...moved[0]!, ...moved[1]!))
      continue
    }
    const value = BigInt(hex(old))
    patch(`${name} plus one`, offset, numberToBytesBE((value + 1n) % ORDER, 32))
    // One of each kind is enough for what encodings must refuse.
    const kind = name.replace(/ \d+$/, '')
    if (words.has(kind)) continue
    words.add(kind)
    patch(`${name} plus the order`, offset, numberToBytesBE(value + ORDER, 32))
  }
  patch('point off the curve', 32, numberToBytesBE(BigInt(hex(proof.subarray(32, 64))) ^ 1n, 32))
  const x = BigInt(hex(proof.subarray(0, 32))) + bn254.fields.Fp.ORDER
  if (x < 1n << 256n) patch('coordinate plus the field order', 0, numberToBytesBE(x, 32))
  patch(
    'first commitments swapped',
    0,
    Uint8Array.of(...proof.subarray(64, 128), ...proof.subarray(0, 64)),
  )
  changes.push({ name: 'truncated', proof: hex(proof.subarray(0, -32)) })
  changes.push({ name: 'one byte too many', proof: hex(Uint8Array.of(...proof, 0)) })
  changes.push({ name: 'empty', proof: '0x' })
  const statement = statementOf(prover)
  const other = (text: string) => `${text.slice(0, -1)}${text.endsWith('1') ? '2' : '1'}`
  changes.push({ name: 'another seed', statement: { ...statement, seed: other(statement.seed) } })
  changes.push({
    name: 'another context',
    statement: { ...statement, context: other(statement.context) },
  })
  changes.push({
    name: 'altered pixel',
    statement: { ...statement, pixels: other(statement.pixels) },
  })
  changes.push({
    name: 'altered latent',
    statement: { ...statement, latent: other(statement.latent) },
  })
  changes.push({
    name: 'pixel missing',
    statement: { ...statement, pixels: statement.pixels.slice(0, -2) },
  })
  return changes
}

/** The request of a change, as the tests make it too. */
export function applyChange(prover: TestProver, honest: Uint8Array, change: Change) {
  const bytes = (text: string) => new Uint8Array(Buffer.from(text.slice(2), 'hex'))
  let proof = honest
  if (change.proof !== undefined) proof = bytes(change.proof)
  for (const { offset, bytes: text } of change.patches ?? []) {
    proof = proof.slice()
    proof.set(bytes(text), offset)
  }
  const statement = { ...statementOf(prover), ...change.statement }
  const { seed, context, pixels, latent } = statement
  return {
    key: prover.key,
    seed: bytes(seed),
    context: bytes(context),
    pixels: bytes(pixels),
    latent: bytes(latent),
    proof,
  }
}

const positive = []
for (const seed of POSITIVE) {
  const prover = await testProver(randomModel(seed), BigInt(seed))
  const proof = await proveWith(prover, {}, true)
  positive.push({
    name: `model ${seed}`,
    key: prover.key,
    ...statementOf(prover),
    proof: hex(proof),
  })
}
const prover = await testProver(randomModel(MODEL), BigInt(MODEL))
const honest = await proveWith(prover, {}, true)
const negative = []
for (const change of [...(await lies(prover)), ...mutations(prover, honest)]) {
  const { rust, typescript } = await verdicts(applyChange(prover, honest, change))
  if (rust === undefined || rust !== typescript)
    throw new Error(`${change.name}: Rust says ${rust}, TypeScript ${typescript}`)
  negative.push({ ...change, reason: rust })
}
const base = { key: prover.key, ...statementOf(prover), proof: hex(honest) }
const file = process.argv[2] ?? 'fixtures/sumcheck/vectors.json'
const content = { format: 'platemark-sumcheck-vectors', version: 1, positive, base, negative }
await writeFileAtomic(file, `${JSON.stringify(content, undefined, 1)}\n`)
console.log(`${positive.length} positive and ${negative.length} negative vectors`)
