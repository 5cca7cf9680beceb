import type { FloatAffine, FloatNode, FloatTensor, FloatTerm } from '../float-model.js'
import { nodeError, nodeLabel } from '../onnx/node-error.js'
import { type Constant, isFloat, type OnnxNode } from '../onnx/onnx-graph.js'
import { broadcastIndex, elementCount } from '../tensor-index.js'
import type { UnaryChain } from '../unary.js'
import { broadcastsTo } from './broadcast-shape.js'
import { compact, uniform } from './compact.js'
import {
  identityView,
  isIdentity,
  sameView,
  type View,
  viewAsTranspose,
  viewIndex,
} from './view.js'

/** A tensor that depends on the latent: elements of `tensor` read through `view` as `shape`. */
export type Activation = {
  readonly kind: 'activation'
  readonly tensor: string
  readonly shape: readonly number[]
  readonly view: View
}

/** What an ONNX name stands for while lowering. */
export type Value = Constant | Activation

/** The state of one lowering: nodes are only ever appended. */
export type Lowering = {
  /** Version of the ONNX operators: a few changed their meaning. */
  readonly opset: number
  readonly nodes: FloatNode[]
  /** The shape of every tensor of the float model so far. */
  readonly shapes: Map<string, readonly number[]>
  /** Rearranged copies, by tensor and view, so that two readers share one. */
  readonly ordered: Map<string, Activation>
  /** Tensors that only Softmax reads. */
  readonly softmaxInputs: ReadonlySet<string>
  /** 0 where Softmax leaves an element out, else 1; of those activations that have such elements. */
  readonly visible: WeakMap<Activation, Constant>
  /** Elements that may still be computed: a hostile file ends here and not in the machine's memory. */
  budget: number
}

/**
 * Lowers one node. Inputs that are left out are undefined.
 *
 * @returns the values of the node's outputs, in order; further outputs may be missing
 */
export type Lower = (
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  lowering: Lowering,
) => readonly Value[]

/** No tensor that is computed may be larger. (A 2048 × 2048 RGB image has 12.6 million elements.) */
const largestTensor = 2 ** 24

/** Elements that one lowering may compute in all. */
export const initialBudget = 2 ** 26

/**
 * Checks the shape of a new tensor before anything of its size is allocated.
 *
 * @throws PlatemarkError if it is empty or too large
 */
export function reserve(
  lowering: Lowering,
  node: OnnxNode,
  shape: readonly number[],
  smallest = 1,
): void {
  const count = elementCount(shape)
  if (
    !Number.isSafeInteger(count) ||
    shape.some((size) => !Number.isInteger(size) || size < 0) ||
    count < smallest
  ) {
    throw nodeError(node, 'the result would have a bad shape', {
      expected: 'sizes of at least 1',
      found: shape.join('×'),
    })
  }
  lowering.budget -= count
  if (count > largestTensor || lowering.budget < 0) {
    throw nodeError(node, 'the model is too large', {
      expected: `tensors of at most ${largestTensor} elements, ${initialBudget} in all`,
      found: `shape ${shape.join('×')}`,
    })
  }
}

/** An input that must be there. */
export function required(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  index: number,
): Value {
  const value = inputs[index]
  if (value === undefined) throw nodeError(node, `input ${index} is missing`)
  return value
}

/** An input that must depend on the latent (as constants are folded before, it does). */
export function activationInput(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  index: number,
): Activation {
  const value = required(node, inputs, index)
  if (value.kind === 'constant') throw nodeError(node, `input ${index} must not be constant`)
  return value
}

/** An input that must be constant, or undefined where it is left out. */
export function constantInput(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  index: number,
  meaning: string,
): Constant | undefined {
  const value = inputs[index]
  if (value?.kind === 'activation') {
    throw nodeError(node, `the ${meaning} must be constant, not computed from the latent`, {
      expected: 'a constant or an initializer',
      found: `"${node.inputs[index]}"`,
    })
  }
  return value
}

/** As `constantInput`, for weights: real and present. */
export function weightInput(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  index: number,
  meaning: string,
): Constant {
  const value = constantInput(node, inputs, index, meaning)
  if (value === undefined) throw nodeError(node, `the ${meaning} is missing`)
  requireFloat(node, value, meaning)
  return value
}

/** @throws PlatemarkError if the constant does not hold finite real numbers */
export function requireFloat(node: OnnxNode, value: Constant, meaning: string): void {
  if (!isFloat(value.dtype)) {
    throw nodeError(node, `the ${meaning} has the wrong element type`, {
      expected: 'float32, float64 or float16',
      found: value.dtype,
    })
  }
  if (!value.data.every(Number.isFinite)) {
    throw nodeError(node, `the ${meaning} holds values that are not finite`, {
      expected: 'finite numbers',
      found: 'NaN or infinity',
    })
  }
}

/** The shape of the float model's tensor under an activation. */
export function baseShape(lowering: Lowering, value: Activation): readonly number[] {
  return lowering.shapes.get(value.tensor)!
}

function fresh(lowering: Lowering, wanted: string): string {
  let name = wanted
  for (let i = 2; lowering.shapes.has(name); i++) name = `${wanted}:${i}`
  return name
}

/** Appends an affine node and returns its tensor, read in order as `valueShape`. */
export function emitAffine(
  lowering: Lowering,
  node: OnnxNode,
  affine: {
    readonly shape: readonly number[]
    readonly terms: readonly FloatTerm[]
    readonly bias?: FloatTensor | undefined
    readonly activation?: UnaryChain
    readonly exact?: FloatAffine['exact'] | undefined
    /** Of the tensor; the first output of the node by default. */
    readonly name?: string
  },
  valueShape: readonly number[],
): Activation {
  reserve(lowering, node, affine.shape)
  const output = fresh(lowering, affine.name ?? node.outputs[0] ?? nodeLabel(node))
  const { bias, shape } = affine
  lowering.shapes.set(output, shape)
  lowering.nodes.push({
    kind: 'affine',
    name: node.name || output,
    output,
    shape,
    terms: affine.terms,
    ...(bias === undefined || bias.data.every((value) => value === 0) ? {} : { bias }),
    activation: affine.activation ?? [],
    ...(affine.exact === undefined ? {} : { exact: affine.exact }),
  })
  return {
    kind: 'activation',
    tensor: output,
    shape: valueShape,
    view: identityView(elementCount(shape)),
  }
}

/** The activation with its elements in order: itself, or a rearranged copy of that name. */
export function inOrder(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  name = `${value.tensor}:rearranged`,
): Activation {
  if (isIdentity(value.view)) return value
  const key = `${value.tensor}\n${JSON.stringify(value.view)}`
  const known = lowering.ordered.get(key)
  if (known !== undefined) return { ...known, shape: value.shape }
  reserve(lowering, node, value.shape)
  const output = fresh(lowering, name)
  lowering.shapes.set(output, value.shape)
  lowering.nodes.push({
    kind: 'rearrange',
    name: node.name || output,
    output,
    shape: value.shape,
    input: value.tensor,
    ...viewAsTranspose(value.view),
  })
  const ordered: Activation = {
    kind: 'activation',
    tensor: output,
    shape: value.shape,
    view: identityView(elementCount(value.shape)),
  }
  lowering.ordered.set(key, ordered)
  return ordered
}

/**
 * A constant that meets an activation element by element, laid out like the tensor under the
 * activation and as small as its values allow.
 *
 * @throws PlatemarkError if the constant does not broadcast to the activation's shape
 */
export function alignConstant(
  lowering: Lowering,
  node: OnnxNode,
  constant: FloatTensor,
  value: Activation,
): FloatTensor {
  const base = baseShape(lowering, value)
  if (constant.data.length === 1) return uniform(base.length, constant.data[0]!)
  if (!broadcastsTo(constant.shape, value.shape)) {
    throw nodeError(node, 'the shapes of the operands do not fit', {
      expected: `a constant that broadcasts to ${value.shape.join('×')}`,
      found: constant.shape.join('×'),
    })
  }
  reserve(lowering, node, value.shape)
  const index = broadcastIndex(constant.shape, value.shape)
  const place = viewIndex(value.view)
  const data = new Float64Array(index.length)
  for (let i = 0; i < data.length; i++) data[place[i]!] = constant.data[index[i]!]!
  return compact({ shape: base, data })
}

/**
 * `activation(scale ∘ value + offset)`, scale and offset broadcasting to the value's shape. The view
 * of the value stays: the node works on the tensor underneath, where it can fuse.
 */
export function emitElementwise(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  step: {
    readonly scale?: FloatTensor
    readonly offset?: FloatTensor
    readonly activation?: UnaryChain
    readonly name?: string
  },
): Activation {
  const shape = baseShape(lowering, value)
  const weight =
    step.scale === undefined
      ? uniform(shape.length, 1)
      : alignConstant(lowering, node, step.scale, value)
  const bias =
    step.offset === undefined ? undefined : alignConstant(lowering, node, step.offset, value)
  const result = emitAffine(
    lowering,
    node,
    {
      shape,
      terms: [{ kind: 'elementwise', input: value.tensor, weight }],
      bias,
      activation: step.activation ?? [],
      ...(step.name === undefined ? {} : { name: step.name }),
    },
    value.shape,
  )
  return { ...result, view: value.view }
}

/** `Σ factorᵢ · valueᵢ` of activations of equal shape. */
export function emitSum(
  lowering: Lowering,
  node: OnnxNode,
  operands: readonly { readonly value: Activation; readonly weight: FloatTensor }[],
): Activation {
  const { value: first } = operands[0]!
  const aligned = operands.every(({ value }) => sameView(value.view, first.view))
    ? operands
    : operands.map(({ value, weight }) => ({ value: inOrder(lowering, node, value), weight }))
  const lead = aligned[0]!.value
  const shape = baseShape(lowering, lead)
  const result = emitAffine(
    lowering,
    node,
    {
      shape,
      terms: aligned.map(({ value, weight }) => ({
        kind: 'elementwise',
        input: value.tensor,
        weight: alignConstant(lowering, node, weight, lead),
      })),
    },
    lead.shape,
  )
  return { ...result, view: lead.view }
}
