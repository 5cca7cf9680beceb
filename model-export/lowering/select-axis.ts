import type { FloatTensor, FloatTerm } from '../float-model.js'
import type { OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import {
  type Activation,
  emitAffine,
  emitElementwise,
  inOrder,
  type Lowering,
  reserve,
} from './lowering.js'
import { transposeValue } from './transpose.js'

/*
 * A linear map along one axis of a tensor is a layer: the axis is contracted with a constant matrix while
 * all other axes are rows. Where the matrix only selects elements, nothing is rounded.
 */

/** For every element along the new axis, the element of the old one that it is; −1 for a zero. */
export type Selection = readonly number[]

/** Picks elements along one axis: slices, flips, pads, repeats, gathers. */
export function selectAlong(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  axis: number,
  selection: Selection,
): Activation {
  const size = value.shape[axis]!
  if (selection.length === size && selection.every((from, to) => from === to)) return value
  const part = { value, rows: selection.map((from) => (from < 0 ? [] : [[from, 1] as const])) }
  return mapAlong(lowering, node, [part], axis, selection.length, true)
}

/** A sparse matrix: for each element of the new axis, elements of the old one with their weights. */
export type SparseRows = readonly (readonly (readonly [from: number, weight: number])[])[]

export type MappedPart = { readonly value: Activation; readonly rows: SparseRows }

/**
 * The sum of parts, each mapped along one axis; apart from it, all have the same shape.
 *
 * @param rows - of every part: one a position of the new axis
 * @param exact - all weights are 0 or 1, at most one of them 1 in each row of all parts together
 */
export function mapAlong(
  lowering: Lowering,
  node: OnnxNode,
  parts: readonly MappedPart[],
  axis: number,
  size: number,
  exact: boolean,
  bias?: FloatTensor,
): Activation {
  const shape = parts[0]!.value.shape.with(axis, size)
  reserve(lowering, node, shape)
  const outer = elementCount(shape.slice(0, axis))
  const inner = elementCount(shape.slice(axis + 1))
  // Different tensors have different scales.
  const one = exact && parts.every(({ value }) => value.tensor === parts[0]!.value.tensor)
  const like = (tensor: string) => (one ? { like: tensor, clamped: false } : undefined)
  if (outer === 1 && inner > 1) {
    // Along the first axis: channels of a convolution with one tap, which later ones can take in.
    const terms = parts.map(({ value, rows }): FloatTerm => {
      const { tensor } = inOrder(lowering, node, value)
      const channels = value.shape[axis]!
      const weight = denseMatrix(lowering, node, rows, channels)
      return {
        kind: 'conv',
        input: tensor,
        weight: { shape: [size, channels, 1, 1], data: weight },
        inputChannels: channels,
        ...planeOf(shape.slice(axis + 1)),
        outputChannels: size,
        strides: [1, 1],
        dilations: [1, 1],
        padBegin: [0, 0],
        groups: 1,
      }
    })
    const { outputHeight, outputWidth } = planeOf(shape.slice(axis + 1))
    const plane = [size, outputHeight, outputWidth]
    const mapped = { shape: plane, terms, exact: like(terms[0]!.input) }
    return addOffset(lowering, node, emitAffine(lowering, node, mapped, shape), bias)
  }
  const last = shape.length - 1
  const order = shape.map((_, at) => at)
  const toEnd = [...order.filter((at) => at !== axis), axis]
  const rows = outer * inner
  const terms = parts.map((part): FloatTerm => {
    const moved = transposeValue(lowering, node, part.value, toEnd) as Activation
    const { tensor } = inOrder(lowering, node, moved)
    const length = part.value.shape[axis]!
    const weight = denseMatrix(lowering, node, part.rows, length)
    return { kind: 'gemm', input: tensor, rows, weight: { shape: [size, length], data: weight } }
  })
  const moved = toEnd.map((at) => shape[at]!)
  const mapped = { shape: [rows, size], terms, exact: like(terms[0]!.input) }
  const result = emitAffine(lowering, node, mapped, moved)
  const back = order.map((at) => (at === axis ? last : at < axis ? at : at - 1))
  const restored = transposeValue(lowering, node, result, back) as Activation
  return addOffset(lowering, node, restored, bias)
}

function addOffset(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  offset: FloatTensor | undefined,
): Activation {
  return offset === undefined || offset.data.every((v) => v === 0)
    ? value
    : emitElementwise(lowering, node, value, { offset })
}

function planeOf(sizes: readonly number[]) {
  const width = sizes.at(-1)!
  const height = elementCount(sizes) / width
  return { inputHeight: height, inputWidth: width, outputHeight: height, outputWidth: width }
}

function denseMatrix(
  lowering: Lowering,
  node: OnnxNode,
  rows: SparseRows,
  columns: number,
): Float64Array {
  reserve(lowering, node, [rows.length, columns])
  const data = new Float64Array(rows.length * columns)
  rows.forEach((row, to) => {
    for (const [from, weight] of row) data[to * columns + from]! += weight
  })
  return data
}

/** One axis of a window: output element y is input element `y · stride − padBegin`, or 0 outside. */
export type WindowAxis = {
  readonly size: number
  readonly padBegin: number
  readonly stride: number
}

/**
 * A window of the last two axes (or the last, of height 1) with zeros around it: a convolution by
 * channel of one tap, which a later convolution can take in as padding.
 */
export function windowOf(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  [vertical, horizontal]: readonly [WindowAxis, WindowAxis],
): Activation {
  const { shape } = value
  const [height, width] = [shape.at(-2)!, shape.at(-1)!]
  const channels = elementCount(shape.slice(0, -2))
  const { tensor } = inOrder(lowering, node, value)
  const term: FloatTerm = {
    kind: 'conv',
    input: tensor,
    weight: { shape: [channels, 1, 1, 1], data: new Float64Array(channels).fill(1) },
    inputChannels: channels,
    inputHeight: height,
    inputWidth: width,
    outputChannels: channels,
    outputHeight: vertical.size,
    outputWidth: horizontal.size,
    strides: [vertical.stride, horizontal.stride],
    dilations: [1, 1],
    padBegin: [vertical.padBegin, horizontal.padBegin],
    groups: channels,
  }
  return emitAffine(
    lowering,
    node,
    {
      shape: [channels, vertical.size, horizontal.size],
      terms: [term],
      exact: { like: tensor, clamped: false },
    },
    [...shape.slice(0, -2), vertical.size, horizontal.size],
  )
}
