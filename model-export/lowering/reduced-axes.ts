import { intAttribute, intsAttribute } from '../onnx/attributes.js'
import type { OnnxNode } from '../onnx/onnx-graph.js'
import type { Activation, Value } from './lowering.js'
import { integerInput } from './reshape.js'

/** Axes are an attribute before opset 18 and an input since; none are all. */
export function reducedAxes(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  rank: number,
): readonly number[] {
  const given = intsAttribute(node, 'axes') ?? integerInput(node, inputs, 1, 'list of axes')
  if (given !== undefined && given.length > 0) return given
  return intAttribute(node, 'noop_with_empty_axes', 0) !== 0
    ? []
    : Array.from({ length: rank }, (_, axis) => axis)
}

/** Drops the reduced axes unless they are to be kept. */
export function finishReduction(
  node: OnnxNode,
  result: Activation,
  axes: readonly number[],
): Activation {
  if (intAttribute(node, 'keepdims', 1) !== 0) return result
  const rank = result.shape.length
  const dropped = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)))
  return { ...result, shape: result.shape.filter((_, axis) => !dropped.has(axis)) }
}
