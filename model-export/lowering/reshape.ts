import { intAttribute, intsAttribute, normalizeAxis } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import { type Constant, integers, isFloat, isInteger, type OnnxNode } from '../onnx/onnx-graph.js'
import { dtypeName, dtypeOf } from '../onnx/read-tensor.js'
import { elementCount } from '../tensor-index.js'
import type { UnaryChain } from '../unary.js'
import { broadcastShape, broadcastsTo } from './broadcast-shape.js'
import { expandActivation } from './expand-activation.js'
import {
  activationInput,
  constantInput,
  emitElementwise,
  type Lower,
  required,
  reserve,
  type Value,
} from './lowering.js'

/** The same elements under another shape. Free: every reader goes by element count. */
function withShape(node: OnnxNode, value: Value, shape: readonly number[]): Value {
  if (elementCount(shape) !== elementCount(value.shape)) {
    throw nodeError(node, 'the shape does not fit the tensor', {
      expected: `${elementCount(value.shape)} elements (from ${value.shape.join('×')})`,
      found: shape.join('×'),
      fix: 'If the number differs by a batch size, export with a batch of 1.',
    })
  }
  return { ...value, shape }
}

/** An integer vector among the inputs, which must be known while lowering. */
export function integerInput(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  index: number,
  meaning: string,
): readonly number[] | undefined {
  const constant: Constant | undefined = constantInput(node, inputs, index, meaning)
  if (constant === undefined) return undefined
  if (!isInteger(constant.dtype) || constant.shape.length > 1) {
    throw nodeError(node, `the ${meaning} must be a list of integers`, {
      found: `${constant.dtype} of shape [${constant.shape.join(', ')}]`,
    })
  }
  return [...constant.data]
}

export const lowerReshape: Lower = (node, inputs) => {
  const value = required(node, inputs, 0)
  const wanted = integerInput(node, inputs, 1, 'shape')
  if (wanted === undefined) throw nodeError(node, 'the shape is missing')
  const allowZero = intAttribute(node, 'allowzero', 0) !== 0
  const shape = wanted.map((size, axis) =>
    size === 0 && !allowZero ? (value.shape[axis] ?? 0) : size,
  )
  const unknown = shape.indexOf(-1)
  if (unknown >= 0) {
    const rest = elementCount(shape.filter((_, axis) => axis !== unknown))
    shape[unknown] = rest === 0 ? 0 : elementCount(value.shape) / rest
  }
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    throw nodeError(node, 'the shape does not fit the tensor', {
      expected: `${elementCount(value.shape)} elements (from ${value.shape.join('×')})`,
      found: wanted.join('×'),
      fix: 'If the number differs by a batch size, export with a batch of 1.',
    })
  }
  return [withShape(node, value, shape)]
}

export const lowerFlatten: Lower = (node, inputs) => {
  const value = required(node, inputs, 0)
  const rank = value.shape.length
  const axis = intAttribute(node, 'axis', 1)
  // The axis may be one past the last: then everything is in the rows.
  const split = axis === rank ? rank : normalizeAxis(node, axis, rank)
  const shape = [elementCount(value.shape.slice(0, split)), elementCount(value.shape.slice(split))]
  return [withShape(node, value, shape)]
}

/** Axes are an attribute before opset 13 and an input since. */
function axesOf(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
): readonly number[] | undefined {
  return intsAttribute(node, 'axes') ?? integerInput(node, inputs, 1, 'list of axes')
}

export const lowerSqueeze: Lower = (node, inputs) => {
  const value = required(node, inputs, 0)
  const rank = value.shape.length
  const axes = axesOf(node, inputs)?.map((axis) => normalizeAxis(node, axis, rank))
  const dropped = value.shape.map((size, axis) => (axes ? axes.includes(axis) : size === 1))
  if (value.shape.some((size, axis) => dropped[axis] && size !== 1)) {
    throw nodeError(node, 'an axis to drop is not of size 1', {
      expected: `axes of size 1 of ${value.shape.join('×')}`,
      found: `axes ${axes?.join(', ')}`,
    })
  }
  return [{ ...value, shape: value.shape.filter((_, axis) => !dropped[axis]) }]
}

export const lowerUnsqueeze: Lower = (node, inputs) => {
  const value = required(node, inputs, 0)
  const given = axesOf(node, inputs)
  if (given === undefined || given.length > 32) throw nodeError(node, 'bad list of axes')
  const rank = value.shape.length + given.length
  const axes = new Set(given.map((axis) => normalizeAxis(node, axis, rank)))
  if (axes.size !== given.length) {
    throw nodeError(node, 'an axis is named twice', { found: given.join(', ') })
  }
  const rest = value.shape[Symbol.iterator]()
  const shape = Array.from({ length: rank }, (_, axis) =>
    axes.has(axis) ? 1 : (rest.next().value ?? 1),
  )
  return [{ ...value, shape }]
}

export const lowerIdentity: Lower = (node, inputs) => [required(node, inputs, 0)]

/** In inference the identity; the mask, its second output, is not made. */
export const lowerDropout: Lower = (node, inputs) => {
  const training = constantInput(node, inputs, 2, 'training mode')
  if (training?.data[0]) {
    throw nodeError(node, 'it is in training mode', {
      expected: 'a model in inference mode',
      fix: 'Call model.eval() before exporting.',
    })
  }
  return [required(node, inputs, 0)]
}

/** Towards zero: `sign(x) · ⌊|x|⌋`. */
const TRUNCATED: UnaryChain = [
  {
    op: 'sum',
    of: [
      [{ op: 'relu' }, { op: 'elementary', name: 'floor' }],
      [
        { op: 'linear', factor: -1, offset: 0 },
        { op: 'relu' },
        { op: 'elementary', name: 'floor' },
        { op: 'linear', factor: -1, offset: 0 },
      ],
    ],
  },
]

/**
 * A cast to a real type changes nothing here, as everything is computed in doubles; one to integers
 * drops the fraction.
 */
export const lowerCast: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const to = intAttribute(node, 'to', 0)
  const dtype = dtypeOf(to)
  if (dtype !== undefined && isFloat(dtype)) return [value]
  if (dtype !== undefined && isInteger(dtype))
    return [emitElementwise(lowering, node, value, { activation: TRUNCATED })]
  throw nodeError(node, 'a computed tensor can only be cast to numbers', {
    expected: 'a real or an integer type',
    found: dtypeName(to),
  })
}

/** Shapes are all known, so this is a constant (`start` and `end` since opset 15). */
export const lowerShape: Lower = (node, inputs) => {
  const { shape } = required(node, inputs, 0)
  const clamp = (at: number): number =>
    Math.min(Math.max(at < 0 ? at + shape.length : at, 0), shape.length)
  const start = clamp(intAttribute(node, 'start', 0))
  return [integers(shape.slice(start, clamp(intAttribute(node, 'end', shape.length))))]
}

export const lowerSize: Lower = (node, inputs) => {
  const count = elementCount(required(node, inputs, 0).shape)
  return [{ kind: 'constant', dtype: 'int64', shape: [], data: Float64Array.of(count) }]
}

export const lowerExpand: Lower = (node, inputs, lowering) => {
  const value = required(node, inputs, 0)
  const wanted = integerInput(node, inputs, 1, 'shape')
  const shape = wanted && broadcastShape(value.shape, wanted)
  if (shape === undefined || value.kind === 'constant' || !broadcastsTo(value.shape, shape)) {
    throw nodeError(node, 'the shape does not fit the tensor', {
      expected: `a shape to which ${value.shape.join('×')} broadcasts`,
      found: wanted?.join('×') ?? 'none',
    })
  }
  reserve(lowering, node, shape)
  return [expandActivation(lowering, node, value, shape)]
}
