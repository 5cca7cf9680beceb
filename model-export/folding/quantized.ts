import { roundEven } from '../elementary.js'
import { intAttribute, normalizeAxis } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { Constant, OnnxNode } from '../onnx/onnx-graph.js'
import { constantAt, type Fold } from './fold.js'

/** For an element of the tensor, the parameter's element: one for all, or one along the axis. */
function along(node: OnnxNode, { shape }: Constant, parameter: Constant): (i: number) => number {
  if (parameter.data.length === 1) return () => 0
  const axis = normalizeAxis(node, intAttribute(node, 'axis', 1), shape.length)
  if (parameter.shape.length !== 1 || parameter.data.length !== shape[axis]) {
    throw nodeError(node, 'only scales by tensor and by channel are supported', {
      expected: `1 or ${shape[axis]} scales`,
      found: `shape ${parameter.shape.join('×')}`,
    })
  }
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  return (i) => Math.floor(i / inner) % parameter.data.length
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
  const dtype = zero?.dtype ?? 'uint8'
  const [low, high] = dtype === 'int8' ? [-128, 127] : [0, 255]
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
