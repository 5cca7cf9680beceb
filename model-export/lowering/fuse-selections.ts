import { termInputs } from '../einsum.js'
import type {
  ConvGeometry,
  FloatAffine,
  FloatModel,
  FloatTensor,
  FloatTerm,
  LinearFloatTerm,
} from '../float-model.js'
import { prepareTerm } from '../linear-terms.js'
import { elementCount } from '../tensor-index.js'
import { compact, expand } from './compact.js'
import { joinNames, readersOf } from './uses.js'

type Conv = Extract<LinearFloatTerm, { kind: 'conv' }>
type ConvTranspose = Extract<LinearFloatTerm, { kind: 'convTranspose' }>

/**
 * Folds layers that only move, repeat or drop elements (Concat, Slice, Pad, nearest-neighbour Resize)
 * into the convolutions and matrix products behind them, where all readers can take them in: a
 * convolution of a concatenation is a sum of convolutions, one of a padded tensor has more padding, one
 * of a tensor of repeated pixels is a transposed convolution.
 */
export function fuseSelections(model: FloatModel): FloatModel {
  const nodes = new Map(model.nodes.map((node) => [node.output, node]))
  for (const { output } of model.nodes) {
    const selection = nodes.get(output)
    if (output === model.output.name || selection?.kind !== 'affine') continue
    if (!isLinear(selection)) continue
    const readers = readersOf({ ...model, nodes: [...nodes.values()] }).get(output) ?? new Set()
    const replaced = [...readers].map((name) => {
      const reader = nodes.get(name)!
      return reader.kind === 'affine' ? takeIn(reader, selection) : undefined
    })
    if (replaced.length === 0 || replaced.includes(undefined)) continue
    for (const node of replaced) nodes.set(node!.output, node!)
    nodes.delete(output)
  }
  return { ...model, nodes: [...nodes.values()] }
}

function isLinear({ terms, activation }: FloatAffine): boolean {
  return activation.length === 0 && terms.every((term) => term.kind !== 'einsum')
}

/** The reader, made to read what the selection reads. */
function takeIn(reader: FloatAffine, selection: FloatAffine): FloatAffine | undefined {
  const terms: FloatTerm[] = []
  const shift =
    selection.bias &&
    (reader.bias === undefined
      ? new Float64Array(elementCount(reader.shape))
      : expand(reader.bias, reader.shape))
  for (const term of reader.terms) {
    if (!termInputs(term).includes(selection.output)) {
      terms.push(term)
      continue
    }
    for (const inner of selection.terms) {
      const composed = compose(term, inner as LinearFloatTerm)
      if (composed === undefined) return undefined
      terms.push(composed)
    }
    if (selection.bias !== undefined && shift !== undefined)
      prepareTerm(term as LinearFloatTerm, reader.shape)(
        expand(selection.bias, selection.shape),
        shift,
      )
  }
  const { exact, bias, ...rest } = reader
  const name = joinNames(selection.name, reader.name)
  const both =
    exact === undefined || selection.exact === undefined
      ? undefined
      : { like: selection.exact.like, clamped: exact.clamped && selection.exact.clamped }
  const own = shift === undefined ? bias : compact({ shape: reader.shape, data: shift })
  return {
    ...rest,
    name,
    terms,
    ...(own === undefined ? {} : { bias: own }),
    ...(both === undefined ? {} : { exact: both }),
  }
}

/** `outer ∘ inner` as one term, or undefined. */
function compose(outer: FloatTerm, inner: LinearFloatTerm): FloatTerm | undefined {
  if (outer.kind === 'gemm') {
    return inner.kind === 'gemm' && inner.rows === outer.rows && selects(inner.weight)
      ? { ...inner, weight: multiply(outer.weight, inner.weight) }
      : undefined
  }
  if (outer.kind !== 'conv' && outer.kind !== 'convTranspose') return undefined
  if (inner.kind === 'conv' && isChannelMap(inner)) return overChannels(outer, inner)
  if (outer.kind !== 'conv') return undefined
  if (inner.kind === 'conv') return overWindow(outer, inner)
  return inner.kind === 'convTranspose' ? overRepeated(outer, inner) : undefined
}

/** Whether a matrix only picks: at most one entry a row, and that is 1. */
function selects({ shape, data }: FloatTensor): boolean {
  const columns = shape[1]!
  for (let start = 0; start < data.length; start += columns) {
    let seen = false
    for (let i = start; i < start + columns; i++) {
      if (data[i] === 0) continue
      if (data[i] !== 1 || seen) return false
      seen = true
    }
  }
  return true
}

/** The product of two matrices, the second of which selects. */
function multiply(left: FloatTensor, right: FloatTensor): FloatTensor {
  const [rows = 0, middle = 0] = left.shape
  const columns = right.shape[1]!
  const data = new Float64Array(rows * columns)
  for (let m = 0; m < middle; m++) {
    const column = right.data.subarray(m * columns, (m + 1) * columns).indexOf(1)
    if (column < 0) continue
    for (let row = 0; row < rows; row++)
      data[row * columns + column]! += left.data[row * middle + m]!
  }
  return { shape: [rows, columns], data }
}

/** A convolution of one tap in place that picks channels. */
function isChannelMap(term: Conv): boolean {
  const [outputs = 0, inputs = 0, height, width] = term.weight.shape
  return (
    height === 1 &&
    width === 1 &&
    term.groups === 1 &&
    isInPlace(term) &&
    selects({ shape: [outputs, inputs], data: term.weight.data })
  )
}

function isInPlace(term: ConvGeometry): boolean {
  return (
    term.strides.every((stride) => stride === 1) &&
    term.padBegin.every((pad) => pad === 0) &&
    term.inputHeight === term.outputHeight &&
    term.inputWidth === term.outputWidth
  )
}

function overChannels(outer: Conv | ConvTranspose, inner: Conv): FloatTerm | undefined {
  if (outer.groups !== 1) return undefined
  // A window of the same number of elements is no view of the same plane.
  if (outer.inputHeight !== inner.outputHeight || outer.inputWidth !== inner.outputWidth)
    return undefined
  const [a = 0, b = 0, height = 0, width = 0] = outer.weight.shape
  const taps = height * width
  const transposed = outer.kind === 'convTranspose'
  const outputs = transposed ? b : a
  const { inputChannels, outputChannels: middle } = inner
  const data = new Float64Array(outputs * inputChannels * taps)
  const place = (output: number, input: number, inputs: number): number =>
    (transposed ? input * outputs + output : output * inputs + input) * taps
  for (let m = 0; m < middle; m++) {
    const column = inner.weight.data.subarray(m * inputChannels, (m + 1) * inputChannels).indexOf(1)
    if (column < 0) continue
    for (let output = 0; output < outputs; output++) {
      const from = place(output, m, middle)
      const to = place(output, column, inputChannels)
      for (let tap = 0; tap < taps; tap++) data[to + tap]! += outer.weight.data[from + tap]!
    }
  }
  const channels = transposed ? [inputChannels, outputs] : [outputs, inputChannels]
  const weight = { shape: [...channels, height, width], data }
  return { ...outer, input: inner.input, inputChannels, weight }
}

/** A convolution by channel of one tap and stride 1, whose weights are all 1. */
function isWindow(term: Conv): boolean {
  return (
    term.weight.data.length === term.inputChannels &&
    term.groups === term.inputChannels &&
    term.outputChannels === term.inputChannels &&
    term.strides.every((stride) => stride === 1) &&
    term.weight.data.every((weight) => weight === 1)
  )
}

function overWindow(outer: Conv, inner: Conv): FloatTerm | undefined {
  if (!isWindow(inner) || !readsPlane(outer, inner)) return undefined
  const whole = ([0, 1] as const).every((axis) => {
    const size = axis === 0 ? inner.inputHeight : inner.inputWidth
    const seen = axis === 0 ? inner.outputHeight : inner.outputWidth
    const count = axis === 0 ? outer.outputHeight : outer.outputWidth
    const kernel = outer.weight.shape[2 + axis]!
    const last =
      (count - 1) * outer.strides[axis] +
      (kernel - 1) * outer.dilations[axis] -
      outer.padBegin[axis]
    // What the convolution's own padding hides must not be in the tensor either.
    const pad = inner.padBegin[axis]
    return (outer.padBegin[axis] <= 0 || pad >= 0) && (last < seen || seen >= size + pad)
  })
  if (!whole) return undefined
  const { inputHeight, inputWidth, input } = inner
  const padBegin = [
    outer.padBegin[0] + inner.padBegin[0],
    outer.padBegin[1] + inner.padBegin[1],
  ] as const
  return { ...outer, input, inputHeight, inputWidth, padBegin }
}

function readsPlane(outer: ConvGeometry, inner: ConvGeometry): boolean {
  return (
    outer.inputChannels === inner.outputChannels &&
    outer.inputHeight === inner.outputHeight &&
    outer.inputWidth === inner.outputWidth
  )
}

/**
 * A convolution of repeated pixels. With v = u·s + r − q for the repeated pixel and y = v − k + p:
 * y = u·s + j − (K − 1 + q − p), j = r − k + K − 1.
 */
function overRepeated(outer: Conv, inner: ConvTranspose): FloatTerm | undefined {
  const { strides, padBegin } = inner
  const [, , repeatHeight = 0, repeatWidth = 0] = inner.weight.shape
  const repeat = [repeatHeight, repeatWidth] as const
  const sizes = [
    [inner.inputHeight, inner.outputHeight],
    [inner.inputWidth, inner.outputWidth],
  ] as const
  const fits =
    readsPlane(outer, inner) &&
    inner.groups === inner.inputChannels &&
    inner.outputChannels === inner.inputChannels &&
    inner.weight.data.every((weight) => weight === 1) &&
    inner.dilations.every((dilation) => dilation === 1) &&
    outer.dilations.every((dilation) => dilation === 1) &&
    outer.strides.every((stride) => stride === 1) &&
    // Nothing of it is cut off, so that behind its border there is nothing.
    ([0, 1] as const).every((axis) => {
      const [size, seen] = sizes[axis]
      const end = (size - 1) * strides[axis] + repeat[axis] - padBegin[axis]
      return padBegin[axis] <= 0 && end <= seen
    })
  if (!fits) return undefined
  const [, , kernelHeight = 0, kernelWidth = 0] = outer.weight.shape
  const height = kernelHeight + repeatHeight - 1
  const width = kernelWidth + repeatWidth - 1
  const { groups, inputChannels, outputChannels } = outer
  const groupInputs = inputChannels / groups
  const groupOutputs = outputChannels / groups
  const data = new Float64Array(inputChannels * groupOutputs * height * width)
  let at = 0
  for (let output = 0; output < outputChannels; output++) {
    const group = Math.floor(output / groupOutputs)
    for (let i = 0; i < groupInputs; i++) {
      const pair = (group * groupInputs + i) * groupOutputs + (output % groupOutputs)
      for (let ky = 0; ky < kernelHeight; ky++)
        for (let kx = 0; kx < kernelWidth; kx++) {
          const weight = outer.weight.data[at++]!
          for (let ry = 0; ry < repeatHeight; ry++)
            for (let rx = 0; rx < repeatWidth; rx++) {
              const [jy, jx] = [ry - ky + kernelHeight - 1, rx - kx + kernelWidth - 1]
              data[(pair * height + jy) * width + jx]! += weight
            }
        }
    }
  }
  return {
    kind: 'convTranspose',
    input: inner.input,
    weight: { shape: [inputChannels, groupOutputs, height, width], data },
    inputChannels,
    inputHeight: inner.inputHeight,
    inputWidth: inner.inputWidth,
    outputChannels,
    outputHeight: outer.outputHeight,
    outputWidth: outer.outputWidth,
    strides,
    dilations: [1, 1],
    padBegin: [
      kernelHeight - 1 + padBegin[0] - outer.padBegin[0],
      kernelWidth - 1 + padBegin[1] - outer.padBegin[1],
    ],
    groups,
  }
}
