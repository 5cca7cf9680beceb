import { conditionsOf } from '../../model-export/conditions.js'
import type { Condition, IntegerModel, Latent } from '../../model-export/integer-model.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { type Axis, axisBits, leaves, totalBits } from './axes.js'
import {
  type BlockDescriptor,
  type ConditionDescriptor,
  type ImageBinding,
  type NodeDescriptor,
  publicBlocks,
  type SumcheckDescriptor,
  type TermDescriptor,
} from './descriptor.js'
import { pack } from './pack.js'
import { type Plan, type PlannedTerm, planBlocks } from './plan.js'
import { isBytes, layOutTables, type TableLayout } from './tables.js'
import { biasBlock, termBlock, type WeightBlock } from './weights.js'

/** A descriptor with the integers that setup commits to. */
export type SumcheckLayout = {
  readonly descriptor: SumcheckDescriptor
  /** All key columns, one after the other; entries are integers below 2^52 in absolute value. */
  readonly keyCells: Float64Array
}

export type LayoutOptions = {
  /** Default: `defaultBinding`. */
  readonly imageBinding?: ImageBinding
  /** log2 of the rows of a column; by default the cheapest by `COLUMN_IN_ROWS`. */
  readonly columnBits?: number
}

/** Images of at most this many bytes are bound by their pixels, which a chain can then keep. */
const MOST_PIXEL_BYTES = 64 * 64 * 3

/**
 * How columns and their length are traded. A column costs a verifier on a chain about 7,500 gas and a
 * proof 96 bytes, a row costs the prover one to two microseconds: a column is held to be worth 2^17 rows.
 */
const COLUMN_IN_ROWS = 2 ** 17

/** Lengths of columns that are considered. */
const COLUMN_BITS = { least: 4, most: 28 }

/** How an image of this size is bound when nobody says otherwise. */
export function defaultBinding(
  image: Pick<IntegerModel['image'], 'height' | 'width' | 'channels'>,
) {
  const bytes = image.height * image.width * image.channels
  return bytes <= MOST_PIXEL_BYTES ? 'pixels' : 'commitment'
}

/**
 * Lays a model out in columns (`docs/protocol.md` §2, §3).
 *
 * @throws {PlatemarkError} for models that this layout cannot hold.
 * @example
 * const { descriptor } = layOutModel(plate.model, plate.modelId)
 */
export function layOutModel(
  model: IntegerModel,
  modelId: string,
  options: LayoutOptions = {},
): SumcheckLayout {
  const plan = planBlocks(model)
  const tables = layOutTables(model)
  const axes = plan.blocks.map((block) => leaves(block.axes))
  const sizes = axes.map((own) => own.map((axis) => axis.size))
  const blocks = placeBlocks(plan, sizes)
  const regions = placeRegions(tables, blocks.bits.activation, blocks.bits.copy)
  const weights: WeightBlock[] = []
  const add = (block: WeightBlock) => weights.push(block) - 1
  const indexOf = (block: number): AxisIndex => {
    const index = new Map(axes[block]!.map((axis, i) => [axis, i]))
    return (own) => leaves(own).map((axis) => index.get(axis)!)
  }
  type Weight = (offsets: readonly number[]) => TermDescriptor['weight']
  const constantWeight = (at: number): Weight => {
    return (offsets) => ({ kind: 'constant', offset: offsets[at]! })
  }
  const tensorWeight = ({ block, axes: own }: NonNullable<PlannedTerm['operand']>): Weight => {
    const weight = { kind: 'tensor', block, axes: indexOf(block)(own) } as const
    return () => weight
  }
  const conditions = conditionsOf(model)
  const publics = publicBlocks({ conditions })
  const nodes = plan.nodes.map((node, i): ((offsets: readonly number[]) => NodeDescriptor) => {
    const block = publics + i
    const output = indexOf(block)
    if (node.kind === 'copy') {
      const { input, view } = node
      return () => ({ kind: 'copy', output: block, input, inputAxes: indexOf(input)(view) })
    }
    const { bias, table, requantize } = node.node
    const biasAt = bias && add(biasBlock(node.biasAxes, bias.data))
    const terms = node.terms.map((planned) => {
      const { term, operand } = planned
      if (operand !== undefined) return { planned, weight: tensorWeight(operand) }
      if (term.kind === 'einsum') throw new RangeError('a product has an operand')
      const at = add(termBlock(planned, term))
      return { planned, weight: constantWeight(at) }
    })
    return (offsets) => ({
      kind: 'affine',
      output: block,
      table: tables.segmentOf[table]!,
      limbs: tables.limbsOf(requantize.shift),
      multiplier: requantize.multiplier,
      shift: requantize.shift,
      bias: biasAt === undefined ? null : { offset: offsets[biasAt]!, axes: output(node.biasAxes) },
      terms: terms.map(({ planned, weight }) => ({
        input: planned.input,
        weight: weight(offsets),
        ...termAxes(planned, output, indexOf(planned.input)),
      })),
    })
  })
  // The last run of the key group is T_out.
  const key = pack([...weights.map(({ bits }) => bits), tables.bits])
  const groups = { first: regions.first.cells, second: regions.second.cells, key: key.cells }
  const { height, width, channels } = model.image
  const binding = options.imageBinding ?? defaultBinding(model.image)
  // A commitment to the image takes a power of tau a byte.
  const least = binding === 'commitment' ? axisBits(height * width * channels) : 0
  const columnBits = options.columnBits ?? chooseColumnBits(Object.values(groups), least)
  if (columnBits < least)
    throw new PlatemarkError('The columns are too short for a commitment to the image.', {
      expected: `columns of 2^${least} rows or more`,
      found: `2^${columnBits}`,
    })
  const columns = (cells: number) => Math.ceil(cells / 2 ** columnBits)
  const imageAxes = plan.image.axes.map(indexOf(plan.image.block))
  checkPixels(model, plan)
  const descriptor: SumcheckDescriptor = {
    format: 'platemark-sumcheck-key',
    version: 2,
    modelId,
    columnBits,
    limbBits: tables.limbBits,
    limbs: tables.limbs,
    columns: {
      first: columns(groups.first),
      second: columns(groups.second),
      key: columns(groups.key),
    },
    activation: regions.activation,
    copy: regions.copy,
    table: { ...regions.table, output: key.offsets[weights.length]! },
    latent: { dimensions: model.latent.dimensions, table: model.latent.table },
    ...(conditions.length === 0 ? {} : { conditions: conditions.map(describeCondition) }),
    image: {
      binding,
      height,
      width,
      channels,
      block: plan.image.block,
      rowAxes: imageAxes[0]!,
      columnAxes: imageAxes[1]!,
      channelAxes: imageAxes[2]!,
    },
    blocks: blocks.descriptors,
    nodes: nodes.map((node) => node(key.offsets)),
    segments: tables.segments,
  }
  const keyCells = new Float64Array(descriptor.columns.key * 2 ** columnBits)
  weights.forEach((block, i) => {
    block.fill(keyCells, key.offsets[i]!)
  })
  tables.fill(keyCells, descriptor.table.output)
  return { descriptor, keyCells }
}

function describeCondition(condition: Condition): ConditionDescriptor {
  if (condition.kind === 'label') return condition
  const { kind, dimensions, table } = condition
  return { kind, dimensions, table }
}

/** Blocks in their spaces, and log2 of the cells of each space. */
function placeBlocks(plan: Plan, sizes: readonly (readonly number[])[]) {
  const offsets: number[] = []
  const bits = (space: 'activation' | 'copy') => {
    const own = plan.blocks.flatMap((block, i) => (block.space === space ? [i] : []))
    const packing = pack(own.map((i) => totalBits(sizes[i]!)))
    own.forEach((i, at) => {
      offsets[i] = packing.offsets[at]!
    })
    return own.length === 0 ? undefined : axisBits(packing.cells)
  }
  // A model has at least one affine node or a copy; a region of no use is one cell.
  const spaces = { activation: bits('activation') ?? 0, copy: bits('copy') }
  const descriptors = plan.blocks.map(
    ({ space }, i): BlockDescriptor => ({ space, offset: offsets[i] ?? 0, axes: sizes[i]! }),
  )
  return { descriptors, bits: spaces }
}

/** Regions of the groups that a proof commits to. */
function placeRegions(tables: TableLayout, activationBits: number, copyBits: number | undefined) {
  const { limbs, bits: tableBits } = tables
  const repeat = (count: number) => Array<number>(count).fill(activationBits)
  const first = pack([
    ...repeat(2 + limbs),
    tableBits,
    ...(copyBits === undefined ? [] : [copyBits]),
  ])
  const second = pack([...repeat(1 + limbs), tableBits])
  return {
    first,
    second,
    activation: {
      bits: activationBits,
      quotient: first.offsets[0]!,
      output: first.offsets[1]!,
      limbs: first.offsets.slice(2, 2 + limbs),
      inverses: second.offsets.slice(0, 1 + limbs),
    },
    table: {
      bits: tableBits,
      multiplicity: first.offsets[2 + limbs]!,
      inverse: second.offsets[1 + limbs]!,
    },
    copy: copyBits === undefined ? null : { bits: copyBits, offset: first.offsets[3 + limbs]! },
  }
}

/** The length of columns that costs least; the longer of two that cost the same. */
function chooseColumnBits(groups: readonly number[], least: number): number {
  const cost = (bits: number) =>
    2 ** bits +
    COLUMN_IN_ROWS * groups.reduce((sum, cells) => sum + Math.ceil(cells / 2 ** bits), 0)
  let best = Math.max(COLUMN_BITS.least, least)
  for (let bits = best + 1; bits <= COLUMN_BITS.most; bits++)
    if (cost(bits) <= cost(best)) best = bits
  return best
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

/** The image's packing needs every table output of its tensor to be a byte. */
function checkPixels(model: IntegerModel, plan: Plan): void {
  const conditions = conditionsOf(model)
  const publics = publicBlocks({ conditions })
  let block = plan.image.block
  for (;;) {
    const node = plan.nodes[block - publics]
    if (node?.kind === 'copy') {
      block = node.input
      continue
    }
    const values =
      node === undefined
        ? publicValues(block === 0 ? model.latent : conditions[block - 1]!)
        : model.tables[node.node.table]!.values
    if (isBytes(values)) return
    throw new PlatemarkError('The image tensor can hold values that are not pixels.', {
      expected: 'table outputs from 0 to 255',
      fix: 'Compile the model again; the file was not written by this compiler.',
    })
  }
}

/** What the elements of a public tensor can be. */
function publicValues(tensor: Latent | Condition): readonly number[] {
  return 'table' in tensor ? tensor.table : [0, 1]
}
