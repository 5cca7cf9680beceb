import type { LinearFloatTerm } from './float-model.js'
import type { LinearIntegerTerm } from './integer-model.js'
import { loadAddon } from './native-addon.js'

type Term = LinearFloatTerm | LinearIntegerTerm

/** Multiplications from which on a call costs less than it saves. */
const LEAST_WORK = 2 ** 18

/** The functions of `prover/native/src/linear/bindings.rs`. */
type NativeLinear = {
  readonly linearConvolutionSize: (geometry: Geometry) => number
  readonly linearConvolutionLayOut: (
    geometry: Geometry,
    weights: Float64Array | Int32Array,
    absolute: boolean,
    to: Float64Array,
  ) => void
  readonly linearConvolutionAdd: (
    geometry: Geometry,
    weights: Float64Array,
    input: Float64Array,
    accumulator: Float64Array,
  ) => void
  readonly linearMatrixAdd: (
    rows: number,
    weights: Float64Array,
    input: Float64Array,
    accumulator: Float64Array,
  ) => void
}

/** `LinearGeometry` of `prover/native/src/linear/geometry.rs`. */
type Geometry = Pick<
  Convolution,
  | 'inputChannels'
  | 'inputHeight'
  | 'inputWidth'
  | 'outputChannels'
  | 'outputHeight'
  | 'outputWidth'
  | 'strides'
  | 'dilations'
  | 'padBegin'
  | 'groups'
> & { readonly transposed: boolean; readonly kernel: readonly number[] }

type Convolution = Extract<Term, { kind: 'conv' | 'convTranspose' }>

/**
 * A large linear map in native code, on all cores: the same sums in the same order as in
 * `linear-terms.ts`, so the same doubles to the bit.
 *
 * @param absolute - with the absolute values of the weights
 * @param leastWork - multiplications from which on a map is large
 * @returns nothing for small maps, and where the addon is not built
 */
export function prepareNative(
  term: Term,
  absolute: boolean,
  leastWork = LEAST_WORK,
): ((input: Float64Array, accumulator: Float64Array) => void) | undefined {
  if (term.kind === 'elementwise' || work(term) < leastWork) return undefined
  const native = findNative()
  if (native === undefined) return undefined
  if (term.kind === 'gemm') {
    const weights = absolute
      ? Float64Array.from(term.weight.data, Math.abs)
      : Float64Array.from(term.weight.data)
    return (input, accumulator) => native.linearMatrixAdd(term.rows, weights, input, accumulator)
  }
  const geometry = geometryOf(term)
  const weights = new Float64Array(native.linearConvolutionSize(geometry))
  native.linearConvolutionLayOut(geometry, term.weight.data, absolute, weights)
  return (input, accumulator) => native.linearConvolutionAdd(geometry, weights, input, accumulator)
}

function work(term: Exclude<Term, { kind: 'elementwise' }>): number {
  const weights = term.weight.data.length
  if (term.kind === 'gemm') return term.rows * weights
  return term.kind === 'conv'
    ? term.outputHeight * term.outputWidth * weights
    : term.inputHeight * term.inputWidth * weights
}

function geometryOf(term: Convolution): Geometry {
  const { inputChannels, inputHeight, inputWidth, strides, dilations, padBegin, groups } = term
  const { outputChannels, outputHeight, outputWidth } = term
  return {
    transposed: term.kind === 'convTranspose',
    ...{ inputChannels, inputHeight, inputWidth, outputChannels, outputHeight, outputWidth },
    ...{ strides, dilations, padBegin, groups },
    kernel: term.weight.shape.slice(2),
  }
}

let found: NativeLinear | null | undefined

/** Without it everything works as well, only more slowly; also with one that was built before it had these. */
function findNative(): NativeLinear | undefined {
  if (found === undefined) {
    try {
      const addon = loadAddon() as NativeLinear
      found = typeof addon.linearConvolutionAdd === 'function' ? addon : null
    } catch {
      found = null
    }
  }
  return found ?? undefined
}
