import { floatAttribute, intAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { OnnxNode } from '../onnx/onnx-graph.js'
import { lowerAdd } from './arithmetic.js'
import {
  activationInput,
  emitElementwise,
  type Lower,
  required,
  requireFloat,
  type Value,
} from './lowering.js'
import { constantProduct, multiply } from './matrix-product.js'
import { transposeValue } from './transpose.js'

function matrix(node: OnnxNode, value: Value, index: number): Value {
  if (value.shape.length !== 2) {
    throw nodeError(node, `input ${index} is not a matrix`, {
      expected: 'rank 2',
      found: `shape ${value.shape.join('×')}`,
    })
  }
  return value
}

/** `alpha · A′ · B′ + beta · C`, A′ and B′ optionally transposed. */
export const lowerGemm: Lower = (node, inputs, lowering) => {
  const alpha = floatAttribute(node, 'alpha', 1)
  const beta = floatAttribute(node, 'beta', 1)
  const [a, b] = [0, 1].map((index) => {
    const value = matrix(node, required(node, inputs, index), index)
    const flipped = intAttribute(node, index === 0 ? 'transA' : 'transB', 0) !== 0
    return flipped ? transposeValue(lowering, node, value, [1, 0]) : value
  }) as [Value, Value]
  const c = inputs[2]
  if (a.kind === 'constant' && b.kind === 'constant') {
    const computed = activationInput(node, inputs, 2)
    const scale = { shape: [], data: Float64Array.of(beta) }
    const offset = constantProduct(lowering, node, a, b, alpha)
    const scaled = emitElementwise(lowering, node, computed, { scale })
    return lowerAdd(node, [scaled, offset], lowering)
  }
  const product = multiply(lowering, node, a, b, alpha)
  if (c === undefined || beta === 0) return [product]
  if (c.kind === 'constant') {
    requireFloat(node, c, 'bias')
    const offset = { shape: c.shape, data: c.data.map((value) => value * beta) }
    return [emitElementwise(lowering, node, product, { offset })]
  }
  const scale = { shape: [], data: Float64Array.of(beta) }
  return lowerAdd(node, [product, emitElementwise(lowering, node, c, { scale })], lowering)
}
