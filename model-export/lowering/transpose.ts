import { intsAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { OnnxNode } from '../onnx/onnx-graph.js'
import { transposeIndex } from '../tensor-index.js'
import { inOrder, type Lower, type Lowering, required, type Value } from './lowering.js'
import { transposeView } from './view.js'

/** Moves axes: of a constant at once, of an activation as part of its view. */
export function transposeValue(
  lowering: Lowering,
  node: OnnxNode,
  value: Value,
  permutation: readonly number[],
): Value {
  const sorted = [...permutation].sort((a, b) => a - b)
  if (sorted.length !== value.shape.length || sorted.some((axis, i) => axis !== i)) {
    throw nodeError(node, 'the permutation does not fit', {
      expected: `a permutation of 0 … ${value.shape.length - 1}`,
      found: permutation.join(', '),
    })
  }
  const shape = permutation.map((axis) => value.shape[axis]!)
  if (value.kind === 'constant') {
    const index = transposeIndex(value.shape, permutation)
    return { ...value, shape, data: Float64Array.from(index, (at) => value.data[at]!) }
  }
  const view = transposeView(value.view, value.shape, permutation)
  if (view !== undefined) return { ...value, shape, view }
  const ordered = inOrder(lowering, node, value)
  // A transpose of a tensor that lies in order is always a view.
  return { ...ordered, shape, view: transposeView(ordered.view, value.shape, permutation)! }
}

export const lowerTranspose: Lower = (node, inputs, lowering) => {
  const value = required(node, inputs, 0)
  const permutation =
    intsAttribute(node, 'perm') ?? value.shape.map((_, axis) => value.shape.length - 1 - axis)
  return [transposeValue(lowering, node, value, permutation)]
}
