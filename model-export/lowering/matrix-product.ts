import { nodeError } from '../onnx/node-error.js'
import type { Constant, OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount, transposeIndex } from '../tensor-index.js'
import {
  type Activation,
  emitAffine,
  inOrder,
  type Lower,
  type Lowering,
  required,
  requireFloat,
  reserve,
  type Value,
} from './lowering.js'
import { emitMatrixProduct } from './products.js'

/**
 * `factor · a · b` by the rules of MatMul.
 *
 * @throws PlatemarkError if the shapes do not fit
 */
export function multiply(
  lowering: Lowering,
  node: OnnxNode,
  a: Value,
  b: Value,
  factor: number,
): Activation {
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape
  const inner = left.at(-1)
  if (left.length < 2 || right.length < 2 || inner !== right.at(-2)) {
    throw nodeError(node, 'the matrices do not fit', {
      expected: 'as many columns on the left as rows on the right',
      found: `[${a.shape.join(', ')}] and [${b.shape.join(', ')}]`,
    })
  }
  if (a.kind === 'activation' && b.kind === 'activation') {
    const [leftRows, rightColumns] = [a.shape.length > 1, b.shape.length > 1]
    const matrices = [
      { ...a, shape: left },
      { ...b, shape: right },
    ] as const
    const product = emitMatrixProduct(lowering, node, ...matrices, factor)
    const shape = product.shape.filter(
      (_, axis, { length }) =>
        (leftRows || axis !== length - 2) && (rightColumns || axis !== length - 1),
    )
    return { ...product, shape }
  }
  return a.kind === 'activation'
    ? timesConstant(lowering, node, { ...a, shape: left }, b as Constant, right, factor, {
        dropRow: a.shape.length === 1,
        dropColumn: b.shape.length === 1,
      })
    : constantTimes(lowering, node, a, left, { ...(b as Activation), shape: right }, factor, {
        dropRow: a.shape.length === 1,
        dropColumn: b.shape.length === 1,
      })
}

type Drop = { readonly dropRow: boolean; readonly dropColumn: boolean }

function resultShape(
  batch: readonly number[],
  rows: number,
  columns: number,
  drop: Drop,
): readonly number[] {
  return [...batch, ...(drop.dropRow ? [] : [rows]), ...(drop.dropColumn ? [] : [columns])]
}

function requireOneMatrix(node: OnnxNode, shape: readonly number[]): void {
  if (shape.slice(0, -2).some((size) => size !== 1)) {
    throw nodeError(node, 'a stack of constant matrices is not supported', {
      expected: 'one matrix',
      found: `shape ${shape.join('×')}`,
    })
  }
}

/** Longer stacks of ones in front of the constant lengthen the result's shape. */
function leading(value: readonly number[], constant: readonly number[]): readonly number[] {
  const own = value.slice(0, -2)
  return [...new Array<number>(Math.max(0, constant.length - 2 - own.length)).fill(1), ...own]
}

/** Activation on the left: rows × inner times the constant, one Gemm over all rows. */
function timesConstant(
  lowering: Lowering,
  node: OnnxNode,
  a: Activation,
  b: Constant,
  right: readonly number[],
  factor: number,
  drop: Drop,
): Activation {
  requireFloat(node, b, 'matrix')
  requireOneMatrix(node, right)
  const [inner, columns] = right.slice(-2) as [number, number]
  const rows = elementCount(a.shape) / inner
  const index = transposeIndex([inner, columns], [1, 0])
  const weight = Float64Array.from(index, (at) => factor * b.data[at]!)
  const ordered = inOrder(lowering, node, a)
  return emitAffine(
    lowering,
    node,
    {
      shape: rows === 1 ? [columns] : [rows, columns],
      terms: [
        {
          kind: 'gemm',
          input: ordered.tensor,
          rows,
          weight: { shape: [columns, inner], data: weight },
        },
      ],
    },
    resultShape(leading(a.shape, right), a.shape.at(-2)!, columns, drop),
  )
}

/** Constant on the left: its rows mix the rows of the activation, which a 1 × 1 convolution does. */
function constantTimes(
  lowering: Lowering,
  node: OnnxNode,
  a: Constant,
  left: readonly number[],
  b: Activation,
  factor: number,
  drop: Drop,
): Activation {
  requireFloat(node, a, 'matrix')
  requireOneMatrix(node, left)
  if (b.shape.slice(0, -2).some((size) => size !== 1)) {
    throw nodeError(node, 'a stack of computed matrices on the right is not supported', {
      expected: 'a batch of 1',
      found: `shape ${b.shape.join('×')}`,
    })
  }
  const [rows, inner] = left.slice(-2) as [number, number]
  const columns = b.shape.at(-1)!
  reserve(lowering, node, [rows, columns])
  const ordered = inOrder(lowering, node, b)
  return emitAffine(
    lowering,
    node,
    {
      shape: [rows, 1, columns],
      terms: [
        {
          kind: 'conv',
          input: ordered.tensor,
          weight: { shape: [rows, inner, 1, 1], data: a.data.map((value) => factor * value) },
          inputChannels: inner,
          inputHeight: 1,
          inputWidth: columns,
          outputChannels: rows,
          outputHeight: 1,
          outputWidth: columns,
          strides: [1, 1],
          dilations: [1, 1],
          padBegin: [0, 0],
          groups: 1,
        },
      ],
    },
    resultShape(leading(b.shape, left), rows, columns, drop),
  )
}

export const lowerMatMul: Lower = (node, inputs, lowering) => [
  multiply(lowering, node, required(node, inputs, 0), required(node, inputs, 1), 1),
]
