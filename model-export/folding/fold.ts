import type { Lowering, Value } from '../lowering/lowering.js'
import { nodeError } from '../onnx/node-error.js'
import type { Constant, OnnxNode } from '../onnx/onnx-graph.js'

/** Computes a node all of whose inputs are constant. Inputs that are left out are undefined. */
export type Fold = (
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  lowering: Lowering,
) => readonly Constant[]

/** An input that must be there; when folding, all are constant. */
export function constantAt(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  index: number,
): Constant {
  const value = inputs[index]
  if (value?.kind !== 'constant') throw nodeError(node, `input ${index} is missing`)
  return value
}
