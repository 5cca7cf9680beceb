import type { FloatTensor, FloatTerm, LinearFloatTerm } from '../float-model.js'
import { elementCount } from '../tensor-index.js'
import { compact, expand, uniformValue } from './compact.js'

/**
 * `scale ∘ term` as one term, or undefined where the linear map has no room for it: a convolution
 * takes a factor by channel, a Gemm over several rows one by column, a product of two tensors none.
 *
 * @param scale - broadcasts to `shape`
 * @param shape - of the node's output
 */
export function scaleOutput(
  term: FloatTerm,
  scale: FloatTensor,
  shape: readonly number[],
): FloatTerm | undefined {
  if (term.kind === 'einsum') return undefined
  const factor = uniformValue(scale)
  if (factor !== undefined)
    return withWeight(
      term,
      scaled(term.weight, () => factor),
    )
  if (term.kind === 'elementwise') {
    const weight = expand(term.weight, shape)
    const by = expand(scale, shape)
    return { ...term, weight: compact({ shape, data: weight.map((value, i) => value * by[i]!) }) }
  }
  const count = elementCount(shape)
  if (term.kind === 'gemm') {
    const columns = count / term.rows
    const by = alongAxis(expand(scale, shape), [term.rows, columns, 1])
    const inner = term.weight.shape[1]!
    return (
      by &&
      withWeight(
        term,
        scaled(term.weight, (at) => by[Math.floor(at / inner)]!),
      )
    )
  }
  const area = term.outputHeight * term.outputWidth
  const by = alongAxis(expand(scale, shape), [1, term.outputChannels, area])
  if (by === undefined) return undefined
  const taps = term.weight.shape[2]! * term.weight.shape[3]!
  if (term.kind === 'conv') {
    const filter = term.weight.shape[1]! * taps
    return withWeight(
      term,
      scaled(term.weight, (at) => by[Math.floor(at / filter)]!),
    )
  }
  const groupInputs = term.inputChannels / term.groups
  const groupOutputs = term.outputChannels / term.groups
  const channel = (at: number): number => {
    const pair = Math.floor(at / taps)
    const group = Math.floor(pair / groupOutputs / groupInputs)
    return group * groupOutputs + (pair % groupOutputs)
  }
  return withWeight(
    term,
    scaled(term.weight, (at) => by[channel(at)]!),
  )
}

/**
 * `term` of `scale ∘ input` as one term of `input`, or undefined where the linear map has no room.
 *
 * @param scale - broadcasts to `inputShape`
 * @param inputShape - of the tensor that the term reads
 * @param shape - of the node's output
 */
export function scaleInput(
  term: FloatTerm,
  scale: FloatTensor,
  inputShape: readonly number[],
  shape: readonly number[],
): FloatTerm | undefined {
  if (term.kind === 'einsum') return undefined
  const factor = uniformValue(scale)
  if (factor !== undefined)
    return withWeight(
      term,
      scaled(term.weight, () => factor),
    )
  const full = expand(scale, inputShape)
  if (term.kind === 'elementwise') return scaleOutput(term, { shape, data: full }, shape)
  if (term.kind === 'gemm') {
    const inner = term.weight.shape[1]!
    const by = alongAxis(full, [term.rows, inner, 1])
    return (
      by &&
      withWeight(
        term,
        scaled(term.weight, (at) => by[at % inner]!),
      )
    )
  }
  const area = term.inputHeight * term.inputWidth
  const by = alongAxis(full, [1, term.inputChannels, area])
  if (by === undefined) return undefined
  const taps = term.weight.shape[2]! * term.weight.shape[3]!
  const second = term.weight.shape[1]!
  if (term.kind === 'convTranspose') {
    return withWeight(
      term,
      scaled(term.weight, (at) => by[Math.floor(at / taps / second)]!),
    )
  }
  const groupOutputs = term.outputChannels / term.groups
  const channel = (at: number): number => {
    const pair = Math.floor(at / taps)
    return Math.floor(pair / second / groupOutputs) * second + (pair % second)
  }
  return withWeight(
    term,
    scaled(term.weight, (at) => by[channel(at)]!),
  )
}

function withWeight(term: LinearFloatTerm, weight: FloatTensor): FloatTerm {
  return { ...term, weight }
}

function scaled(weight: FloatTensor, factor: (at: number) => number): FloatTensor {
  return { shape: weight.shape, data: weight.data.map((value, at) => value * factor(at)) }
}

/** The values along the middle axis if they depend on nothing else. */
function alongAxis(
  data: Float64Array,
  [outer, middle, inner]: readonly [number, number, number],
): Float64Array | undefined {
  const small = compact({ shape: [outer, middle, inner], data })
  if (small.shape[0] !== 1 || small.shape[2] !== 1) return undefined
  return expand(small, [1, middle, 1])
}
