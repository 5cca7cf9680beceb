import type { ConvGeometry, FloatTensor, FloatTerm } from '../float-model.js'
import { intAttribute, intsAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { Constant, OnnxNode } from '../onnx/onnx-graph.js'
import { broadcastShape } from './broadcast-shape.js'
import { uniformValue } from './compact.js'
import { convolutionAttributes } from './convolution-geometry.js'
import { expandTo } from './expand-activation.js'
import {
  type Activation,
  activationInput,
  emitAffine,
  emitElementwise,
  emitSum,
  inOrder,
  type Lower,
  type Lowering,
  required,
  requireFloat,
  type Value,
} from './lowering.js'
import { finishReduction, reducedAxes } from './reduced-axes.js'
import { asRows, itself, type Rows } from './rows.js'

/*
 * max(a, b) = b + relu(a − b), which is exact where all three have one scale, as parts of one tensor
 * do: a node for the difference and one for the sum. More than two are compared in turn.
 */

/** A part of a tensor, as the term that adds `factor ·` it. */
type Part = (factor: number) => FloatTerm

/** The larger of two parts of the tensor `like`, of the given shape. */
function emitLarger(
  lowering: Lowering,
  node: OnnxNode,
  like: string,
  shape: readonly number[],
  a: Part,
  b: Part,
  /** What `a` is compared with, where that is not `b`. */
  against: Part = b,
): Activation {
  const excess = emitAffine(
    lowering,
    node,
    {
      shape,
      terms: [a(1), against(-1)],
      activation: [{ op: 'relu' }],
      exact: { like, clamped: false },
      name: `${like}:excess`,
    },
    shape,
  )
  return emitAffine(
    lowering,
    node,
    {
      shape,
      terms: [b(1), itself(excess.tensor, shape.length)],
      exact: { like, clamped: true },
      name: `${like}:maximum`,
    },
    shape,
  )
}

/** The largest of each row, one element a row: halves are compared, then halves of what is left. */
export function emitRowMaximum(lowering: Lowering, node: OnnxNode, from: Rows): Activation {
  const { rows } = from
  let { tensor, length } = from
  let result: Activation | undefined
  while (length > 1) {
    const half = Math.ceil(length / 2)
    // The second half starts so that both are equally long; a middle element is in both.
    const part = (second: boolean): Part =>
      window(tensor, [1, rows, length], 1, half, second ? length - half : 0, 1)
    result = emitLarger(lowering, node, from.tensor, [1, rows, half], part(false), part(true))
    tensor = result.tensor
    length = half
  }
  const kept = result ?? {
    kind: 'activation' as const,
    tensor,
    shape: [rows],
    view: rows === 1 ? [] : [{ size: rows, stride: 1 }],
  }
  return { ...kept, shape: [rows] }
}

/**
 * The elements `start + stride · y`, y < `size`, along one spatial axis of a tensor that is read as
 * channels × height × width: a convolution of one tap. Elements outside count as 0.
 */
function window(
  input: string,
  [channels, height, width]: readonly [number, number, number],
  axis: 0 | 1,
  size: number,
  start: number,
  stride: number,
): Part {
  // Along a row, all rows are alike, whatever channel they belong to.
  const [groups, rows] = axis === 1 ? [1, channels * height] : [channels, height]
  const geometry: ConvGeometry = {
    inputChannels: groups,
    inputHeight: rows,
    inputWidth: width,
    outputChannels: groups,
    outputHeight: axis === 0 ? size : rows,
    outputWidth: axis === 1 ? size : width,
    strides: axis === 0 ? [stride, 1] : [1, stride],
    dilations: [1, 1],
    padBegin: axis === 0 ? [-start, 0] : [0, -start],
    groups,
  }
  return (factor) => ({
    kind: 'conv',
    input,
    weight: { shape: [groups, 1, 1, 1], data: new Float64Array(groups).fill(factor) },
    ...geometry,
  })
}

/** Windows along one axis. */
type Windows = {
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  readonly padBegin: number
  readonly size: number
}

/** The largest element of each window along one axis; elements outside the tensor do not count. */
function emitWindowMaximum(
  lowering: Lowering,
  node: OnnxNode,
  input: string,
  shape: readonly [number, number, number],
  axis: 0 | 1,
  { kernel, stride, dilation, padBegin, size }: Windows,
): Activation {
  const [channels, height, width] = shape
  const length = shape[1 + axis]!
  const out: [number, number, number] =
    axis === 0 ? [channels, size, width] : [channels, height, size]
  const inside = (tap: number, y: number) => {
    const at = y * stride + tap * dilation - padBegin
    return at >= 0 && at < length
  }
  const valid = (tap: number) => Array.from({ length: size }, (_, y) => inside(tap, y))
  const part = (tap: number) => window(input, shape, axis, size, tap * dilation - padBegin, stride)
  const taps = Array.from({ length: kernel }, (_, tap) => tap)
  const whole = taps.filter((tap) => valid(tap).every((is) => is))
  const [first, ...others] = whole
  if (first === undefined) {
    throw nodeError(node, 'the padding is too large', {
      expected: 'windows with a common element that is inside the tensor for all of them',
      found: `windows of ${kernel} with padding on both sides of ${length} elements`,
    })
  }
  const copy = (): Activation =>
    emitAffine(
      lowering,
      node,
      { shape: out, terms: [part(first)(1)], exact: { like: input, clamped: true } },
      out,
    )
  let largest: Activation | undefined
  for (const tap of others) {
    const so: Part = largest === undefined ? part(first) : whole3(largest.tensor)
    largest = emitLarger(lowering, node, input, out, part(tap), so)
  }
  for (const tap of taps.filter((tap) => !whole.includes(tap))) {
    if (!valid(tap).includes(true)) continue
    largest ??= copy()
    // Outside, 0 is compared with 0.
    const mask: FloatTensor = {
      shape: axis === 0 ? [1, size, 1] : [1, 1, size],
      data: Float64Array.from(valid(tap), Number),
    }
    const { tensor } = largest
    const against: Part = (factor) => ({
      kind: 'elementwise',
      input: tensor,
      weight: { ...mask, data: mask.data.map((value) => value * factor) },
    })
    largest = emitLarger(lowering, node, input, out, part(tap), whole3(tensor), against)
  }
  return largest ?? copy()
}

const whole3 =
  (tensor: string): Part =>
  (factor) =>
    itself(tensor, 3, factor)

/** By rows, then by columns. */
export const lowerMaxPool: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const kernel = intsAttribute(node, 'kernel_shape')
  const [batch, channels, ...sizes] = value.shape
  if (kernel === undefined || channels === undefined || kernel.length !== sizes.length)
    throw nodeError(node, 'attribute "kernel_shape" does not fit', {
      expected: `${sizes.length} sizes`,
      found: kernel?.join(', ') ?? 'none',
    })
  const geometry = convolutionAttributes(node, value.shape, [channels, 1, ...kernel])
  const [height, width] = geometry.input
  const ceilMode = intAttribute(node, 'ceil_mode', 0) !== 0
  const windows = ([0, 1] as const).map((axis) => poolWindows(geometry, axis, ceilMode)) as [
    Windows,
    Windows,
  ]
  const { tensor } = inOrder(lowering, node, value)
  const rows = emitWindowMaximum(lowering, node, tensor, [channels, height, width], 1, windows[1])
  const both = [channels, height, windows[1].size] as const
  const result = emitWindowMaximum(lowering, node, rows.tensor, both, 0, windows[0])
  const out = sizes.length === 1 ? [windows[1].size] : [windows[0].size, windows[1].size]
  return [{ ...result, shape: [batch!, channels, ...out] }]
}

function poolWindows(
  geometry: ReturnType<typeof convolutionAttributes>,
  axis: 0 | 1,
  ceilMode: boolean,
): Windows {
  const { autoPad } = geometry
  const kernel = geometry.kernel[axis]
  const stride = geometry.strides[axis]
  const dilation = geometry.dilations[axis]
  const input = geometry.input[axis]
  const extent = dilation * (kernel - 1) + 1
  if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
    const size = Math.ceil(input / stride)
    const total = Math.max(0, (size - 1) * stride + extent - input)
    const padBegin = autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
    return { kernel, stride, dilation, padBegin, size }
  }
  const padBegin = autoPad === 'VALID' ? 0 : geometry.padBegin[axis]
  const padEnd = autoPad === 'VALID' ? 0 : geometry.padEnd[axis]
  const room = (input + padBegin + padEnd - extent) / stride
  let size = (ceilMode ? Math.ceil(room) : Math.floor(room)) + 1
  // A window may not begin in the padding behind the tensor.
  if (ceilMode && (size - 1) * stride >= input + padBegin) size--
  return { kernel, stride, dilation, padBegin, size }
}

export const lowerGlobalMaxPool: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const axes = value.shape.map((_, axis) => axis).slice(2)
  const rows = asRows(lowering, node, value, axes)
  return [rows.restore(emitRowMaximum(lowering, node, rows))]
}

function reduceExtreme(sign: 1 | -1): Lower {
  return (node, inputs, lowering) => {
    const given = activationInput(node, inputs, 0)
    const axes = reducedAxes(node, inputs, given.shape.length)
    if (axes.length === 0) return [given]
    const value = sign === 1 ? given : negated(lowering, node, given)
    const rows = asRows(lowering, node, value, axes)
    const largest = rows.restore(emitRowMaximum(lowering, node, rows))
    const result = sign === 1 ? largest : negated(lowering, node, largest)
    return [finishReduction(node, result, axes)]
  }
}

export const lowerReduceMax: Lower = reduceExtreme(1)
export const lowerReduceMin: Lower = reduceExtreme(-1)

const scalar = (value: number): FloatTensor => ({ shape: [], data: Float64Array.of(value) })

function negated(lowering: Lowering, node: OnnxNode, value: Activation): Activation {
  return emitElementwise(lowering, node, value, { scale: scalar(-1) })
}

/** `sign = 1`: the larger of two, b + relu(a − b); `sign = −1`: the smaller, b − relu(b − a). */
function extreme(sign: 1 | -1): Lower {
  const ofTwo = (node: OnnxNode, lowering: Lowering, a: Value, b: Value): Value => {
    const [value, other] = a.kind === 'activation' ? [a, b] : [b as Activation, a]
    if (broadcastShape(value.shape, other.shape) === undefined)
      throw nodeError(node, 'the shapes of the operands do not fit')
    const mine = expandTo(lowering, node, value, other.shape)
    if (other.kind === 'constant') return withConstant(node, lowering, mine, other)
    const yours = expandTo(lowering, node, other, value.shape)
    const excess = emitElementwise(
      lowering,
      node,
      emitSum(lowering, node, [
        { value: mine, weight: scalar(sign) },
        { value: yours, weight: scalar(-sign) },
      ]),
      { activation: [{ op: 'relu' }] },
    )
    return emitSum(lowering, node, [
      { value: yours, weight: scalar(1) },
      { value: excess, weight: scalar(sign) },
    ])
  }
  const withConstant = (
    node: OnnxNode,
    lowering: Lowering,
    value: Activation,
    bound: Constant,
  ): Value => {
    requireFloat(node, bound, 'constant operand')
    const limit = uniformValue(bound)
    if (limit !== undefined) {
      const [min, max] = sign === 1 ? [limit, Infinity] : [-Infinity, limit]
      return emitElementwise(lowering, node, value, { activation: [{ op: 'clip', min, max }] })
    }
    const excess = emitElementwise(lowering, node, value, {
      scale: scalar(sign),
      offset: { ...bound, data: bound.data.map((b) => -sign * b) },
      activation: [{ op: 'relu' }],
    })
    return emitElementwise(lowering, node, excess, { scale: scalar(sign), offset: bound })
  }
  return (node, inputs, lowering) => [
    inputs
      .map((_, index) => required(node, inputs, index))
      // Constants first would meet no activation to be compared with.
      .sort((a, b) => Number(a.kind === 'constant') - Number(b.kind === 'constant'))
      .reduce((a, b) => ofTwo(node, lowering, a, b)),
  ]
}

export const lowerMax: Lower = extreme(1)
export const lowerMin: Lower = extreme(-1)
