import type { FloatTensor } from '../float-model.js'
import { intAttribute, normalizeAxis } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { Constant } from '../onnx/onnx-graph.js'
import { broadcastIndex } from '../tensor-index.js'
import { lowerAdd, lowerMul, lowerSum } from './arithmetic.js'
import { broadcastShape } from './broadcast-shape.js'
import { chooseBetween } from './comparisons.js'
import { expandTo } from './expand-activation.js'
import {
  type Activation,
  activationInput,
  emitElementwise,
  type Lower,
  required,
  reserve,
  type Value,
} from './lowering.js'
import { integerInput } from './reshape.js'
import { mapAlong } from './select-axis.js'
import { hide, hides } from './softmax-mask.js'

function real(shape: readonly number[], data: Float64Array): Constant {
  return { kind: 'constant', dtype: 'float32', shape, data }
}

/** By a condition. By a constant one: each operand times the part of it that is chosen, and their sum. */
export const lowerWhere: Lower = (node, inputs, lowering) => {
  const condition = required(node, inputs, 0)
  if (condition.kind === 'activation') {
    const [a, b] = [required(node, inputs, 1), required(node, inputs, 2)]
    return chooseBetween(lowering, node, condition, a, b)
  }
  const { shape } = condition
  const chosen = condition.data.map((value) => (value === 0 ? 0 : 1))
  const hidden = hiddenFromSoftmax()
  if (hidden !== undefined) return [hidden]
  const parts = [chosen, chosen.map((value) => 1 - value)].map((mask, i): Value => {
    const operand = required(node, inputs, 1 + i)
    const part = real(condition.shape, mask)
    return operand.kind === 'activation'
      ? lowerMul(node, [operand, part], lowering)[0]!
      : masked(operand, part)
  })
  return lowerAdd(node, parts, lowering)

  /** Where the only use of a constant is to hide what is not chosen from Softmax. */
  function hiddenFromSoftmax(): Activation | undefined {
    if (!lowering.softmaxInputs.has(node.outputs[0]!)) return undefined
    const operands = [required(node, inputs, 1), required(node, inputs, 2)]
    const value = operands.find((it): it is Activation => it.kind === 'activation')
    const constant = operands.find((it): it is Constant => it.kind === 'constant')
    if (value === undefined || constant === undefined || !constant.data.every(hides))
      return undefined
    const byFirst = operands[0] === constant
    const data = byFirst ? chosen : chosen.map((it) => 1 - it)
    return hide(lowering, node, expandTo(lowering, node, value, constant.shape), { shape, data })
  }

  /** A constant where it is chosen: what is not may be infinite. */
  function masked(constant: Constant, mask: Constant): Constant {
    const shape = broadcastShape(constant.shape, mask.shape)
    if (shape === undefined) throw nodeError(node, 'the shapes of the operands do not fit')
    reserve(lowering, node, shape)
    const at = (tensor: FloatTensor) => broadcastTo(tensor, shape)
    const [values, picked] = [at(constant), at(mask)]
    return real(
      shape,
      values.map((value, i) => (picked[i] === 0 ? 0 : value)),
    )
  }
}

function broadcastTo(tensor: FloatTensor, shape: readonly number[]): Float64Array {
  return Float64Array.from(broadcastIndex(tensor.shape, shape), (i) => tensor.data[i]!)
}

/** The upper or the lower triangle of the last two axes. */
export const lowerTrilu: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const upper = intAttribute(node, 'upper', 1) !== 0
  const [k = 0] = integerInput(node, inputs, 1, 'diagonal') ?? []
  const [rows, columns] = value.shape.slice(-2)
  if (rows === undefined || columns === undefined) throw nodeError(node, 'the rank is below 2')
  const data = Float64Array.from({ length: rows * columns }, (_, i) => {
    const off = (i % columns) - Math.floor(i / columns)
    return (upper ? off >= k : off <= k) ? 1 : 0
  })
  return [emitElementwise(lowering, node, value, { scale: { shape: [rows, columns], data } })]
}

/** Sums of all elements up to each, along one axis. */
export const lowerCumSum: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const axis = normalizeAxis(
    node,
    integerInput(node, inputs, 1, 'axis')?.[0] ?? 0,
    value.shape.length,
  )
  const size = value.shape[axis]!
  const exclusive = intAttribute(node, 'exclusive', 0) !== 0
  const reverse = intAttribute(node, 'reverse', 0) !== 0
  reserve(lowering, node, [size, size])
  const rows = Array.from({ length: size }, (_, to) =>
    Array.from({ length: size }, (_, from) => [from, 1] as const).filter(([from]) => {
      const before = reverse ? from - to : to - from
      return exclusive ? before > 0 : before >= 0
    }),
  )
  return [mapAlong(lowering, node, [{ value, rows }], axis, size, false)]
}

/** The sum of the operands divided by their number. */
export const lowerMean: Lower = (node, inputs, lowering) => {
  const [sum] = lowerSum(node, inputs, lowering)
  const factor = real([], Float64Array.of(1 / inputs.length))
  return lowerMul(node, [sum as Activation, factor], lowering)
}
