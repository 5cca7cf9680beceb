import type { FloatTerm } from '../float-model.js'
import { normalizeAxis } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import { type Activation, emitAffine, inOrder, type Lowering } from './lowering.js'
import { transposeValue } from './transpose.js'

/** A tensor that lies in order as `rows` × `length`: what normalisations and reductions work on. */
export type Rows = {
  readonly tensor: string
  readonly rows: number
  readonly length: number
  /** Gives a tensor of the same size, or of one element a row, the axes of the original again. */
  readonly restore: (tensor: Activation) => Activation
}

/** The axes of a tensor, those last that run over a row. */
export function rowOrder(rank: number, inner: ReadonlySet<number>): readonly number[] {
  const order = Array.from({ length: rank }, (_, axis) => axis)
  return [...order.filter((axis) => !inner.has(axis)), ...order.filter((axis) => inner.has(axis))]
}

/**
 * Reads a tensor as rows, over which the given axes run.
 *
 * @param axes - negative ones count from the end
 */
export function asRows(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  axes: readonly number[],
): Rows {
  const inner = new Set(axes.map((axis) => normalizeAxis(node, axis, value.shape.length)))
  const order = value.shape.map((_, axis) => axis)
  const permutation = rowOrder(order.length, inner)
  const back = order.map((axis) => permutation.indexOf(axis))
  const move = (from: Activation, order: readonly number[]): Activation =>
    transposeValue(lowering, node, from, order) as Activation
  const moved = move(value, permutation)
  const { tensor, shape } = inOrder(lowering, node, moved)
  const length = elementCount([...inner].map((axis) => value.shape[axis]!))
  const rows = elementCount(value.shape) / length
  const kept = shape.map((size, at) => (inner.has(permutation[at]!) ? 1 : size))
  const restore = (result: Activation): Activation => {
    const count = elementCount(result.shape)
    if (count !== rows && count !== rows * length) throw nodeError(node, 'a result of another size')
    const full = { ...result, shape: count === rows ? kept : shape }
    return move(full, back)
  }
  return { tensor, rows, length, restore }
}

/** `factor · x`, element by element. */
export function itself(input: string, rank: number, factor = 1): FloatTerm {
  const weight = { shape: new Array<number>(rank).fill(1), data: Float64Array.of(factor) }
  return { kind: 'elementwise', input, weight }
}

/** `factor ·` the one element of each row, repeated along the row. */
export function repeated(input: string, rows: number, length: number, factor: number): FloatTerm {
  const weight = { shape: [length, 1], data: new Float64Array(length).fill(factor) }
  return { kind: 'gemm', input, rows, weight }
}

/** `factor ·` the sum of each row. */
export function summed(input: string, rows: number, length: number, factor: number): FloatTerm {
  const weight = { shape: [1, length], data: new Float64Array(length).fill(factor) }
  return { kind: 'gemm', input, rows, weight }
}

/** The mean of each row, or the sum. */
export function emitRowSum(
  lowering: Lowering,
  node: OnnxNode,
  { tensor, rows, length }: Rows,
  factor: number,
): Activation {
  const terms = [summed(tensor, rows, length, factor)]
  return emitAffine(lowering, node, { shape: [rows], terms, name: `${tensor}:sum` }, [rows])
}
