import type { IntegerModel } from '../../model-export/integer-model.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { type Axis, axisBits, leaves, paddedAddresses, totalBits } from './axes.js'
import type {
  BlockDescriptor,
  NodeDescriptor,
  SegmentDescriptor,
  SumcheckDescriptor,
  TermDescriptor,
} from './descriptor.js'
import { type Plan, type PlannedTerm, planBlocks } from './plan.js'

/** A descriptor with the integers that setup commits to. */
export type SumcheckLayout = {
  readonly descriptor: SumcheckDescriptor
  /** T_out, all table columns. */
  readonly table: Int32Array
  /** Weights and biases, all weight columns; entries are integers below 2^52. */
  readonly weight: Float64Array
}

/** Limbs are at most this wide: their range table must be worth its rows. */
const MOST_LIMB_BITS = 14

/**
 * Columns are as long as is needed to hold the weights, and the tables, in 2^this many: shorter columns
 * are cheaper to open, more columns cost the verifier one scalar multiplication each.
 */
const KEY_COLUMN_BITS = 3

/**
 * Lays a model out in columns (`docs/protocol.md` §2, §3).
 *
 * @param columnBits - log2 of the rows of a column; by default what keeps activations in one column
 * @throws {PlatemarkError} for models that this layout cannot hold.
 * @example
 * const { descriptor } = layOutModel(plate.model, plate.modelId)
 */
export function layOutModel(
  model: IntegerModel,
  modelId: string,
  columnBits?: number,
): SumcheckLayout {
  const plan = planBlocks(model)
  const axes = plan.blocks.map((block) => leaves(block.axes))
  const sizes = axes.map((own) => own.map((axis) => axis.size))
  const activation = allocate(plan, sizes, 'activation')
  const copy = allocate(plan, sizes, 'copy')
  const blocks = plan.blocks.map(
    ({ space }, i): BlockDescriptor => ({
      space,
      offset: space === 'latent' ? 0 : (activation.offsets.get(i) ?? copy.offsets.get(i))!,
      axes: sizes[i]!,
    }),
  )
  const tables = layOutTables(model)
  const weights = new WeightSpace()
  const indexOf = (block: number) => {
    const index = new Map(axes[block]!.map((axis, i) => [axis, i]))
    return (own: readonly Axis[]) => leaves(own).map((axis) => index.get(axis)!)
  }
  const drafts = plan.nodes.map((node, i) => {
    const output = indexOf(i + 1)
    if (node.kind === 'copy') return { node, inputAxes: indexOf(node.input)(node.view) }
    const { bias } = node.node
    return {
      node,
      bias:
        bias === undefined
          ? undefined
          : { axes: output(node.biasAxes), block: weights.addBias(node.biasAxes, bias.data) },
      terms: node.terms.map((term) => ({
        axes: termAxes(term, output, indexOf(term.input)),
        block: weights.addTerm(term),
        input: term.input,
      })),
    }
  })
  const weightCells = weights.place()
  const bits =
    columnBits ??
    Math.max(
      4,
      axisBits(activation.cells),
      axisBits(copy.cells),
      axisBits(tables.rows) - KEY_COLUMN_BITS,
      axisBits(weightCells) - KEY_COLUMN_BITS,
    )
  const nodes = drafts.map((draft, i): NodeDescriptor => {
    if (draft.node.kind === 'copy')
      return { kind: 'copy', output: i + 1, input: draft.node.input, inputAxes: draft.inputAxes! }
    const { table, requantize } = draft.node.node
    return {
      kind: 'affine',
      output: i + 1,
      table,
      limbs: tables.limbsOf(requantize.shift),
      multiplier: requantize.multiplier,
      shift: requantize.shift,
      bias:
        draft.bias === undefined
          ? null
          : { offset: draft.bias.block.offset, axes: draft.bias.axes },
      terms: draft.terms!.map(({ input, block, axes: own }) => ({
        input,
        weight: block.offset,
        ...own,
      })),
    }
  })
  const { height, width, channels } = model.image
  const imageAxes = plan.image.axes.map(indexOf(plan.image.block))
  checkPixels(model, plan)
  const rows = 2 ** bits
  const columns = {
    activation: Math.max(1, Math.ceil(activation.cells / rows)),
    copy: Math.ceil(copy.cells / rows),
    table: Math.ceil(tables.rows / rows),
    weight: Math.ceil(weightCells / rows),
  }
  const descriptor: SumcheckDescriptor = {
    format: 'platemark-sumcheck-key',
    version: 1,
    modelId,
    columnBits: bits,
    limbBits: tables.limbBits,
    limbs: tables.limbs,
    columns,
    latent: { dimensions: model.latent.dimensions, table: model.latent.table },
    image: {
      height,
      width,
      channels,
      block: plan.image.block,
      rowAxes: imageAxes[0]!,
      columnAxes: imageAxes[1]!,
      channelAxes: imageAxes[2]!,
    },
    blocks,
    nodes,
    segments: tables.segments,
  }
  return {
    descriptor,
    table: tables.fill(columns.table * rows),
    weight: weights.fill(columns.weight * rows),
  }
}

type AxisIndex = (axes: readonly Axis[]) => number[]

function termAxes(
  planned: PlannedTerm,
  output: AxisIndex,
  input: AxisIndex,
): Omit<TermDescriptor, 'input' | 'weight'> {
  const pairs = (of: PlannedTerm['rows']) => {
    const ins = input(of.input)
    return output(of.output).map((o, i) => [o, ins[i]!] as const)
  }
  const { term } = planned
  return {
    outputAxes: output(planned.output),
    rowAxes: pairs(planned.rows),
    groupAxes: pairs(planned.groups),
    contractAxes: input(planned.contract),
    kernel: planned.kernel,
    spatial: planned.spatial.map((axis) => {
      if (term.kind !== 'conv' && term.kind !== 'convTranspose')
        throw new RangeError('only convolutions have spatial axes')
      return {
        output: output(axis.output),
        input: input(axis.input),
        kernelAxis: axis.kernelAxis,
        stride: term.strides[axis.kernelAxis],
        dilation: term.dilations[axis.kernelAxis],
        pad: term.padBegin[axis.kernelAxis],
        transposed: term.kind === 'convTranspose',
      }
    }),
  }
}

/** Largest first, so that every block lies at a multiple of its size. */
function allocate(
  plan: Plan,
  sizes: readonly (readonly number[])[],
  space: 'activation' | 'copy',
): { readonly offsets: ReadonlyMap<number, number>; readonly cells: number } {
  const offsets = new Map<number, number>()
  let cells = 0
  const own = plan.blocks
    .map((block, i) => ({ block, i, bits: totalBits(sizes[i]!) }))
    .filter(({ block }) => block.space === space)
    .sort((a, b) => b.bits - a.bits)
  for (const { i, bits } of own) {
    offsets.set(i, cells)
    cells += 2 ** bits
  }
  return { offsets, cells }
}

type WeightBlock = {
  readonly bits: number
  readonly fill: (cells: Float64Array, offset: number) => void
  offset: number
}

/** Weight blocks: address = output axes, group axes, contracted axes, kernel, each padded. */
class WeightSpace {
  readonly #blocks: WeightBlock[] = []

  #add(bits: number, fill: WeightBlock['fill']): WeightBlock {
    const block = { bits, fill, offset: 0 }
    this.#blocks.push(block)
    return block
  }

  addBias(axes: readonly Axis[], data: Float64Array): WeightBlock {
    const sizes = leaves(axes).map((axis) => axis.size)
    return this.#add(totalBits(sizes), (cells, offset) => {
      paddedAddresses(sizes).forEach((cell, i) => {
        cells[offset + cell] = data[i]!
      })
    })
  }

  addTerm(planned: PlannedTerm): WeightBlock {
    const { term, kernel } = planned
    if (term.kind === 'einsum')
      throw new PlatemarkError('Products of two activations cannot be laid out yet.')
    const sizesOf = (axes: readonly Axis[]) => leaves(axes).map((axis) => axis.size)
    const parts = [planned.output, planned.groups.output, planned.contract].map(sizesOf)
    const [outputs, groups, inputs] = parts.map(paddedAddresses)
    const [, groupBits = 0, inputBits = 0] = parts.map(totalBits)
    const taps = kernel[0] * kernel[1]
    const kernelBits = axisBits(taps)
    const outputScale = 2 ** (groupBits + inputBits + kernelBits)
    const groupScale = 2 ** (inputBits + kernelBits)
    const inputScale = 2 ** kernelBits
    const { data } = term.weight
    const transposed = term.kind === 'convTranspose'
    return this.#add(
      parts.map(totalBits).reduce((a, b) => a + b, kernelBits),
      (cells, offset) => {
        groups!.forEach((group, g) => {
          outputs!.forEach((output, o) => {
            inputs!.forEach((input, i) => {
              const from = transposed
                ? (g * inputs!.length + i) * outputs!.length + o
                : (g * outputs!.length + o) * inputs!.length + i
              const to = offset + output * outputScale + group * groupScale + input * inputScale
              for (let k = 0; k < taps; k++) cells[to + k] = data[from * taps + k]!
            })
          })
        })
      },
    )
  }

  /** Gives every block its offset; returns the cells in use. */
  place(): number {
    let cells = 0
    for (const block of [...this.#blocks].sort((a, b) => b.bits - a.bits)) {
      block.offset = cells
      cells += 2 ** block.bits
    }
    return cells
  }

  fill(length: number): Float64Array {
    const cells = new Float64Array(length)
    for (const block of this.#blocks) block.fill(cells, block.offset)
    return cells
  }
}

function layOutTables(model: IntegerModel) {
  const shifts = model.nodes.flatMap((node) =>
    node.kind === 'affine' ? [node.requantize.shift] : [],
  )
  const most = Math.max(0, ...shifts)
  const limbs = Math.ceil(most / MOST_LIMB_BITS)
  const limbBits = Math.max(1, Math.ceil(most / Math.max(1, limbs)))
  if (limbs > 4)
    throw new PlatemarkError('The sumcheck backend cannot prove such large remainders.', {
      expected: `shifts of at most ${4 * MOST_LIMB_BITS} bits`,
      found: `${most} bits`,
    })
  const widthsOf = (shift: number) =>
    Array.from({ length: limbs }, (_, l) => Math.min(limbBits, Math.max(0, shift - l * limbBits)))
  const widths = [...new Set(shifts.flatMap(widthsOf))].filter((w) => w > 0).sort((a, b) => b - a)
  const count = model.tables.length
  const runs = [
    ...model.tables.map(({ first, values }) => ({
      bits: axisBits(values.length),
      first,
      values,
    })),
    ...widths.map((bits) => ({ bits, first: 0, values: undefined })),
  ]
  const offsets: number[] = []
  let rows = 0
  for (const i of runs.map((_, i) => i).sort((a, b) => runs[b]!.bits - runs[a]!.bits)) {
    offsets[i] = rows
    rows += 2 ** runs[i]!.bits
  }
  const segments = runs.map(
    ({ bits, first }, i): SegmentDescriptor => ({ offset: offsets[i]!, bits, first }),
  )
  return {
    limbs,
    limbBits,
    segments,
    /** One row more: the zero row, which padding cells look up. */
    rows: rows + 1,
    limbsOf: (shift: number) =>
      widthsOf(shift).map((w) => (w === 0 ? -1 : count + widths.indexOf(w))),
    fill: (length: number) => {
      const cells = new Int32Array(length)
      runs.forEach(({ bits, values }, i) => {
        if (values === undefined) return
        // Rows beyond the table repeat its last value: no accumulator reaches them.
        cells.fill(values[values.length - 1]!, offsets[i]!, offsets[i]! + 2 ** bits)
        cells.set(values, offsets[i]!)
      })
      return cells
    },
  }
}

/** The image's packing needs every table output of its tensor to be a byte. */
function checkPixels(model: IntegerModel, plan: Plan): void {
  let block = plan.image.block
  for (;;) {
    const node = block === 0 ? undefined : plan.nodes[block - 1]!
    if (node?.kind === 'copy') {
      block = node.input
      continue
    }
    const values = node === undefined ? model.latent.table : model.tables[node.node.table]!.values
    if (Array.from(values).every((value) => value >= 0 && value <= 255)) return
    throw new PlatemarkError('The image tensor can hold values that are not pixels.', {
      expected: 'table outputs from 0 to 255',
      fix: 'Compile the model again; the file was not written by this compiler.',
    })
  }
}
