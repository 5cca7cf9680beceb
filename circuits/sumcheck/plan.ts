import { conditionElements, conditionsOf } from '../../model-export/conditions.js'
import type {
  AffineNode,
  IntegerEinsum,
  IntegerModel,
  IntegerTerm,
  LinearIntegerTerm,
} from '../../model-export/integer-model.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { elementCount } from '../../model-export/tensor-index.js'
import { type Axis, cut, match, type SplitCounter } from './axes.js'
import type { BlockDescriptor } from './descriptor.js'
import { flattenNode } from './flatten-node.js'

/**
 * Which committed blocks there are and through which axes every reader sees them. Rearrangements cost
 * nothing where the axes of all readers have a common refinement; where they have none, a copy of the
 * tensor is committed and proven to be one.
 */
export type Plan = {
  /** Block 0 is the latent, then come the conditions, then what the nodes fill. */
  readonly blocks: readonly PlannedBlock[]
  readonly nodes: readonly PlannedNode[]
  readonly image: {
    readonly block: number
    readonly axes: readonly [readonly Axis[], readonly Axis[], readonly Axis[]]
  }
}

export type PlannedBlock = {
  readonly space: BlockDescriptor['space']
  readonly axes: readonly Axis[]
}

export type PlannedNode =
  | {
      readonly kind: 'affine'
      readonly node: AffineNode
      readonly biasAxes: readonly Axis[]
      readonly terms: readonly PlannedTerm[]
    }
  | { readonly kind: 'copy'; readonly input: number; readonly view: readonly Axis[] }

export type PlannedTerm = {
  readonly term: IntegerTerm
  readonly input: number
  /** Where the weight is a tensor: its block, and its axes that carry outputs, groups and contract. */
  readonly operand?: { readonly block: number; readonly axes: readonly Axis[] }
  /** Weight only. */
  readonly output: readonly Axis[]
  readonly rows: AxisPairs
  readonly groups: AxisPairs
  readonly contract: readonly Axis[]
  readonly kernel: readonly [number, number]
  readonly spatial: readonly PlannedSpatial[]
}

/** Axes of the output and of the input that have the same index. */
export type AxisPairs = { readonly output: readonly Axis[]; readonly input: readonly Axis[] }

export type PlannedSpatial = {
  readonly kernelAxis: 0 | 1
  readonly output: readonly Axis[]
  readonly input: readonly Axis[]
}

/** Thrown inside one attempt: this reader needs a copy of what it reads. */
class NeedsCopy extends Error {
  constructor(readonly reader: string) {
    super(reader)
  }
}

/** Thrown inside one attempt: the parts of this node see its output in shapes that do not fit. */
class NeedsFlattening extends Error {
  constructor(readonly node: number) {
    super(`node ${node}`)
  }
}

type View = { readonly block: number; readonly axes: readonly Axis[] }

/**
 * Plans the blocks of a model. Nodes of the plan compute what those of the model do, but may be written
 * otherwise (see `flattenNode`).
 *
 * @throws {PlatemarkError} where a node sees its own output in two shapes without common refinement, and
 *   is too large to be written otherwise.
 */
export function planBlocks(model: IntegerModel): Plan {
  const copies = new Set<string>()
  let written = model
  for (;;) {
    try {
      return attempt(written, copies)
    } catch (error) {
      if (error instanceof NeedsCopy && !copies.has(error.reader)) copies.add(error.reader)
      else if (error instanceof NeedsFlattening) written = flattenAt(written, error.node)
      else if (error instanceof NeedsCopy) throw cannotLayOut(error.reader)
      else throw error
    }
  }
}

function flattenAt(model: IntegerModel, index: number): IntegerModel {
  const node = model.nodes[index]!
  const flat =
    node.kind === 'affine' ? flattenNode(node, model.tensors[node.output]!.shape, model) : undefined
  if (flat === undefined) throw cannotLayOut(`node ${index} (${node.name})`)
  return { ...model, nodes: model.nodes.with(index, flat) }
}

function cannotLayOut(reader: string): PlatemarkError {
  return new PlatemarkError('The sumcheck backend cannot lay out this model.', {
    found: `two shapes of one tensor without a common refinement, at ${reader}`,
    fix: 'Use the groth16 backend.',
  })
}

function attempt(model: IntegerModel, copies: ReadonlySet<string>): Plan {
  const counter: SplitCounter = { splits: 0 }
  const wishes: (() => void)[] = []
  const latent: Axis = { size: model.latent.dimensions }
  const blocks: PlannedBlock[] = [
    { space: 'latent', axes: [latent] },
    ...conditionsOf(model).map((condition): PlannedBlock => {
      return { space: 'condition', axes: [{ size: conditionElements(condition) }] }
    }),
  ]
  const publics = blocks.length
  const nodes: PlannedNode[] = []
  const views: View[] = blocks.map(({ axes }, block) => ({ block, axes }))

  const must = <T>(result: T | undefined | false, reader: string): T => {
    if (result === undefined || result === false) throw new NeedsCopy(reader)
    return result
  }
  const shaped = (axes: readonly Axis[], shape: readonly number[], reader: string) => {
    wishes.push(() => must(cut(axes, shape, counter), reader))
    return must(cut(axes, shape, counter), reader)
  }
  const same = (left: readonly Axis[], right: readonly Axis[], reader: string) => {
    wishes.push(() => must(match(left, right, counter), reader))
    must(match(left, right, counter), reader)
    return { output: left, input: right }
  }
  /** What a reader reads: the tensor's view, or a copy made for it. */
  const read = (tensor: number, reader: string): View => {
    const view = views[tensor]!
    if (!copies.has(reader)) return view
    const axis: Axis = { size: elementCount(model.tensors[tensor]!.shape) }
    nodes.push({ kind: 'copy', input: view.block, view: view.axes })
    blocks.push({ space: 'copy', axes: [axis] })
    return { block: blocks.length - 1, axes: [axis] }
  }

  model.nodes.forEach((node, index) => {
    if (node.kind === 'rearrange') {
      const view = read(node.input, `node ${index}`)
      const groups = shaped(view.axes, node.inputShape, `node ${index}`)
      views[node.output] = {
        block: view.block,
        axes: node.permutation.flatMap((axis) => groups[axis]!),
      }
      return
    }
    const shape = model.tensors[node.output]!.shape
    const output: Axis = { size: elementCount(shape) }
    const inputs = node.terms.map((term, t) => read(term.input, `node ${index} term ${t}`))
    const operands = node.terms.map((term, t) =>
      term.kind === 'einsum' ? read(term.operand, `node ${index} term ${t} operand`) : undefined,
    )
    const seen = (to: readonly number[]) => {
      const view = () => {
        const axes = cut([output], to, counter)
        if (axes === undefined) throw new NeedsFlattening(index)
        return axes
      }
      wishes.push(view)
      return view()
    }
    const biasAxes =
      node.bias === undefined
        ? []
        : seen(shape).flatMap((group, axis) => (node.bias!.shape[axis] === 1 ? [] : group))
    const terms = node.terms.map((term, t): PlannedTerm => {
      const reader = `node ${index} term ${t}`
      const input = inputs[t]!
      const outputs = seen
      const ins = (to: readonly number[]) => shaped(input.axes, to, reader)
      const pairs = (left: readonly Axis[], right: readonly Axis[]) => same(left, right, reader)
      if (term.kind !== 'einsum')
        return { term, input: input.block, ...planTerm(term, shape, outputs, ins, pairs) }
      const operand = operands[t]!
      const factor = `${reader} operand`
      const ops = (to: readonly number[]) => shaped(operand.axes, to, factor)
      const tied = (left: readonly Axis[], right: readonly Axis[]) => same(left, right, factor)
      return {
        term,
        input: input.block,
        ...planEinsum(term, operand.block, { outputs, inputs: ins, operands: ops }, pairs, tied),
      }
    })
    nodes.push({ kind: 'affine', node, biasAxes, terms })
    blocks.push({ space: 'activation', axes: [output] })
    views[node.output] = { block: blocks.length - 1, axes: [output] }
  })

  const image = read(model.image.tensor, IMAGE_READER)
  const { height, width, channels } = model.image
  if (image.block < publics && !copies.has(IMAGE_READER)) throw new NeedsCopy(IMAGE_READER)
  const [rows, columns, channelAxes] = shaped(image.axes, [height, width, channels], IMAGE_READER)
  // A split may undo what an earlier wish found; repeat until all hold at once.
  for (let before = -1; before !== counter.splits; ) {
    before = counter.splits
    for (const wish of wishes) wish()
  }
  return { blocks, nodes, image: { block: image.block, axes: [rows!, columns!, channelAxes!] } }
}

const IMAGE_READER = 'image'

type Shaped = (shape: readonly number[]) => readonly Axis[][]
type Paired = (left: readonly Axis[], right: readonly Axis[]) => AxisPairs

const NO_PAIRS: AxisPairs = { output: [], input: [] }

function planTerm(
  term: LinearIntegerTerm,
  shape: readonly number[],
  outputs: Shaped,
  inputs: Shaped,
  paired: Paired,
): Omit<PlannedTerm, 'term' | 'input'> {
  if (term.kind === 'gemm') {
    const [outs = 0, ins = 0] = term.weight.shape
    const [rows, output] = outputs([term.rows, outs])
    const [inputRows, contract] = inputs([term.rows, ins])
    return {
      output: output!,
      rows: paired(rows!, inputRows!),
      groups: NO_PAIRS,
      contract: contract!,
      kernel: [1, 1],
      spatial: [],
    }
  }
  if (term.kind === 'elementwise') {
    const out = outputs(shape)
    const input = inputs(shape)
    const where = (repeats: boolean): AxisPairs => {
      const axes = shape
        .map((_, axis) => axis)
        .filter((a) => (term.weight.shape[a] === 1) === repeats)
      const left = axes.flatMap((axis) => out[axis]!)
      const right = axes.flatMap((axis) => input[axis]!)
      for (const axis of axes) paired(out[axis]!, input[axis]!)
      return { output: left, input: right }
    }
    return {
      output: [],
      rows: where(true),
      groups: where(false),
      contract: [],
      kernel: [1, 1],
      spatial: [],
    }
  }
  const { groups } = term
  const [, , kernelHeight = 1, kernelWidth = 1] = term.weight.shape
  const out = outputs([groups, term.outputChannels / groups, term.outputHeight, term.outputWidth])
  const input = inputs([groups, term.inputChannels / groups, term.inputHeight, term.inputWidth])
  const rows: { output: Axis[]; input: Axis[] } = { output: [], input: [] }
  const spatial: PlannedSpatial[] = []
  const sizes = [
    [term.outputHeight, term.inputHeight, kernelHeight],
    [term.outputWidth, term.inputWidth, kernelWidth],
  ] as const
  for (const kernelAxis of [0, 1] as const) {
    const [outputSize, inputSize, kernel] = sizes[kernelAxis]
    const left = out[2 + kernelAxis]!
    const right = input[2 + kernelAxis]!
    const identity =
      kernel === 1 &&
      outputSize === inputSize &&
      term.padBegin[kernelAxis] === 0 &&
      (term.strides[kernelAxis] === 1 || outputSize === 1)
    if (identity) {
      const pair = paired(left, right)
      rows.output.push(...pair.output)
      rows.input.push(...pair.input)
    } else spatial.push({ kernelAxis, output: left, input: right })
  }
  return {
    output: out[1]!,
    rows,
    groups: paired(out[0]!, input[0]!),
    contract: input[1]!,
    kernel: [kernelHeight, kernelWidth],
    spatial,
  }
}

/** A product of two tensors: the operand plays the weight, its axes take the weight's order. */
function planEinsum(
  term: IntegerEinsum,
  operand: number,
  see: { readonly outputs: Shaped; readonly inputs: Shaped; readonly operands: Shaped },
  paired: Paired,
  tied: Paired,
): Omit<PlannedTerm, 'term' | 'input'> {
  const axesOf = (labels: readonly number[], shaped: Shaped) => {
    const axes = shaped(labels.map((label) => term.sizes[label]!))
    return new Map(labels.map((label, i) => [label, axes[i]!]))
  }
  const output = axesOf(term.outputAxes, see.outputs)
  const input = axesOf(term.inputAxes, see.inputs)
  const weight = axesOf(term.operandAxes, see.operands)
  const labels = (inInput: boolean, inOperand: boolean, inOutput: boolean) =>
    term.sizes
      .map((_, label) => label)
      .filter(
        (label) =>
          input.has(label) === inInput &&
          weight.has(label) === inOperand &&
          output.has(label) === inOutput,
      )
  const rows = labels(true, false, true)
  const groups = labels(true, true, true)
  const contract = labels(true, true, false)
  const free = labels(false, true, true)
  for (const label of [...rows, ...groups]) paired(output.get(label)!, input.get(label)!)
  for (const label of contract) tied(input.get(label)!, weight.get(label)!)
  for (const label of [...free, ...groups]) tied(output.get(label)!, weight.get(label)!)
  const from = (axes: ReadonlyMap<number, readonly Axis[]>, own: readonly number[]) =>
    own.flatMap((label) => axes.get(label)!)
  return {
    operand: { block: operand, axes: from(weight, [...free, ...groups, ...contract]) },
    output: from(output, free),
    rows: { output: from(output, rows), input: from(input, rows) },
    groups: { output: from(output, groups), input: from(input, groups) },
    contract: from(input, contract),
    kernel: [1, 1],
    spatial: [],
  }
}
