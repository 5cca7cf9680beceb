import { intAttribute, normalizeAxis } from '../onnx/attributes.js'
import type { Constant, OnnxNode } from '../onnx/onnx-graph.js'
import type { UnaryChain } from '../unary.js'
import {
  type Activation,
  activationInput,
  emitAffine,
  type Lower,
  type Lowering,
} from './lowering.js'
import { emitRowMaximum } from './maximum.js'
import { asRows, itself, type Rows, repeated, rowOrder, summed } from './rows.js'
import { emitMasked, emitVisible } from './softmax-mask.js'
import { transposeValue } from './transpose.js'

/** `activation(x − max(x))` of each row: at most 0 before the function, and 0 at the largest element. */
function emitBelowMaximum(
  lowering: Lowering,
  node: OnnxNode,
  from: Rows,
  activation: UnaryChain,
): string {
  const { tensor, rows, length } = from
  const largest = emitRowMaximum(lowering, node, from)
  const shape = [rows, length]
  const terms = [itself(tensor, 2), repeated(largest.tensor, rows, length, -1)]
  const name = `${tensor}:exponential`
  return emitAffine(lowering, node, { shape, terms, activation, name }, shape).tensor
}

/** `function of Σ e` of each row; the sum is at least 1, since e is 1 at the largest element. */
function emitSumOf(
  lowering: Lowering,
  node: OnnxNode,
  exponentials: string,
  { rows, length }: Rows,
  name: 'reciprocal' | 'log',
): string {
  const activation: UnaryChain = [
    { op: 'clip', min: 1, max: length },
    { op: 'elementary', name },
  ]
  const terms = [summed(exponentials, rows, length, 1)]
  return emitAffine(
    lowering,
    node,
    { shape: [rows], terms, activation, name: `${exponentials}:${name}` },
    [rows],
  ).tensor
}

const EXPONENTIAL: UnaryChain = [
  { op: 'clip', min: -Infinity, max: 0 },
  { op: 'elementary', name: 'exp' },
]

/** Before opset 13 the axis stands for all axes from it on, and is 1 by default. */
function softmaxAxes(node: OnnxNode, value: Activation, lowering: Lowering): readonly number[] {
  const rank = value.shape.length
  const old = lowering.opset < 13
  const axis = normalizeAxis(node, intAttribute(node, 'axis', old ? 1 : -1), rank)
  return old ? Array.from({ length: rank - axis }, (_, i) => axis + i) : [axis]
}

/** `exp(x − max(x))` of each row: of what is visible, 0 elsewhere. */
function emitExponentials(
  lowering: Lowering,
  node: OnnxNode,
  from: Rows,
  visible: Float64Array | undefined,
): string {
  if (visible === undefined) return emitBelowMaximum(lowering, node, from, EXPONENTIAL)
  const shown = emitVisible(lowering, node, from, visible)
  const exponentials = emitBelowMaximum(lowering, node, shown, EXPONENTIAL)
  return emitMasked(lowering, node, exponentials, [from.rows, from.length], visible)
}

/** exp(x − max) / Σ exp(x − max). */
export const lowerSoftmax: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const axes = softmaxAxes(node, value, lowering)
  const from = asRows(lowering, node, value, axes)
  const { rows, length } = from
  const visible = lowering.visible.get(value)
  const mask =
    visible &&
    transposeValue(lowering, node, visible, rowOrder(visible.shape.length, new Set(axes)))
  const exponentials = emitExponentials(lowering, node, from, (mask as Constant | undefined)?.data)
  const operand = emitSumOf(lowering, node, exponentials, from, 'reciprocal')
  const shape = [rows, length]
  const result = emitAffine(
    lowering,
    node,
    {
      shape,
      terms: [
        {
          kind: 'einsum',
          input: exponentials,
          operand,
          sizes: shape,
          inputAxes: [0, 1],
          operandAxes: [0],
          outputAxes: [0, 1],
        },
      ],
    },
    shape,
  )
  return [from.restore(result)]
}

/** x − max − log Σ exp(x − max). */
export const lowerLogSoftmax: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const from = asRows(lowering, node, value, softmaxAxes(node, value, lowering))
  const { rows, length } = from
  const differences = emitBelowMaximum(lowering, node, from, [])
  const shape = [rows, length]
  const exponentials = emitAffine(
    lowering,
    node,
    { shape, terms: [itself(differences, 2)], activation: EXPONENTIAL },
    shape,
  ).tensor
  const logarithm = emitSumOf(lowering, node, exponentials, from, 'log')
  const terms = [itself(differences, 2), repeated(logarithm, rows, length, -1)]
  return [from.restore(emitAffine(lowering, node, { shape, terms }, shape))]
}
