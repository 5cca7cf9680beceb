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
import { transposeValue } from './transpose.js'

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
  if (a.kind === 'constant' && b.kind === 'constant') {
    throw nodeError(node, 'both matrices are constant, and something else is computed', {
      expected: 'a matrix that depends on the latent',
    })
  }
  const stacked = timesStack(lowering, node, { ...a, shape: left }, { ...b, shape: right }, factor)
  if (stacked !== undefined) {
    const [dropRow, dropColumn] = [a.shape.length === 1, b.shape.length === 1]
    const batch = stacked.shape.slice(0, -2)
    const [rows, columns] = stacked.shape.slice(-2) as [number, number]
    return { ...stacked, shape: resultShape(batch, rows, columns, { dropRow, dropColumn }) }
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

/** `factor · a · b` of two constant matrices. */
export function constantProduct(
  lowering: Lowering,
  node: OnnxNode,
  a: Constant,
  b: Constant,
  factor: number,
): Constant {
  requireFloat(node, a, 'matrix')
  requireFloat(node, b, 'matrix')
  const [[rows = 0, inner = 0], [below, columns = 0]] = [a.shape, b.shape]
  if (inner !== below) {
    throw nodeError(node, 'the matrices do not fit', {
      expected: 'as many columns on the left as rows on the right',
      found: `[${a.shape.join(', ')}] and [${b.shape.join(', ')}]`,
    })
  }
  reserve(lowering, node, [rows, columns])
  const data = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++)
      for (let j = 0; j < columns; j++)
        data[i * columns + j]! += factor * a.data[i * inner + k]! * b.data[k * columns + j]!
  return { ...a, shape: [rows, columns], data }
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

/**
 * A stack of computed matrices times a stack of constant ones, or the other way round: a convolution by
 * groups, a group a matrix. Undefined where one matrix is all that is constant.
 */
function timesStack(
  lowering: Lowering,
  node: OnnxNode,
  a: Value,
  b: Value,
  factor: number,
): Activation | undefined {
  if (a.kind === 'activation') {
    // (a · b)′ = b′ · a′
    if (b.kind === 'activation' || !isStack(b.shape)) return undefined
    const [left, right] = [b, a].map((value) => flipped(lowering, node, value)) as [Value, Value]
    const product = timesStack(lowering, node, left, right, factor)
    return product && (flipped(lowering, node, product) as Activation)
  }
  if (b.kind === 'constant') return undefined
  const [batch, other] = [b.shape.slice(0, -2), a.shape.slice(0, -2)]
  const groups = elementCount(batch)
  if (!isStack(a.shape) && groups === 1) return undefined
  requireFloat(node, a, 'matrix')
  const one = !isStack(a.shape)
  const trimmed = other.slice(other.findIndex((size) => size !== 1))
  if (!one && trimmed.join() !== batch.slice(-trimmed.length).join()) return undefined
  const repeats = one ? groups : groups / elementCount(trimmed)
  const [rows, inner] = a.shape.slice(-2) as [number, number]
  const columns = b.shape.at(-1)!
  reserve(lowering, node, [groups, rows, inner])
  const data = new Float64Array(repeats * a.data.length)
  for (let i = 0; i < data.length; i++) data[i] = factor * a.data[i % a.data.length]!
  const { tensor } = inOrder(lowering, node, b)
  return emitAffine(
    lowering,
    node,
    {
      shape: [groups * rows, 1, columns],
      terms: [
        {
          kind: 'conv',
          input: tensor,
          weight: { shape: [groups * rows, inner, 1, 1], data },
          inputChannels: groups * inner,
          inputHeight: 1,
          inputWidth: columns,
          outputChannels: groups * rows,
          outputHeight: 1,
          outputWidth: columns,
          strides: [1, 1],
          dilations: [1, 1],
          padBegin: [0, 0],
          groups,
        },
      ],
    },
    [...batch, rows, columns],
  )
}

function isStack(shape: readonly number[]): boolean {
  return shape.slice(0, -2).some((size) => size !== 1)
}

/** The last two axes exchanged. */
function flipped(lowering: Lowering, node: OnnxNode, value: Value): Value {
  const axes = value.shape.map((_, axis) => axis)
  const order = [...axes.slice(0, -2), axes.length - 1, axes.length - 2]
  return transposeValue(lowering, node, value, order)
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
