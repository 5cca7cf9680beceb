import { paddedAddresses, totalBits } from '../../circuits/sumcheck/axes.js'
import { randomModel } from './random-model.js'
import { proveWith, type TestProver, testProver, verdicts } from './test-prover.js'

/** A model with convolutions, padding, limbs and a copy, and small columns. */
const MODEL = 7
let prover: TestProver

beforeAll(async () => {
  prover = await testProver(randomModel(MODEL), 5n)
})

const bothReject = async (
  lies: Parameters<typeof proveWith>[1],
  claimed: Partial<TestProver['request']> = {},
) => {
  const request = { ...prover.request, ...claimed }
  const proof = await proveWith(prover, { request, ...lies })
  const { rust, typescript } = await verdicts({ ...request, proof })
  expect(rust).toBeDefined()
  expect(typescript).toBe(rust)
}

const cells = () =>
  prover.layout.descriptor.columns.activation * 2 ** prover.layout.descriptor.columnBits

/** A valid cell of node `node`'s block. */
const validCell = (block: number) => {
  const { offset, axes } = prover.layout.descriptor.blocks[block]!
  return offset + paddedAddresses(axes)[0]!
}

const changed = <T extends Int32Array | Float64Array>(array: T, at: number, by: number): T => {
  const copy = array.slice() as T
  copy[at]! += by
  return copy
}

const affineBlock = () =>
  prover.layout.descriptor.blocks.findIndex(({ space }) => space === 'activation')

test('the honest proof is accepted, so that every rejection below has one cause', async () => {
  const proof = await proveWith(prover, {}, true)
  expect(await verdicts({ ...prover.request, proof })).toEqual({})
})

test('the checked prover refuses to prove a lie', async () => {
  const activation = changed(prover.activation, cells() + validCell(affineBlock()), 1)
  await expect(proveWith(prover, { activation }, true)).rejects.toThrow('not satisfy')
})

test('one activation', () =>
  bothReject({ activation: changed(prover.activation, cells() + validCell(affineBlock()), 1) }))

test('one quotient, with the output that its table has for it', async () => {
  const { descriptor, table } = prover.layout
  const block = affineBlock()
  const node = descriptor.nodes[block - 1]!
  if (node.kind !== 'affine') throw new Error('affine')
  const segment = descriptor.segments[node.table]!
  const cell = validCell(block)
  const activation = changed(prover.activation, cell, 1)
  activation[cells() + cell] = table[segment.offset + activation[cell]! - segment.first]!
  await bothReject({ activation })
})

test('quotient and remainder that agree with the accumulator but not with the range', async () => {
  const { descriptor } = prover.layout
  const block = affineBlock()
  const node = descriptor.nodes[block - 1]!
  if (node.kind !== 'affine') throw new Error('affine')
  const cell = validCell(block)
  const segment = descriptor.segments[node.table]!
  const activation = changed(prover.activation, cell, -1)
  activation[cells() + cell] =
    prover.layout.table[segment.offset + activation[cell]! - segment.first]!
  const limb = node.limbs.findLastIndex((l) => l >= 0)
  const scale = 2 ** (node.shift - limb * descriptor.limbBits)
  activation[(2 + limb) * cells() + cell]! += scale
  await bothReject({ activation })
})

test('one remainder', () =>
  bothReject({ activation: changed(prover.activation, 2 * cells() + validCell(affineBlock()), 1) }))

test('one weight', async () => {
  const { layout } = prover
  const node = layout.descriptor.nodes[affineBlock() - 1]!
  if (node.kind !== 'affine') throw new Error('affine')
  const weight = changed(layout.weight, node.terms[0]!.weight, 1)
  await bothReject({ layout: { ...layout, weight } })
})

test('one table entry', async () => {
  const { layout } = prover
  const table = changed(layout.table, layout.descriptor.segments[0]!.offset + 3, 1)
  await bothReject({ layout: { ...layout, table } })
})

test('one multiplicity', () =>
  bothReject({ forgedRow: prover.layout.descriptor.segments[0]!.offset }))

test('one pixel', async () => {
  const pixels = prover.request.pixels.slice()
  pixels[0]! ^= 1
  await bothReject({}, { pixels })
})

test('one latent byte', async () => {
  const latent = prover.request.latent.slice()
  latent[0]! ^= 1
  await bothReject({}, { latent })
})

test('one copied integer', async () => {
  for (let i = 0; prover.copy.length === 0; i++) prover = await testProver(randomModel(i), 5n)
  const block = prover.layout.descriptor.blocks.find(({ space }) => space === 'copy')!
  await bothReject({ copy: changed(prover.copy, block.offset, 1) })
})

test('every padding cell of every column, in turn', async () => {
  const { descriptor } = prover.layout
  for (const { space, offset, axes } of descriptor.blocks) {
    if (space !== 'activation') continue
    const valid = new Set(paddedAddresses(axes))
    const padding = Array.from({ length: 2 ** totalBits(axes) }, (_, i) => i).find(
      (i) => !valid.has(i),
    )
    if (padding === undefined) continue
    for (let column = 0; column < 2 + descriptor.limbs; column++)
      await bothReject({
        activation: changed(prover.activation, column * cells() + offset + padding, 1),
      })
  }
}, 120_000)

test('padding that cancels inside a packed word of pixels', async () => {
  // A pixel one up, and a padding cell that takes 256 times of it back: unpacked sums would agree.
  const { descriptor } = prover.layout
  const { offset, axes } = descriptor.blocks[descriptor.image.block]!
  const valid = new Set(paddedAddresses(axes))
  const padding = Array.from({ length: 2 ** totalBits(axes) }, (_, i) => i).find(
    (i) => !valid.has(i),
  )
  if (padding === undefined) return
  const pixels = prover.request.pixels.slice()
  pixels[0]! ^= 1
  const activation = changed(prover.activation, cells() + offset + padding, -256)
  await bothReject({ activation }, { pixels })
})

test('a proof for another seed, context or key', async () => {
  const proof = await proveWith(prover, {}, true)
  const other = new Uint8Array(32).fill(9)
  const key = { ...prover.key, modelId: `0x${'22'.repeat(32)}` }
  for (const change of [{ seed: other }, { context: other }, { key }]) {
    const { rust, typescript } = await verdicts({ ...prover.request, ...change, proof })
    expect(rust).toBeDefined()
    expect(typescript).toBe(rust)
  }
})

test('malformed proofs: both verifiers say the same, and neither throws', async () => {
  const proof = await proveWith(prover, {}, true)
  const attempts: Uint8Array[] = [
    new Uint8Array(0),
    proof.slice(1),
    proof.slice(0, -1),
    Uint8Array.of(...proof, 0),
  ]
  // Every word once: a changed bit, all ones (not canonical), zero.
  for (let word = 0; word < proof.length / 32; word++) {
    for (const change of [
      (bytes: Uint8Array) => {
        bytes[31]! ^= 1
      },
      (bytes: Uint8Array) => bytes.fill(255),
      (bytes: Uint8Array) => bytes.fill(0),
    ]) {
      if (word % 7 !== 0 && change !== undefined && word > 60) continue
      const bad = proof.slice()
      change(bad.subarray(32 * word, 32 * (word + 1)))
      if (Buffer.compare(bad, proof) !== 0) attempts.push(bad)
    }
  }
  for (const bad of attempts) {
    const { rust, typescript } = await verdicts({ ...prover.request, proof: bad })
    expect(rust).toBeDefined()
    expect(typescript).toBe(rust)
  }
}, 240_000)
