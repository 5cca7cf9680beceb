import { roundEven } from '../elementary.js'
import { intAttribute, normalizeAxis } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { Constant, Dtype, OnnxNode } from '../onnx/onnx-graph.js'
import { dtypeOf } from '../onnx/read-tensor.js'
import { elementCount } from '../tensor-index.js'
import { constantAt, type Fold } from './fold.js'

/**
 * For an element of the tensor, the parameter's element: one for all, one along the axis, or one a block of
 * `block_size` along it.
 */
function along(node: OnnxNode, { shape }: Constant, parameter: Constant): (i: number) => number {
  if (parameter.data.length === 1) return () => 0
  const axis = normalizeAxis(node, intAttribute(node, 'axis', 1), shape.length)
  const block = intAttribute(node, 'block_size', 0)
  const blocks = Math.ceil(shape[axis]! / block)
  if (block > 0 && parameter.shape.join() === shape.with(axis, blocks).join()) {
    const behind = elementCount(shape.slice(axis + 1))
    return (i) => {
      const [row, place] = [Math.floor(i / behind), i % behind]
      const [outer, at] = [Math.floor(row / shape[axis]!), row % shape[axis]!]
      return (outer * blocks + Math.floor(at / block)) * behind + place
    }
  }
  if (parameter.shape.length !== 1 || parameter.data.length !== shape[axis]) {
    throw nodeError(node, 'the scales fit neither the tensor nor its channels or blocks', {
      expected: `1 or ${shape[axis]} scales`,
      found: `shape ${parameter.shape.join('×')}`,
    })
  }
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  return (i) => Math.floor(i / inner) % parameter.data.length
}

/** The smallest and the largest number of an element type that is quantized to. */
const LIMITS: Partial<Readonly<Record<Dtype, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
}

const dequantize: Fold = (node, inputs) => {
  const source = constantAt(node, inputs, 0)
  const scale = constantAt(node, inputs, 1)
  const zero = inputs[2] === undefined ? undefined : constantAt(node, inputs, 2)
  const at = along(node, source, scale)
  const data = source.data.map((v, i) =>
    Math.fround((v - (zero?.data[at(i)] ?? 0)) * scale.data[at(i)]!),
  )
  return [{ ...source, dtype: scale.dtype, data }]
}

const quantize: Fold = (node, inputs) => {
  const source = constantAt(node, inputs, 0)
  const scale = constantAt(node, inputs, 1)
  const zero = inputs[2] === undefined ? undefined : constantAt(node, inputs, 2)
  const at = along(node, source, scale)
  const dtype = zero?.dtype ?? dtypeOf(intAttribute(node, 'output_dtype', 0)) ?? 'uint8'
  const limits = LIMITS[dtype]
  if (limits === undefined) {
    throw nodeError(node, 'the element type is not supported', {
      expected: Object.keys(LIMITS).join(', '),
      found: dtype,
    })
  }
  const [low, high] = limits
  const data = source.data.map((v, i) => {
    const rounded = roundEven(Math.fround(v / scale.data[at(i)]!)) + (zero?.data[at(i)] ?? 0)
    return Math.min(Math.max(rounded, low), high)
  })
  return [{ ...source, dtype, data }]
}

/** What exporters of quantized models compute from constants. */
export const quantizedFolds: Readonly<Record<string, Fold>> = {
  DequantizeLinear: dequantize,
  QuantizeLinear: quantize,
}
