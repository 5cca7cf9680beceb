import type { Trace } from '../../model-export/execute.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { axisBits, paddedAddresses, totalBits } from './axes.js'
import { publicBlocks, type SumcheckDescriptor } from './descriptor.js'

/**
 * Lays one execution out in the columns that a proof commits to first (`docs/protocol.md` §2.4), one
 * after the other; the multiplicities, which the prover counts, are left zero.
 *
 * @param trace - of the model that the descriptor was made from
 * @returns columns.first · 2^columnBits integers
 */
export function layOutWitness(
  model: IntegerModel,
  descriptor: SumcheckDescriptor,
  trace: Trace,
): Int32Array {
  const { activation, copy, limbs, limbBits } = descriptor
  const first = new Int32Array(descriptor.columns.first * 2 ** descriptor.columnBits)
  const publics = descriptor.blocks.slice(0, publicBlocks(descriptor)).map(({ axes }, tensor) => {
    const cells = new Int32Array(2 ** totalBits(axes))
    paddedAddresses(axes).forEach((cell, i) => {
      cells[cell] = trace.tensors[tensor]![i]!
    })
    return cells
  })
  const affine = model.nodes.flatMap((node, i) =>
    node.kind === 'affine' ? [{ node, values: trace.nodes[i]! }] : [],
  )
  const limbBase = 2 ** limbBits
  let next = 0
  for (const node of descriptor.nodes) {
    const block = descriptor.blocks[node.output]!
    const addresses = paddedAddresses(block.axes)
    if (node.kind === 'copy') {
      const from = descriptor.blocks[node.input]!
      const source = publics[node.input] ?? first
      const copies = copy?.offset ?? 0
      const starts = { latent: 0, condition: 0, activation: activation.output, copy: copies }
      const start = starts[from.space] + from.offset
      const reads = readingOrder(from.axes, node.inputAxes)
      addresses.forEach((address, i) => {
        first[copies + block.offset + address] = source[start + reads[i]!]!
      })
      continue
    }
    const { node: source, values } = affine[next++]!
    const output = trace.tensors[source.output]!
    addresses.forEach((address, i) => {
      const cell = block.offset + address
      first[activation.quotient + cell] = values.quotient[i]!
      first[activation.output + cell] = output[i]!
      let rest = values.remainder[i]!
      for (let limb = 0; limb < limbs; limb++) {
        first[activation.limbs[limb]! + cell] = rest % limbBase
        rest = Math.floor(rest / limbBase)
      }
    })
  }
  return first
}

/** Padded cells of a block, its axes walked in another order. */
function readingOrder(sizes: readonly number[], order: readonly number[]): Int32Array {
  const shifts: number[] = []
  let shift = totalBits(sizes)
  sizes.forEach((size, axis) => {
    shift -= axisBits(size)
    shifts[axis] = shift
  })
  let cells = Int32Array.of(0)
  for (const axis of order) {
    const size = sizes[axis]!
    const next = new Int32Array(cells.length * size)
    let at = 0
    for (const cell of cells)
      for (let i = 0; i < size; i++) next[at++] = cell + i * 2 ** shifts[axis]!
    cells = next
  }
  return cells
}
