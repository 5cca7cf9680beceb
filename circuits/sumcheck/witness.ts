import type { Trace } from '../../model-export/execute.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { axisBits, paddedAddresses } from './axes.js'
import type { SumcheckDescriptor } from './descriptor.js'

/** The values that a proof commits to, in their columns. */
export type SumcheckWitness = {
  /** q ‖ out ‖ limb 0 ‖ … , each as long as all activation columns. */
  readonly activation: Int32Array
  readonly copy: Int32Array
}

/**
 * Lays one execution out in columns (`docs/protocol.md` §2.4).
 *
 * @param trace - of the model that the descriptor was made from
 */
export function layOutWitness(
  model: IntegerModel,
  descriptor: SumcheckDescriptor,
  trace: Trace,
): SumcheckWitness {
  const rows = 2 ** descriptor.columnBits
  const cells = descriptor.columns.activation * rows
  const activation = new Int32Array((2 + descriptor.limbs) * cells)
  const copy = new Int32Array(descriptor.columns.copy * rows)
  const latent = new Int32Array(2 ** bitsOf(descriptor.blocks[0]!.axes))
  paddedAddresses(descriptor.blocks[0]!.axes).forEach((cell, i) => {
    latent[cell] = trace.tensors[0]![i]!
  })
  const affine = model.nodes.flatMap((node, i) =>
    node.kind === 'affine' ? [{ node, values: trace.nodes[i]! }] : [],
  )
  const limbBase = 2 ** descriptor.limbBits
  let next = 0
  for (const node of descriptor.nodes) {
    const block = descriptor.blocks[node.output]!
    const addresses = paddedAddresses(block.axes)
    if (node.kind === 'copy') {
      const from = descriptor.blocks[node.input]!
      const source = from.space === 'latent' ? latent : from.space === 'copy' ? copy : activation
      const start = from.space === 'activation' ? cells + from.offset : from.offset
      const reads = readingOrder(from.axes, node.inputAxes)
      addresses.forEach((cell, i) => {
        copy[block.offset + cell] = source[start + reads[i]!]!
      })
      continue
    }
    const { node: source, values } = affine[next++]!
    const output = trace.tensors[source.output]!
    addresses.forEach((address, i) => {
      const cell = block.offset + address
      activation[cell] = values.quotient[i]!
      activation[cells + cell] = output[i]!
      let rest = values.remainder[i]!
      for (let limb = 0; limb < descriptor.limbs; limb++) {
        activation[(2 + limb) * cells + cell] = rest % limbBase
        rest = Math.floor(rest / limbBase)
      }
    })
  }
  return { activation, copy }
}

function bitsOf(axes: readonly number[]): number {
  return axes.reduce((sum, size) => sum + axisBits(size), 0)
}

/** Padded cells of a block, its axes walked in another order. */
function readingOrder(sizes: readonly number[], order: readonly number[]): Int32Array {
  const shifts: number[] = []
  let shift = bitsOf(sizes)
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
