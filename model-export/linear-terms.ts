import type { LinearFloatTerm } from './float-model.js'
import type { LinearIntegerTerm } from './integer-model.js'
import { prepareNative } from './native-linear.js'
import { broadcastIndex, gather } from './tensor-index.js'

/** Bound once: these loops are hot, and a test runner's realm looks globals up slowly. */
const { abs, floor } = Math

/** A linear map that is ready to run: adds its value at `input` to `accumulator`. */
export type LinearMap = (input: Float64Array, accumulator: Float64Array) => void

type Term = LinearFloatTerm | LinearIntegerTerm
type Convolution = Extract<Term, { kind: 'conv' | 'convTranspose' }>

/**
 * Prepares one term: weights become doubles in the order in which the loops read them. The sums are
 * exact as long as they stay below 2^53, whatever their order. Large maps run in native code where it is
 * built, with equal results.
 *
 * @param term - the linear map, over integers or reals
 * @param shape - shape of the node's output
 * @param absolute - with the absolute values of the weights, for bounds
 */
export function prepareTerm(term: Term, shape: readonly number[], absolute = false): LinearMap {
  return prepareNative(term, absolute) ?? preparePortable(term, shape, absolute)
}

/** `prepareTerm` without native code: the definition. */
export function preparePortable(term: Term, shape: readonly number[], absolute = false): LinearMap {
  const weigh = absolute ? abs : (weight: number) => weight
  if (term.kind === 'gemm') return prepareGemm(term, weigh)
  if (term.kind === 'elementwise') {
    const { weight } = term
    const weights = gather(weight.data, broadcastIndex(weight.shape, shape))
    if (absolute) for (let i = 0; i < weights.length; i++) weights[i] = abs(weights[i]!)
    return (input, accumulator) => {
      for (let i = 0; i < weights.length; i++) accumulator[i]! += weights[i]! * input[i]!
    }
  }
  return prepareConvolution(term, weigh)
}

function prepareGemm(
  term: Extract<Term, { kind: 'gemm' }>,
  weigh: (weight: number) => number,
): LinearMap {
  const { rows } = term
  const [outputs = 0, inputs = 0] = term.weight.shape
  const weights = Float64Array.from(term.weight.data, weigh)
  return (input, accumulator) => {
    for (let row = 0; row < rows; row++) {
      const x = input.subarray(row * inputs, (row + 1) * inputs)
      for (let o = 0; o < outputs; o++)
        accumulator[row * outputs + o]! += dot(x, weights, o * inputs)
    }
  }
}

/** Four independent sums, so that additions do not wait for each other. */
function dot(x: Float64Array, weights: Float64Array, start: number): number {
  const length = x.length
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  let i = 0
  for (; i + 3 < length; i += 4) {
    a += x[i]! * weights[start + i]!
    b += x[i + 1]! * weights[start + i + 1]!
    c += x[i + 2]! * weights[start + i + 2]!
    d += x[i + 3]! * weights[start + i + 3]!
  }
  for (; i < length; i++) a += x[i]! * weights[start + i]!
  return a + b + c + d
}

/**
 * Conv and ConvTranspose are the same relation between input and output positions with the roles of
 * the two exchanged. One axis of one kernel tap pairs `t·innerStep + innerStart` (input) with
 * `t·outerStep + outerStart` (output) for t in [0, count).
 */
type AxisTap = {
  readonly count: number
  readonly inputStart: number
  readonly inputStep: number
  readonly outputStart: number
  readonly outputStep: number
}

function axisTaps(term: Convolution, axis: 0 | 1): readonly AxisTap[] {
  const transposed = term.kind === 'convTranspose'
  const inputSize = axis === 0 ? term.inputHeight : term.inputWidth
  const outputSize = axis === 0 ? term.outputHeight : term.outputWidth
  const kernel = term.weight.shape[2 + axis]!
  const stride = term.strides[axis]
  // The driving side runs over all its positions t, the other one is at t·stride + offset.
  const [driving, driven] = transposed ? [inputSize, outputSize] : [outputSize, inputSize]
  return Array.from({ length: kernel }, (_, k) => {
    const offset = k * term.dilations[axis] - term.padBegin[axis]
    const first = Math.max(0, Math.ceil(-offset / stride))
    const end = Math.min(driving, Math.floor((driven - 1 - offset) / stride) + 1)
    const drivenStart = first * stride + offset
    return {
      count: Math.max(0, end - first),
      inputStart: transposed ? first : drivenStart,
      inputStep: transposed ? 1 : stride,
      outputStart: transposed ? drivenStart : first,
      outputStep: transposed ? stride : 1,
    }
  })
}

function prepareConvolution(term: Convolution, weigh: (weight: number) => number): LinearMap {
  const weights = tapMajorWeights(term, weigh)
  const rows = axisTaps(term, 0)
  const columns = axisTaps(term, 1)
  // The inner loop should be long: over output channels where there are many, else along rows.
  const wide = term.outputChannels / term.groups >= 8
  return wide
    ? convolveByChannels(term, weights, rows, columns)
    : convolveByRows(term, weights, rows, columns)
}

/** Weights as kernel row × kernel column × input channel × output channel of the group. */
function tapMajorWeights(term: Convolution, weigh: (weight: number) => number): Float64Array {
  const { inputChannels, outputChannels, groups } = term
  const [, , height = 0, width = 0] = term.weight.shape
  const taps = height * width
  const groupInputs = inputChannels / groups
  const groupOutputs = outputChannels / groups
  const result = new Float64Array(taps * inputChannels * groupOutputs)
  let at = 0
  for (let tap = 0; tap < taps; tap++)
    for (let ci = 0; ci < inputChannels; ci++)
      for (let co = 0; co < groupOutputs; co++) {
        const from =
          term.kind === 'convTranspose'
            ? ci * groupOutputs + co
            : (floor(ci / groupInputs) * groupOutputs + co) * groupInputs + (ci % groupInputs)
        result[at++] = weigh(term.weight.data[from * taps + tap]!)
      }
  return result
}

/** For every pair of positions, a row of weights over output channels for each input that is not zero. */
function convolveByChannels(
  term: Convolution,
  weights: Float64Array,
  rows: readonly AxisTap[],
  columns: readonly AxisTap[],
): LinearMap {
  const { inputChannels, inputWidth, outputChannels, outputWidth, groups } = term
  const inputArea = term.inputHeight * inputWidth
  const outputArea = term.outputHeight * outputWidth
  const groupInputs = inputChannels / groups
  const groupOutputs = outputChannels / groups
  const scratch = new Float64Array(outputArea * outputChannels)
  return (input, accumulator) => {
    scratch.fill(0)
    for (let ky = 0; ky < rows.length; ky++) {
      const row = rows[ky]!
      for (let kx = 0; kx < columns.length; kx++) {
        const column = columns[kx]!
        const tap = (ky * columns.length + kx) * inputChannels * groupOutputs
        for (let ty = 0; ty < row.count; ty++) {
          const inputRow = (row.inputStart + ty * row.inputStep) * inputWidth
          const outputRow = (row.outputStart + ty * row.outputStep) * outputWidth
          for (let tx = 0; tx < column.count; tx++) {
            const from = inputRow + column.inputStart + tx * column.inputStep
            const to = (outputRow + column.outputStart + tx * column.outputStep) * outputChannels
            for (let ci = 0; ci < inputChannels; ci++) {
              const x = input[ci * inputArea + from]!
              if (x === 0) continue
              const w = tap + ci * groupOutputs
              const o = groups === 1 ? to : to + floor(ci / groupInputs) * groupOutputs
              for (let co = 0; co < groupOutputs; co++) scratch[o + co]! += x * weights[w + co]!
            }
          }
        }
      }
    }
    for (let co = 0; co < outputChannels; co++)
      for (let at = 0; at < outputArea; at++)
        accumulator[co * outputArea + at]! += scratch[at * outputChannels + co]!
  }
}

/** For every weight that is not zero, all pairs of positions, a row at a time. */
function convolveByRows(
  term: Convolution,
  weights: Float64Array,
  rows: readonly AxisTap[],
  columns: readonly AxisTap[],
): LinearMap {
  const { inputChannels, inputWidth, outputChannels, outputWidth, groups } = term
  const inputArea = term.inputHeight * inputWidth
  const outputArea = term.outputHeight * outputWidth
  const groupInputs = inputChannels / groups
  const groupOutputs = outputChannels / groups
  return (input, accumulator) => {
    let at = 0
    for (let ky = 0; ky < rows.length; ky++) {
      const row = rows[ky]!
      for (let kx = 0; kx < columns.length; kx++) {
        const column = columns[kx]!
        const { count, inputStep, outputStep } = column
        for (let ci = 0; ci < inputChannels; ci++) {
          const firstOutput = floor(ci / groupInputs) * groupOutputs
          for (let co = 0; co < groupOutputs; co++) {
            const weight = weights[at++]!
            if (weight === 0) continue
            for (let ty = 0; ty < row.count; ty++) {
              let from =
                ci * inputArea +
                (row.inputStart + ty * row.inputStep) * inputWidth +
                column.inputStart
              let to =
                (firstOutput + co) * outputArea +
                (row.outputStart + ty * row.outputStep) * outputWidth +
                column.outputStart
              for (let tx = 0; tx < count; tx++) {
                accumulator[to]! += weight * input[from]!
                from += inputStep
                to += outputStep
              }
            }
          }
        }
      }
    }
  }
}
