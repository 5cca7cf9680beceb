import type { FloatTensor } from '../float-model.js'
import { floatAttribute, intAttribute, intsAttribute, normalizeAxis } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { Constant, OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import {
  type Activation,
  activationInput,
  constantInput,
  emitAffine,
  emitElementwise,
  type Lower,
  type Lowering,
  weightInput,
} from './lowering.js'
import { asRows, emitRowSum, itself, type Rows, repeated } from './rows.js'

/** `x − mean(x)` of each row. */
function emitCentered(lowering: Lowering, node: OnnxNode, from: Rows): Rows {
  const { tensor, rows, length } = from
  const mean = emitRowSum(lowering, node, from, 1 / length)
  const shape = [rows, length]
  const terms = [itself(tensor, 2), repeated(mean.tensor, rows, length, -1)]
  const name = `${tensor}:centered`
  return { ...from, tensor: emitAffine(lowering, node, { shape, terms, name }, shape).tensor }
}

/** `x · (mean(x²) + epsilon)^(−1/2)` of each row; `factor` · the sum instead of the mean. */
function emitScaled(
  lowering: Lowering,
  node: OnnxNode,
  { tensor, rows, length }: Rows,
  epsilon: number,
  factor = 1 / length,
): Activation {
  const power = emitAffine(
    lowering,
    node,
    {
      shape: [rows],
      terms: [
        {
          kind: 'einsum',
          input: tensor,
          operand: tensor,
          sizes: [rows, length],
          inputAxes: [0, 1],
          operandAxes: [0, 1],
          outputAxes: [0],
        },
      ],
      activation: [
        { op: 'linear', factor, offset: epsilon },
        { op: 'power', exponent: -0.5 },
      ],
      name: `${tensor}:scale`,
    },
    [rows],
  )
  const shape = [rows, length]
  return emitAffine(
    lowering,
    node,
    {
      shape,
      terms: [
        {
          kind: 'einsum',
          input: tensor,
          operand: power.tensor,
          sizes: shape,
          inputAxes: [0, 1],
          operandAxes: [0],
          outputAxes: [0, 1],
        },
      ],
      name: `${tensor}:normalized`,
    },
    shape,
  )
}

/** `(x − mean) / sqrt(variance + epsilon)` over the given axes. */
function emitNormalized(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  axes: readonly number[],
  epsilon: number,
): Activation {
  const rows = asRows(lowering, node, value, axes)
  return rows.restore(emitScaled(lowering, node, emitCentered(lowering, node, rows), epsilon))
}

/** Scale and bias, given by channel: axis 1. */
function byChannel(node: OnnxNode, constant: Constant, shape: readonly number[]): FloatTensor {
  const channels = shape[1] ?? 1
  if (constant.data.length !== channels) {
    throw nodeError(node, 'the parameters do not fit the channels', {
      expected: `${channels} values`,
      found: `${constant.data.length} values`,
    })
  }
  return {
    shape: [channels, ...new Array<number>(Math.max(0, shape.length - 2)).fill(1)],
    data: constant.data,
  }
}

const after = (axis: number, rank: number): readonly number[] =>
  Array.from({ length: rank - axis }, (_, i) => axis + i)

function requireRank(node: OnnxNode, value: Activation): void {
  if (value.shape.length < 3)
    throw nodeError(node, 'the input has no space to normalize over', {
      expected: 'batch × channels × at least one more axis',
      found: value.shape.join('×'),
    })
}

/** Each channel of each image for itself. */
export const lowerInstanceNormalization: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  requireRank(node, value)
  const [scale, offset] = ['scale', 'bias'].map((meaning, i) =>
    byChannel(node, weightInput(node, inputs, i + 1, meaning), value.shape),
  ) as [FloatTensor, FloatTensor]
  const epsilon = floatAttribute(node, 'epsilon', 1e-5)
  const normalized = emitNormalized(lowering, node, value, after(2, value.shape.length), epsilon)
  return [emitElementwise(lowering, node, normalized, { scale, offset })]
}

/** Groups of channels; scale and bias by group before opset 21, by channel since. */
export const lowerGroupNormalization: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  requireRank(node, value)
  const [batch, channels] = value.shape as [number, number]
  const groups = intAttribute(node, 'num_groups', 1)
  if (groups < 1 || channels % groups !== 0) {
    throw nodeError(node, 'attribute "num_groups" does not fit', {
      expected: `a divisor of ${channels}`,
      found: String(groups),
    })
  }
  const parameter = (index: number, meaning: string): FloatTensor => {
    const given = weightInput(node, inputs, index, meaning)
    const each = channels / groups
    const byGroup = given.data.length === groups && each > 1
    const data = byGroup
      ? Float64Array.from({ length: channels }, (_, c) => given.data[Math.floor(c / each)]!)
      : given.data
    return byChannel(node, { ...given, data }, value.shape)
  }
  const epsilon = floatAttribute(node, 'epsilon', 1e-5)
  const count = elementCount(value.shape) / batch / groups
  const grouped: Activation = { ...value, shape: [batch * groups, count] }
  const normalized = emitNormalized(lowering, node, grouped, [1], epsilon)
  return [
    emitElementwise(
      lowering,
      node,
      { ...normalized, shape: value.shape },
      { scale: parameter(1, 'scale'), offset: parameter(2, 'bias') },
    ),
  ]
}

/** Over the last axes, from `axis` on. */
export const lowerLayerNormalization: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const rank = value.shape.length
  const axes = after(normalizeAxis(node, intAttribute(node, 'axis', -1), rank), rank)
  const scale = weightInput(node, inputs, 1, 'scale')
  const offset = constantInput(node, inputs, 2, 'bias')
  const epsilon = floatAttribute(node, 'epsilon', 1e-5)
  const normalized = emitNormalized(lowering, node, value, axes, epsilon)
  return [emitElementwise(lowering, node, normalized, { scale, ...(offset && { offset }) })]
}

/** `x / sqrt(mean(x²) + epsilon) · scale` over the last axes, from `axis` on. */
export const lowerRmsNormalization: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const rank = value.shape.length
  const axes = after(normalizeAxis(node, intAttribute(node, 'axis', -1), rank), rank)
  const scale = weightInput(node, inputs, 1, 'scale')
  const rows = asRows(lowering, node, value, axes)
  const epsilon = floatAttribute(node, 'epsilon', 1e-5)
  const normalized = rows.restore(emitScaled(lowering, node, rows, epsilon))
  return [emitElementwise(lowering, node, normalized, { scale })]
}

export const lowerMeanVarianceNormalization: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const axes = intsAttribute(node, 'axes') ?? [0, 2, 3]
  return [emitNormalized(lowering, node, value, axes, 1e-9)]
}

/** `x / |x|`, Euclidean. */
export const lowerLpNormalization: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  if (intAttribute(node, 'p', 2) !== 2)
    throw nodeError(node, 'only the Euclidean norm is supported', { expected: 'p = 2' })
  const rows = asRows(lowering, node, value, [intAttribute(node, 'axis', -1)])
  // A row of zeros stays one.
  return [rows.restore(emitScaled(lowering, node, rows, 1e-24, 1))]
}
