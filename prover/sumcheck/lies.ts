import { paddedAddresses, totalBits } from '../../circuits/sumcheck/axes.js'
import type { BlockDescriptor } from '../../circuits/sumcheck/descriptor.js'
import type { Lies, TestProver } from './test-prover.js'

/** Something false that a prover commits to or claims. */
export type NamedLie = { readonly name: string; readonly lies: Lies }

/**
 * Every kind of lie about an execution, a setup or a statement: what verifiers must reject. Each changes
 * as little as it can, so that one missing check would let it through.
 */
export function liesOf(prover: TestProver): readonly NamedLie[] {
  const { layout, first } = prover
  const { descriptor, keyCells } = layout
  const { activation, table, copy, segments, blocks } = descriptor
  const lies: NamedLie[] = []
  const lie = (name: string, by: Lies) => lies.push({ name, lies: by })
  /** A region of activations, or copies, changed at some cells. */
  const cells = (name: string, ...changes: readonly (readonly [at: number, by: number])[]) =>
    lie(name, { first: changed(first, ...changes) })
  const constant = (name: string, at: number) =>
    lie(name, { layout: { ...layout, keyCells: changed(keyCells, [at, 1]) } })

  const nodes = descriptor.nodes.filter((node) => node.kind === 'affine')
  const product = nodes.find(({ terms }) =>
    terms.some(
      ({ weight }) => weight.kind === 'tensor' && blocks[weight.block]!.space === 'activation',
    ),
  )
  const about = (node: (typeof nodes)[number], of: string) => {
    const block = blocks[node.output]!
    const quotient = activation.quotient + block.offset
    const output = activation.output + block.offset
    cells(`one activation${of}`, [output, 1])
    cells(`one quotient${of}`, [quotient, 1])
    activation.limbs.forEach((limb, l) => {
      cells(`limb ${l} of one remainder${of}`, [limb + block.offset, 1])
    })
    const segment = segments[node.table]!
    const outputOf = (q: number) => keyCells[table.output + segment.offset + q - segment.first]!
    const step = (by: number) =>
      [
        [quotient, by],
        [output, outputOf(first[quotient]! + by) - first[output]!],
      ] as const
    cells(`one quotient${of}, with the output that its table has for it`, ...step(1))
    const limb = node.limbs.findLastIndex((l) => l >= 0)
    const scale = 2 ** (node.shift - limb * descriptor.limbBits)
    if (limb >= 0)
      cells(
        `a remainder${of} of 2^shift or more, with quotient and output that agree`,
        ...step(-1),
        [activation.limbs[limb]! + block.offset, scale],
      )
    if (node.bias !== null) constant(`one bias${of}`, node.bias.offset)
    for (const { weight } of node.terms) {
      if (weight.kind === 'constant') constant(`one weight${of}`, weight.offset)
      else if (blocks[weight.block]!.space === 'activation')
        cells(`one factor${of}`, [activation.output + blocks[weight.block]!.offset, 1])
    }
    constant(
      `one table entry${of}`,
      table.output + segment.offset + first[quotient]! - segment.first,
    )
  }
  about(nodes[0]!, '')
  if (product !== undefined) about(product, ' of a product')
  const row = (name: string, forgedRow: number) => lie(name, { forgedRow })
  row('one multiplicity', segments[0]!.offset)
  row('the multiplicity of the row of zeros', 2 ** table.bits - 1)
  for (let value = 0; value < 6; value++)
    lie(`value ${value} of the opening`, { forgedValue: value })

  const regions = [
    ['quotients', activation.quotient],
    ['outputs', activation.output],
    ...activation.limbs.map((limb, l) => [`limb ${l}`, limb] as const),
  ] as const
  const padded = blocks.find((it) => it.space === 'activation' && paddingOf(it) !== undefined)
  const used = blocks
    .filter(({ space }) => space === 'activation')
    .reduce((sum, { axes }) => sum + 2 ** totalBits(axes), 0)
  for (const [name, start] of regions) {
    if (padded !== undefined)
      cells(`a padding cell of the ${name}`, [start + padded.offset + paddingOf(padded)!, 1])
    if (used < 2 ** activation.bits)
      cells(`a cell of the ${name} that is in no block`, [start + used, 1])
  }
  if (copy !== null) {
    const copied = blocks.find(({ space }) => space === 'copy')!
    cells('one copied integer', [copy.offset + copied.offset, 1])
    const padding = paddingOf(copied)
    if (padding !== undefined)
      cells('a padding cell of a copy', [copy.offset + copied.offset + padding, 1])
  }
  const image = blocks[descriptor.image.block]!
  const padding = paddingOf(image)
  const pixels = flipped(prover.pixels)
  lie('one pixel', { pixels })
  // Unpacked sums would agree: a pixel changes, and padding takes back 256 times as much.
  if (padding !== undefined && image.space === 'activation')
    lie('a pixel that padding takes back', {
      pixels,
      first: changed(first, [activation.output + image.offset + padding, -256]),
    })
  lie('one latent byte', { latent: anotherLatent(prover) })
  return lies
}

/** A first byte that stands for another value. */
export function anotherLatent({ latent, key }: TestProver): Uint8Array {
  const { table } = key.latent
  const byte = table.findIndex((value) => value !== table[latent[0]!])
  return latent.map((own, i) => (i === 0 ? byte : own))
}

function changed<T extends Int32Array | Float64Array>(
  array: T,
  ...changes: readonly (readonly [at: number, by: number])[]
): T {
  const copy = array.slice() as T
  for (const [at, by] of changes) copy[at]! += by
  return copy
}

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
}

/** A cell of a block that holds no element, if there is one. */
function paddingOf({ axes }: BlockDescriptor): number | undefined {
  const valid = new Set(paddedAddresses(axes))
  return Array.from({ length: 2 ** totalBits(axes) }, (_, i) => i).find((i) => !valid.has(i))
}
