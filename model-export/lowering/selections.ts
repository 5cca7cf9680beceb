import { partSizes, sliceBounds } from '../folding/structural.js'
import {
  floatAttribute,
  intAttribute,
  intsAttribute,
  normalizeAxis,
  stringAttribute,
} from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import { type Constant, isInteger, type OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount, gatherIndex, rowMajorStrides } from '../tensor-index.js'
import {
  type Activation,
  activationInput,
  constantInput,
  emitElementwise,
  type Lower,
  type Lowering,
  required,
  requireFloat,
  reserve,
} from './lowering.js'
import { integerInput } from './reshape.js'
import { type MappedPart, mapAlong, type Selection, selectAlong, windowOf } from './select-axis.js'

const counted = (size: number): readonly number[] => Array.from({ length: size }, (_, i) => i)

/** Picks along several axes; windows of the last two axes at once. */
function selectAll(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  selections: ReadonlyMap<number, Selection>,
): Activation {
  const rank = value.shape.length
  let result = value
  const plane = rank < 4 ? [] : [rank - 2, rank - 1]
  const windows = plane.map((axis) => asWindow(selections.get(axis), value.shape[axis]!))
  const [vertical, horizontal] = windows
  const inWindow = vertical !== undefined && horizontal !== undefined
  for (const [axis, selection] of selections)
    if (!inWindow || !plane.includes(axis))
      result = selectAlong(lowering, node, result, axis, selection)
  const moves = plane.some((axis) => selections.has(axis))
  return inWindow && moves ? windowOf(lowering, node, result, [vertical, horizontal]) : result
}

/** A selection that goes on in equal steps, with zeros only where it is outside the tensor. */
function asWindow(selection: Selection | undefined, size: number) {
  if (selection === undefined) return { size, padBegin: 0, stride: 1 }
  const first = selection.findIndex((from) => from >= 0)
  if (first < 0) return undefined
  const from = selection[first]!
  const next = selection[first + 1] ?? -1
  const stride = next >= 0 ? next - from : 1
  if (stride < 1) return undefined
  const padBegin = first * stride - from
  const fits = selection.every((chosen, at) => {
    const place = at * stride - padBegin
    return chosen === (place >= 0 && place < size ? place : -1)
  })
  return fits ? { size: selection.length, padBegin, stride } : undefined
}

export const lowerSlice: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const { shape, from, by } = sliceBounds(node, inputs, value.shape)
  const selections = new Map<number, Selection>()
  shape.forEach((size, axis) => {
    if (size === 0) throw nodeError(node, 'the slice is empty')
    if (size === value.shape[axis] && by[axis] === 1) return
    selections.set(
      axis,
      counted(size).map((i) => from[axis]! + i * by[axis]!),
    )
  })
  return [selectAll(lowering, node, value, selections)]
}

export const lowerSplit: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const axis = normalizeAxis(node, intAttribute(node, 'axis', 0), value.shape.length)
  const given = intsAttribute(node, 'split') ?? integerInput(node, inputs, 1, 'sizes of the parts')
  let start = 0
  return partSizes(node, given, value.shape[axis]!).map((size) => {
    const selection = counted(size).map((i) => start + i)
    start += size
    return selectAll(lowering, node, value, new Map([[axis, selection]]))
  })
}

/** Indices must be known; a single one drops its axis. */
export const lowerGather: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const indices = constantInput(node, inputs, 1, 'list of indices')
  const axis = normalizeAxis(node, intAttribute(node, 'axis', 0), value.shape.length)
  const size = value.shape[axis]!
  const places = Array.from(indices?.data ?? [], (at) => (at < 0 ? at + size : at))
  if (!indices || !isInteger(indices.dtype) || !places.every((at) => at >= 0 && at < size)) {
    throw nodeError(node, 'an index is out of range', {
      expected: `integers from ${-size} to ${size - 1}`,
      found: [...(indices?.data ?? [])].slice(0, 8).join(', '),
    })
  }
  const chosen = selectAll(lowering, node, value, new Map([[axis, places]]))
  const shape = [...value.shape.slice(0, axis), ...indices.shape, ...value.shape.slice(axis + 1)]
  return [{ ...chosen, shape }]
}

export const lowerTile: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const repeats = integerInput(node, inputs, 1, 'repeats') ?? []
  if (repeats.length !== value.shape.length || repeats.some((n) => n < 1)) {
    throw nodeError(node, 'the repeats do not fit the rank', { found: repeats.join(', ') })
  }
  let result = value
  repeats.forEach((times, axis) => {
    const size = value.shape[axis]!
    const selection = counted(size * times).map((i) => i % size)
    result = selectAlong(lowering, node, result, axis, selection)
  })
  return [result]
}

/** Pads are an attribute before opset 11 (2: `paddings`), and an input since. */
export const lowerPad: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const rank = value.shape.length
  const pads = intsAttribute(node, 'pads') ?? integerInput(node, inputs, 1, 'pads') ?? []
  const axes = (integerInput(node, inputs, 3, 'list of axes') ?? counted(rank)).map((axis) =>
    normalizeAxis(node, axis, rank),
  )
  if (pads.length !== 2 * axes.length) {
    throw nodeError(node, 'the pads do not fit the axes', {
      expected: `${2 * axes.length} integers`,
      found: pads.join(', '),
    })
  }
  const mode = stringAttribute(node, 'mode', 'constant')
  const given = constantInput(node, inputs, 2, 'constant value')
  const fill = given?.data[0] ?? floatAttribute(node, 'value', 0)
  const selections = new Map<number, Selection>()
  axes.forEach((axis, i) => {
    const [begin, end] = [pads[i]!, pads[i + axes.length]!]
    if (begin === 0 && end === 0) return
    const size = value.shape[axis]!
    const length = size + begin + end
    reserve(lowering, node, [length])
    const source = paddedFrom(node, mode, size)
    selections.set(
      axis,
      counted(length).map((at) => source(at - begin)),
    )
  })
  if (fill === 0 || mode !== 'constant') return [selectAll(lowering, node, value, selections)]
  // Zeros around what is less by the fill, then the fill for all.
  const constant = { shape: [], data: Float64Array.of(fill) }
  const less = { shape: [], data: Float64Array.of(-fill) }
  const shifted = emitElementwise(lowering, node, value, { offset: less })
  const padded = selectAll(lowering, node, shifted, selections)
  return [emitElementwise(lowering, node, padded, { offset: constant })]
}

/** Where the element at a place comes from, which may be outside the tensor. */
function paddedFrom(node: OnnxNode, mode: string, size: number): (place: number) => number {
  const period = 2 * (size - 1)
  switch (mode) {
    case 'constant':
      return (place) => (place >= 0 && place < size ? place : -1)
    case 'edge':
      return (place) => Math.min(Math.max(place, 0), size - 1)
    case 'reflect':
      return (place) => {
        if (period === 0) return 0
        const within = ((place % period) + period) % period
        return within < size ? within : period - within
      }
    case 'wrap':
      return (place) => ((place % size) + size) % size
    default:
      throw nodeError(node, 'attribute "mode" is unknown', {
        expected: 'constant, edge, reflect or wrap',
        found: mode,
      })
  }
}

/** Parts side by side; those that are constant become a bias. */
export const lowerConcat: Lower = (node, inputs, lowering) => {
  const values = inputs.map((_, index) => required(node, inputs, index))
  const first = values.find((value): value is Activation => value.kind === 'activation')!
  const axis = normalizeAxis(node, intAttribute(node, 'axis', 0), first.shape.length)
  for (const { shape } of values) {
    if (
      shape.length !== first.shape.length ||
      shape.some((size, at) => at !== axis && size !== first.shape[at])
    ) {
      throw nodeError(node, 'the shapes of the parts do not fit', {
        found: values.map((value) => `[${value.shape.join(', ')}]`).join(' and '),
      })
    }
  }
  const size = values.reduce((sum, { shape }) => sum + shape[axis]!, 0)
  if (values.length === 1) return [first]
  const shape = first.shape.with(axis, size)
  reserve(lowering, node, shape)
  const bias = new Float64Array(elementCount(shape))
  const parts: MappedPart[] = []
  let start = 0
  for (const value of values) {
    const own = value.shape[axis]!
    if (value.kind === 'activation') {
      const offset = start
      const rows = counted(size).map((to) =>
        to >= offset && to < offset + own ? [[to - offset, 1] as const] : [],
      )
      parts.push({ value, rows })
    } else {
      requireFloat(node, value, 'constant part')
      place(value, bias, shape, axis, start)
    }
    start += own
  }
  return [mapAlong(lowering, node, parts, axis, size, true, { shape, data: bias })]
}

/** Writes a part of a concatenation into the whole. */
function place(
  part: Constant,
  whole: Float64Array,
  shape: readonly number[],
  axis: number,
  start: number,
): void {
  const strides = rowMajorStrides(shape)
  const origin = start * strides[axis]!
  gatherIndex(part.shape, strides).forEach((at, i) => {
    whole[origin + at] = part.data[i]!
  })
}
