import type { FloatTerm } from '../float-model.js'
import {
  floatAttribute,
  intAttribute,
  intsAttribute,
  normalizeAxis,
  stringAttribute,
} from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import { uniform } from './compact.js'
import {
  type Activation,
  activationInput,
  constantInput,
  emitAffine,
  emitElementwise,
  inOrder,
  type Lower,
  type Lowering,
  reserve,
  type Value,
} from './lowering.js'
import { integerInput } from './reshape.js'
import { type ResizeAxis, resizeWeights } from './resize-weights.js'
import { mapAlong, type SparseRows } from './select-axis.js'

/**
 * Resize is a linear map along every axis. Repeating pixels a whole number of times is a transposed
 * convolution of ones, which the convolution behind it can take in.
 */
export const lowerResize: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const since11 = lowering.opset >= 11
  const axes = resizedAxes(node, value)
  const given = since11
    ? sizesOf(node, inputs, value, axes, 2, 3)
    : sizesOf(node, inputs, value, axes, 1, undefined)
  const mode = stringAttribute(node, 'mode', 'nearest')
  const coordinates = since11
    ? stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel')
    : 'asymmetric'
  const nearest = since11 ? stringAttribute(node, 'nearest_mode', 'round_prefer_floor') : 'floor'
  const roi = constantInput(node, inputs, since11 ? 1 : 9, 'region')?.data ?? []
  const maps = axes.map((axis, i) => {
    const { resized, scale } = given[i]!
    const own: ResizeAxis = {
      size: value.shape[axis]!,
      resized,
      scale,
      mode: interpolation(node, mode),
      coordinates,
      nearest,
      cubicCoefficient: floatAttribute(node, 'cubic_coeff_a', -0.75),
      excludeOutside: intAttribute(node, 'exclude_outside', 0) !== 0,
      antialias: intAttribute(node, 'antialias', 0) !== 0,
      region: [roi[i] ?? 0, roi[axes.length + i] ?? 1],
    }
    const rows = resizeWeights(own)
    if (rows === undefined) {
      throw nodeError(node, 'this way of resizing is not supported', {
        found: `coordinate_transformation_mode "${coordinates}", nearest_mode "${nearest}"`,
      })
    }
    return { axis, rows }
  })
  const outside = floatAttribute(node, 'extrapolation_value', 0)
  if (outside === 0 || maps.every(({ rows }) => rows.every((row) => row.length > 0)))
    return [applyMaps(lowering, node, value, maps)]
  // Zeros outside of what is less by the value, then the value for all.
  const less = emitElementwise(lowering, node, value, { offset: uniform(0, -outside) })
  const resized = applyMaps(lowering, node, less, maps)
  return [emitElementwise(lowering, node, resized, { offset: uniform(0, outside) })]
}

/** Until opset 9: sizes by scale only, places by division. */
export const lowerUpsample: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const axes = value.shape.map((_, axis) => axis)
  const given = sizesOf(node, inputs, value, axes, 1, undefined)
  const maps = axes.map((axis) => {
    const { resized, scale } = given[axis]!
    const rows = resizeWeights({
      size: value.shape[axis]!,
      resized,
      scale,
      mode: interpolation(node, stringAttribute(node, 'mode', 'nearest')),
      coordinates: 'asymmetric',
      nearest: 'floor',
      cubicCoefficient: -0.75,
      excludeOutside: false,
      antialias: false,
      region: [0, 1],
    })!
    return { axis, rows }
  })
  return [applyMaps(lowering, node, value, maps)]
}

function interpolation(node: OnnxNode, mode: string): ResizeAxis['mode'] {
  if (mode === 'nearest' || mode === 'linear' || mode === 'cubic') return mode
  throw nodeError(node, 'attribute "mode" is unknown', {
    expected: 'nearest, linear or cubic',
    found: mode,
  })
}

function resizedAxes(node: OnnxNode, { shape }: Activation): readonly number[] {
  const axes = intsAttribute(node, 'axes')
  return axes?.map((axis) => normalizeAxis(node, axis, shape.length)) ?? shape.map((_, i) => i)
}

type Sizes = readonly { readonly resized: number; readonly scale: number }[]

function sizesOf(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  value: Activation,
  axes: readonly number[],
  scalesAt: number,
  sizesAt: number | undefined,
): Sizes {
  const scales = constantInput(node, inputs, scalesAt, 'list of scales')
  if (scales !== undefined && scales.data.length > 0)
    return sizesByScale(node, value, axes, [...scales.data])
  const sizes = sizesAt === undefined ? undefined : integerInput(node, inputs, sizesAt, 'sizes')
  if (sizes === undefined || sizes.length !== axes.length || sizes.some((size) => size < 1)) {
    throw nodeError(node, 'neither scales nor sizes fit', {
      expected: `${axes.length} scales, or ${axes.length} sizes`,
      found: sizes?.join(', ') ?? 'none',
    })
  }
  const ratios = axes.map((axis, i) => sizes[i]! / value.shape[axis]!)
  const policy = stringAttribute(node, 'keep_aspect_ratio_policy', 'stretch')
  if (policy === 'stretch') {
    return sizes.map((resized, i) => ({ resized, scale: ratios[i]! }))
  }
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)
  return axes.map((axis) => ({ resized: Math.floor(scale * value.shape[axis]! + 0.5), scale }))
}

function sizesByScale(
  node: OnnxNode,
  value: Activation,
  axes: readonly number[],
  scales: readonly number[],
): Sizes {
  if (scales.length !== axes.length || scales.some((scale) => !(scale > 0))) {
    throw nodeError(node, 'the scales do not fit', {
      expected: `${axes.length} positive numbers`,
      found: scales.join(', '),
    })
  }
  return axes.map((axis, i) => ({
    resized: Math.floor(Math.fround(value.shape[axis]! * scales[i]!)),
    scale: scales[i]!,
  }))
}

type AxisMap = { readonly axis: number; readonly rows: SparseRows }

/** Maps along axes, those first that make the tensor smaller. */
function applyMaps(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  maps: readonly AxisMap[],
): Activation {
  const growth = ({ axis, rows }: AxisMap): number => rows.length / value.shape[axis]!
  const moving = maps.filter(({ axis, rows }) => {
    const same = rows.length === value.shape[axis]
    return !same || rows.some((row, i) => row.length !== 1 || row[0]![0] !== i || row[0]![1] !== 1)
  })
  reserve(
    lowering,
    node,
    maps.reduce((shape, { axis, rows }) => shape.with(axis, rows.length), [...value.shape]),
  )
  const factors = moving.map(repetition)
  if (moving.every(({ axis }) => axis >= 2) && moving.length > 0 && !factors.includes(undefined)) {
    const spatial = value.shape.map((_, axis) => factors[moving.findIndex((m) => m.axis === axis)])
    if (value.shape.length === 3 || value.shape.length === 4)
      return repeatPixels(lowering, node, value, [
        value.shape.length === 3 ? 1 : (spatial[2] ?? 1),
        spatial.at(-1) ?? 1,
      ])
  }
  return moving
    .toSorted((a, b) => growth(a) - growth(b))
    .reduce((result, { axis, rows }) => {
      const exact = rows.every((row) => row.every(([, weight]) => weight === 1))
      return mapAlong(lowering, node, [{ value: result, rows }], axis, rows.length, exact)
    }, value)
}

/** How often every element is repeated, where that is all that the map does. */
function repetition({ rows }: AxisMap): number | undefined {
  const first = rows.findIndex((row) => row[0]?.[0] !== 0)
  const times = first < 0 ? rows.length : first
  const repeats = rows.every(
    (row, i) => row.length === 1 && row[0]![1] === 1 && row[0]![0] === Math.floor(i / times),
  )
  return repeats && rows.length % times === 0 ? times : undefined
}

function repeatPixels(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  [down, right]: readonly [number, number],
): Activation {
  const { shape } = value
  const channels = elementCount(shape.slice(0, 2))
  const [height, width] = [shape.length === 4 ? shape[2]! : 1, shape.at(-1)!]
  const { tensor } = inOrder(lowering, node, value)
  const term: FloatTerm = {
    kind: 'convTranspose',
    input: tensor,
    weight: {
      shape: [channels, 1, down, right],
      data: new Float64Array(channels * down * right).fill(1),
    },
    inputChannels: channels,
    inputHeight: height,
    inputWidth: width,
    outputChannels: channels,
    outputHeight: height * down,
    outputWidth: width * right,
    strides: [down, right],
    dilations: [1, 1],
    padBegin: [0, 0],
    groups: channels,
  }
  const plane = [channels, height * down, width * right]
  const resized =
    shape.length === 4
      ? [...shape.slice(0, 2), height * down, width * right]
      : [...shape.slice(0, 2), width * right]
  return emitAffine(
    lowering,
    node,
    { shape: plane, terms: [term], exact: { like: tensor, clamped: true } },
    resized,
  )
}
