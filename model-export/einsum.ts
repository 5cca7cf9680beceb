import { elementCount, gatherIndex, rowMajorStrides } from './tensor-index.js'

/** Bound once: these loops are hot, and a test runner's realm looks globals up slowly. */
const { abs, ceil, floor, max, min } = Math

/**
 * The axes of a product of two tensors, named by labels, as in NumPy's `einsum`: with the labels of
 * the output running over y and those of input and operand that it lacks over k,
 *
 *     output(y) = Σ_k input(y, k) · operand(y, k).
 *
 * A label stands in at least two of the three lists, at most once in each:
 *
 * | in input | in operand | in output | role |
 * |---|---|---|---|
 * | yes | yes | yes | the same index of all three |
 * | yes | yes | no | summed |
 * | yes | no | yes | the operand repeats along it |
 * | no | yes | yes | the input repeats along it |
 */
export type EinsumAxes = {
  /** Size of each label. */
  readonly sizes: readonly number[]
  /** Labels of each tensor's axes, outermost first: a row-major tensor is read with these axes. */
  readonly inputAxes: readonly number[]
  readonly operandAxes: readonly number[]
  readonly outputAxes: readonly number[]
}

/** Elements of the tensors that meet each other. */
type Pairs = {
  /** By output element: where its input and operand elements start. */
  readonly input: Int32Array
  readonly operand: Int32Array
  /** By summand: how far from there. */
  readonly inputStep: Int32Array
  readonly operandStep: Int32Array
}

/** Inclusive bounds of every element of a tensor. */
type Bounds = { readonly low: Float64Array; readonly high: Float64Array }

/** A product that is ready to run: adds its value to `accumulator`. */
export type Product = (
  input: Float64Array,
  operand: Float64Array,
  accumulator: Float64Array,
) => void

/** Elements of a tensor with these labels. */
export function einsumCount(axes: EinsumAxes, labels: readonly number[]): number {
  return elementCount(labels.map((label) => axes.sizes[label]!))
}

/** The labels that are summed, in the order of the input. */
export function contractedLabels(axes: EinsumAxes): readonly number[] {
  return axes.inputAxes.filter((label) => !axes.outputAxes.includes(label))
}

/**
 * What is wrong with the labels, in words; undefined for nothing.
 *
 * @example
 * einsumFault({ sizes: [3], inputAxes: [0], operandAxes: [0], outputAxes: [] }) // undefined: a dot product
 */
export function einsumFault(axes: EinsumAxes): string | undefined {
  const { sizes, inputAxes, operandAxes, outputAxes } = axes
  const lists = [inputAxes, operandAxes, outputAxes]
  for (const list of lists) {
    if (new Set(list).size !== list.length) return 'labels at most once a tensor'
    if (list.some((label) => sizes[label] === undefined)) return 'labels that have a size'
  }
  const lonely = sizes.some((_, label) => lists.filter((list) => list.includes(label)).length < 2)
  return lonely ? 'labels that two of input, operand and output have' : undefined
}

/** Prepares a product. Sums are exact as long as they stay below 2^53, whatever their order. */
export function prepareEinsum(axes: EinsumAxes): Product {
  const { input: inputs, operand: operands, inputStep, operandStep } = pairs(axes)
  return (input, operand, accumulator) => {
    for (let i = 0; i < inputs.length; i++) {
      const x = inputs[i]!
      const w = operands[i]!
      let sum = 0
      for (let k = 0; k < inputStep.length; k++)
        sum += input[x + inputStep[k]!]! * operand[w + operandStep[k]!]!
      accumulator[i]! += sum
    }
  }
}

/**
 * Adds the bounds of a product to those of the rest of an accumulator: `twiceCenter` += low + high,
 * `twiceRadius` += high − low, `magnitude` += the largest absolute value, for each output element.
 *
 * @param known - `square`: input and operand are always the same element, so products are not negative;
 * `limit`: no product is larger; `rows`: the summed elements of that side are not negative and add up to
 * `most` or less
 */
export function addProductBounds(
  axes: EinsumAxes,
  input: Bounds,
  operand: Bounds,
  known: {
    readonly square: boolean
    readonly limit: number
    readonly rows: { readonly side: 'input' | 'operand'; readonly most: number } | undefined
  },
  sums: {
    readonly twiceCenter: Float64Array
    readonly twiceRadius: Float64Array
    readonly magnitude: Float64Array
  },
): void {
  const { input: inputs, operand: operands, inputStep, operandStep } = pairs(axes)
  const { square, limit, rows } = known
  const other = rows?.side === 'input' ? operand : input
  for (let i = 0; i < inputs.length; i++) {
    let low = 0
    let high = 0
    let [lowest, highest] = [0, 0]
    let magnitude = 0
    for (let k = 0; k < inputStep.length; k++) {
      const x = inputs[i]! + inputStep[k]!
      const w = operands[i]! + operandStep[k]!
      const a = input.low[x]! * operand.low[w]!
      const b = input.low[x]! * operand.high[w]!
      const c = input.high[x]! * operand.low[w]!
      const d = input.high[x]! * operand.high[w]!
      const crosses = input.low[x]! < 0 && input.high[x]! > 0
      const least = max(square ? (crosses ? 0 : min(a, d)) : min(a, b, c, d), -floor(limit))
      const most = min(square ? max(a, d) : max(a, b, c, d), floor(limit))
      low += least
      high += most
      magnitude += max(abs(least), abs(most))
      const at = rows?.side === 'input' ? w : x
      lowest = min(lowest, other.low[at]!)
      highest = max(highest, other.high[at]!)
    }
    if (rows !== undefined) {
      low = max(low, ceil(rows.most * lowest))
      high = min(high, floor(rows.most * highest))
    }
    sums.twiceCenter[i]! += low + high
    sums.twiceRadius[i]! += high - low
    sums.magnitude[i]! += magnitude
  }
}

function pairs(axes: EinsumAxes): Pairs {
  const { sizes, inputAxes, operandAxes, outputAxes } = axes
  const contracted = contractedLabels(axes)
  const walk = (own: readonly number[], over: readonly number[]): Int32Array => {
    const strides = rowMajorStrides(own.map((label) => sizes[label]!))
    return gatherIndex(
      over.map((label) => sizes[label]!),
      over.map((label) => strides[own.indexOf(label)] ?? 0),
    )
  }
  return {
    input: walk(inputAxes, outputAxes),
    operand: walk(operandAxes, outputAxes),
    inputStep: walk(inputAxes, contracted),
    operandStep: walk(operandAxes, contracted),
  }
}

/** Whether the product multiplies every element with itself, given that both tensors are the same. */
export function isSquare(axes: EinsumAxes): boolean {
  const { inputAxes, operandAxes } = axes
  return inputAxes.length === operandAxes.length && inputAxes.every((l, i) => l === operandAxes[i])
}

/** The tensors that a term reads, once for every time. */
export function termInputs<Tensor>(
  term: { readonly input: Tensor } & (
    | { readonly kind: 'einsum'; readonly operand: Tensor }
    | { readonly kind: 'gemm' | 'conv' | 'convTranspose' | 'elementwise' }
  ),
): readonly Tensor[] {
  return term.kind === 'einsum' ? [term.input, term.operand] : [term.input]
}
