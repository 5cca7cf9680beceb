import type { OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import { broadcastShape, sameShape } from './broadcast-shape.js'
import { type Activation, emitAffine, inOrder, type Lowering, reserve } from './lowering.js'
import { identityView, transposeView } from './view.js'

/**
 * Repeats an activation along axes of size 1, to `shape` (to which it broadcasts).
 *
 * Repeating is linear: every element times a column of ones gives all its copies side by side, and a
 * transpose puts them where they belong.
 */
export function expandActivation(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  shape: readonly number[],
): Activation {
  const aligned = [...new Array<number>(shape.length - value.shape.length).fill(1), ...value.shape]
  if (elementCount(aligned) === elementCount(shape)) return { ...value, shape }
  reserve(lowering, node, shape)
  const repeated = shape.map((_, axis) => axis).filter((axis) => aligned[axis] !== shape[axis])
  const kept = shape.map((_, axis) => axis).filter((axis) => aligned[axis] === shape[axis])
  const rows = elementCount(aligned)
  const copies = elementCount(shape) / rows
  const ordered = inOrder(lowering, node, value)
  const columns = emitAffine(
    lowering,
    node,
    {
      shape: [rows, copies],
      terms: [
        {
          kind: 'gemm',
          input: ordered.tensor,
          rows,
          weight: { shape: [copies, 1], data: new Float64Array(copies).fill(1) },
        },
      ],
      name: `${value.tensor}:expanded`,
    },
    shape,
  )
  const order = [...kept, ...repeated]
  const view = transposeView(
    identityView(rows * copies),
    order.map((axis) => shape[axis]!),
    shape.map((_, axis) => order.indexOf(axis)),
  )
  // A transpose of a tensor that lies in order is always a view.
  return { ...columns, view: view! }
}

/** Repeats the activation where the other operand of an elementwise operator makes it larger. */
export function expandTo(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  other: readonly number[],
): Activation {
  const shape = broadcastShape(value.shape, other)
  return shape === undefined || sameShape(shape, value.shape)
    ? value
    : expandActivation(lowering, node, value, shape)
}
