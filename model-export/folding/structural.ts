import { broadcastShape } from '../lowering/broadcast-shape.js'
import type { Value } from '../lowering/lowering.js'
import { reserve } from '../lowering/lowering.js'
import { integerInput } from '../lowering/reshape.js'
import {
  floatAttribute,
  floatsAttribute,
  intAttribute,
  intsAttribute,
  normalizeAxis,
  tensorAttribute,
} from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import { type Constant, integers, isInteger, type OnnxNode } from '../onnx/onnx-graph.js'
import { broadcastIndex, elementCount, gatherIndex, rowMajorStrides } from '../tensor-index.js'
import { constantAt, type Fold } from './fold.js'

function pick(source: Constant, shape: readonly number[], index: ArrayLike<number>): Constant {
  const data = new Float64Array(index.length)
  for (let i = 0; i < index.length; i++) data[i] = source.data[index[i]!]!
  return { ...source, shape, data }
}

const constant: Fold = (node) => {
  const tensor = tensorAttribute(node, 'value')
  if (tensor !== undefined) return [tensor]
  const float = { kind: 'constant', dtype: 'float32' } as const
  if (node.attributes.has('value_float')) {
    const value = floatAttribute(node, 'value_float', 0)
    return [{ ...float, shape: [], data: Float64Array.of(value) }]
  }
  const floats = floatsAttribute(node, 'value_floats')
  if (floats) return [{ ...float, shape: [floats.length], data: Float64Array.from(floats) }]
  if (node.attributes.has('value_int')) {
    const value = intAttribute(node, 'value_int', 0)
    return [{ ...float, dtype: 'int64', shape: [], data: Float64Array.of(value) }]
  }
  const ints = intsAttribute(node, 'value_ints')
  if (ints) return [integers(ints)]
  throw nodeError(node, 'this kind of constant is not supported', {
    expected: 'value, value_float(s) or value_int(s)',
    found: [...node.attributes.keys()].join(', ') || 'no attribute',
  })
}

const constantOfShape: Fold = (node, inputs, lowering) => {
  const shape = integerInput(node, inputs, 0, 'shape') ?? []
  reserve(lowering, node, shape, 0)
  const value = tensorAttribute(node, 'value')
  const data = new Float64Array(elementCount(shape)).fill(value?.data[0] ?? 0)
  return [{ kind: 'constant', dtype: value?.dtype ?? 'float32', shape, data }]
}

const gather: Fold = (node, inputs, lowering) => {
  const source = constantAt(node, inputs, 0)
  const indices = constantAt(node, inputs, 1)
  const axis = normalizeAxis(node, intAttribute(node, 'axis', 0), source.shape.length)
  const size = source.shape[axis]!
  const places = Array.from(indices.data, (at) => (at < 0 ? at + size : at))
  if (!isInteger(indices.dtype) || places.some((at) => !(at >= 0 && at < size))) {
    throw nodeError(node, 'an index is out of range', {
      expected: `${-size} to ${size - 1}`,
      found: [...indices.data.slice(0, 8)].join(', '),
    })
  }
  const shape = [...source.shape.slice(0, axis), ...indices.shape, ...source.shape.slice(axis + 1)]
  reserve(lowering, node, shape, 0)
  const outer = elementCount(source.shape.slice(0, axis))
  const inner = elementCount(source.shape.slice(axis + 1))
  const index: number[] = []
  for (let o = 0; o < outer; o++)
    for (const at of places) for (let i = 0; i < inner; i++) index.push((o * size + at) * inner + i)
  return [pick(source, shape, index)]
}

const oneHot: Fold = (node, inputs, lowering) => {
  const indices = constantAt(node, inputs, 0)
  const [depth = 0] = integerInput(node, inputs, 1, 'depth') ?? []
  const values = constantAt(node, inputs, 2)
  const rank = indices.shape.length + 1
  const axis = normalizeAxis(node, intAttribute(node, 'axis', -1), rank)
  const shape = indices.shape.toSpliced(axis, 0, depth)
  reserve(lowering, node, shape)
  const [off = 0, on = 1] = values.data
  const data = new Float64Array(elementCount(shape)).fill(off)
  const inner = elementCount(indices.shape.slice(axis))
  indices.data.forEach((at, i) => {
    const place = at < 0 ? at + depth : at
    // ONNX: indices out of range give a row without `on`.
    if (place < 0 || place >= depth) return
    data[(Math.floor(i / inner) * depth + place) * inner + (i % inner)] = on
  })
  return [{ ...values, shape, data }]
}

/** What a Slice takes of a tensor: by axis, the size, where it begins and the step. */
export type SliceBounds = {
  readonly shape: readonly number[]
  readonly from: readonly number[]
  readonly by: readonly number[]
}

/**
 * Reads the bounds of a Slice: attributes before opset 10 and inputs since. Out-of-range bounds are
 * clamped.
 *
 * @throws PlatemarkError where they do not fit the tensor's shape
 */
export function sliceBounds(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  full: readonly number[],
): SliceBounds {
  const starts = intsAttribute(node, 'starts') ?? integerInput(node, inputs, 1, 'starts') ?? []
  const ends = intsAttribute(node, 'ends') ?? integerInput(node, inputs, 2, 'ends') ?? []
  const axes =
    intsAttribute(node, 'axes') ??
    integerInput(node, inputs, 3, 'axes') ??
    starts.map((_, axis) => axis)
  const steps = integerInput(node, inputs, 4, 'steps') ?? starts.map(() => 1)
  if (new Set([starts, ends, axes, steps].map((list) => list.length)).size !== 1) {
    throw nodeError(node, 'starts, ends, axes and steps differ in length')
  }
  const shape = [...full]
  const from = full.map(() => 0)
  const by = full.map(() => 1)
  axes.forEach((given, i) => {
    const axis = normalizeAxis(node, given, full.length)
    const size = full[axis]!
    const step = steps[i]!
    if (step === 0) throw nodeError(node, 'a step is zero')
    const clamp = (at: number, low: number, high: number): number =>
      Math.min(Math.max(at < 0 ? at + size : at, low), high)
    const start = step > 0 ? clamp(starts[i]!, 0, size) : clamp(starts[i]!, 0, size - 1)
    const end = step > 0 ? clamp(ends[i]!, 0, size) : clamp(ends[i]!, -1, size - 1)
    shape[axis] = Math.max(0, Math.ceil((end - start) / step))
    from[axis] = start
    by[axis] = step
  })
  return { shape, from, by }
}

const slice: Fold = (node, inputs) => {
  const source = constantAt(node, inputs, 0)
  const { shape, from, by } = sliceBounds(node, inputs, source.shape)
  const strides = rowMajorStrides(source.shape)
  const origin = from.reduce((sum, start, axis) => sum + start * strides[axis]!, 0)
  const index = gatherIndex(
    shape,
    strides.map((stride, axis) => stride * by[axis]!),
  )
  return [
    pick(
      source,
      shape,
      index.map((at) => at + origin),
    ),
  ]
}

const concat: Fold = (node, inputs, lowering) => {
  const parts = inputs.map((_, index) => constantAt(node, inputs, index))
  const first = constantAt(node, inputs, 0)
  const axis = normalizeAxis(node, intAttribute(node, 'axis', 0), first.shape.length)
  for (const part of parts) {
    const fits =
      part.shape.length === first.shape.length &&
      part.shape.every((size, i) => i === axis || size === first.shape[i])
    if (!fits) {
      throw nodeError(node, 'the shapes of the parts do not fit', {
        found: parts.map(({ shape }) => `[${shape.join(', ')}]`).join(' and '),
      })
    }
  }
  const shape = first.shape.with(
    axis,
    parts.reduce((sum, part) => sum + part.shape[axis]!, 0),
  )
  reserve(lowering, node, shape, 0)
  const outer = elementCount(first.shape.slice(0, axis))
  const data = new Float64Array(elementCount(shape))
  let to = 0
  for (let o = 0; o < outer; o++) {
    for (const part of parts) {
      const block = part.data.length / outer
      data.set(part.data.subarray(o * block, (o + 1) * block), to)
      to += block
    }
  }
  return [{ ...first, shape, data }]
}

const range: Fold = (node, inputs, lowering) => {
  const [start, limit, delta] = [0, 1, 2].map((index) => constantAt(node, inputs, index).data[0])
  const count = Math.max(0, Math.ceil((limit! - start!) / delta!))
  reserve(lowering, node, [count], 0)
  const { dtype } = constantAt(node, inputs, 0)
  const data = Float64Array.from({ length: count }, (_, i) => start! + i * delta!)
  return [{ kind: 'constant', dtype, shape: [count], data }]
}

const expandConstant: Fold = (node, inputs, lowering) => {
  const source = constantAt(node, inputs, 0)
  const wanted = integerInput(node, inputs, 1, 'shape') ?? []
  const shape = broadcastShape(source.shape, wanted)
  if (shape === undefined) {
    throw nodeError(node, 'the shape does not fit the tensor', { found: wanted.join('×') })
  }
  reserve(lowering, node, shape, 0)
  return [pick(source, shape, broadcastIndex(source.shape, shape))]
}

const tile: Fold = (node, inputs, lowering) => {
  const source = constantAt(node, inputs, 0)
  const repeats = integerInput(node, inputs, 1, 'repeats') ?? []
  if (repeats.length !== source.shape.length) {
    throw nodeError(node, 'the repeats do not fit the rank', { found: repeats.join(', ') })
  }
  // Repeating is broadcasting of an extra axis in front of each.
  const between = source.shape.flatMap((size) => [1, size])
  const repeated = source.shape.flatMap((size, axis) => [repeats[axis]!, size])
  reserve(lowering, node, repeated, 0)
  const shape = source.shape.map((size, axis) => size * repeats[axis]!)
  return [pick(source, shape, broadcastIndex(between, repeated))]
}

/** Sizes of the parts of a Split: given, or as even as `num_outputs` (or the outputs) allow. */
export function partSizes(
  node: OnnxNode,
  given: readonly number[] | undefined,
  size: number,
): number[] {
  const parts = intAttribute(node, 'num_outputs', node.outputs.length)
  if (parts < 1 || parts > node.outputs.length) throw nodeError(node, 'bad number of parts')
  const each = Math.ceil(size / parts)
  const even = Array.from({ length: parts }, (_, i) => Math.min(each, size - i * each))
  const sizes = given === undefined ? even : [...given]
  if (sizes.some((s) => !(s >= 0)) || sizes.reduce((a, b) => a + b, 0) !== size) {
    throw nodeError(node, 'the parts do not fit', { found: sizes.join(', ') })
  }
  return sizes
}

const split: Fold = (node, inputs) => {
  const source = constantAt(node, inputs, 0)
  const axis = normalizeAxis(node, intAttribute(node, 'axis', 0), source.shape.length)
  const given = intsAttribute(node, 'split') ?? integerInput(node, inputs, 1, 'sizes of the parts')
  const sizes = partSizes(node, given, source.shape[axis]!)
  const strides = rowMajorStrides(source.shape)
  let origin = 0
  return sizes.map((size) => {
    const shape = source.shape.with(axis, size)
    const from = origin * strides[axis]!
    origin += size
    return pick(
      source,
      shape,
      gatherIndex(shape, strides).map((at) => at + from),
    )
  })
}

/** Axes are an attribute before opset 13 (ReduceSum) or 18 (the others) and an input since. */
function reduce(start: number, f: (a: number, b: number) => number, mean = false): Fold {
  return (node, inputs) => {
    const source = constantAt(node, inputs, 0)
    const given = intsAttribute(node, 'axes') ?? integerInput(node, inputs, 1, 'axes') ?? []
    const rank = source.shape.length
    const none = given.length === 0
    if (none && intAttribute(node, 'noop_with_empty_axes', 0) !== 0) return [source]
    const axes = new Set(given.map((axis) => normalizeAxis(node, axis, rank)))
    const reduced = source.shape.map((_, axis) => none || axes.has(axis))
    const kept = source.shape.map((size, axis) => (reduced[axis] ? 1 : size))
    const data = new Float64Array(elementCount(kept)).fill(start)
    const place = broadcastIndex(kept, source.shape)
    source.data.forEach((value, i) => {
      data[place[i]!] = f(data[place[i]!]!, value)
    })
    const share = source.data.length / data.length
    const keep = intAttribute(node, 'keepdims', 1) !== 0
    const shape = keep ? kept : source.shape.filter((_, axis) => !reduced[axis])
    return [{ ...source, shape, data: mean ? data.map((sum) => sum / share) : data }]
  }
}

/** Operators that make, move and gather constants. */
export const structuralFolds: Readonly<Record<string, Fold>> = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Gather: gather,
  OneHot: oneHot,
  Slice: slice,
  Concat: concat,
  Range: range,
  Expand: expandConstant,
  Tile: tile,
  Split: split,
  ReduceProd: reduce(1, (a, b) => a * b),
  ReduceSum: reduce(0, (a, b) => a + b),
  ReduceMean: reduce(0, (a, b) => a + b, true),
  ReduceMin: reduce(Infinity, (a, b) => Math.min(a, b)),
  ReduceMax: reduce(-Infinity, (a, b) => Math.max(a, b)),
}
