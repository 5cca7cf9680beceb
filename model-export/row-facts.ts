import { isSquare } from './einsum.js'
import type { AffineNode, IntegerTerm, Table, TensorId } from './integer-model.js'
import type { Bounds } from './intervals.js'

/*
 * What softmax and normalisations guarantee, and bounds of single elements do not show. With r computed
 * from a row x by a table,
 *
 *     r = T(Σ x), x ≥ 0:   Σ x·r ≤ most, and so each x·r         (probabilities add up to 1)
 *     r = T(Σ x²):         |x|·r ≤ sqrt(Σ x²)·r ≤ most           (a normalised value is at most √n)
 *
 * `most` is the largest product over the rows of T, each with the largest sum that looks it up.
 */

/** Of a tensor that holds a factor for each row of another. */
export type ScalesRows = {
  readonly of: TensorId
  readonly length: number
  /** Bound of |x · factor| of every element; where `sum`, also of the sum of a row, and x ≥ 0. */
  readonly most: number
  readonly sum: boolean
}

/** Of a tensor without negative elements: every row of `length` elements adds up to `most` or less. */
export type BoundedRows = { readonly length: number; readonly most: number }

export type RowFacts = {
  readonly scales?: ScalesRows
  readonly bounded?: BoundedRows
  /** One element is 1, all others are 0. */
  readonly oneHot?: true
}

/** Covers the rounding of a few operations on doubles. */
const SLACK = 1 + 2 ** -40

/** What is known of a node's output, given its table and what is known of its inputs. */
export function rowFacts(
  node: Pick<AffineNode, 'terms' | 'bias' | 'requantize' | 'accumulator' | 'quotient'>,
  table: Table,
  inputs: readonly (Bounds | undefined)[],
): RowFacts {
  const [term, ...others] = node.terms
  if (term === undefined || others.length > 0 || node.bias !== undefined) return {}
  const row = scalesOf(term, inputs)
  if (row?.sum === true) {
    const bounded = boundedRows(node, table, row)
    return bounded === undefined ? {} : { bounded }
  }
  const scales = asScales(term, node, table, inputs)
  return scales === undefined ? {} : { scales }
}

/** The factor that a product gives every row of its input, where something is known of it. */
export function scalesOf(
  term: IntegerTerm,
  inputs: readonly (Bounds | undefined)[],
): ScalesRows | undefined {
  if (term.kind !== 'einsum') return undefined
  const scales = inputs[term.operand]?.facts?.scales
  const [row, element, ...more] = term.inputAxes
  const fits =
    scales?.of === term.input &&
    row !== undefined &&
    element !== undefined &&
    more.length === 0 &&
    term.operandAxes.join() === `${row}` &&
    term.outputAxes.join() === `${row},${element}` &&
    term.sizes[element] === scales.length
  return fits ? scales : undefined
}

/** The bound of the rows that a product is contracted over, and which of its tensors has them. */
export function contractedRows(
  term: Extract<IntegerTerm, { kind: 'einsum' }>,
  inputs: readonly (Bounds | undefined)[],
): { readonly side: 'input' | 'operand'; readonly most: number } | undefined {
  const contracted = term.inputAxes.filter((label) => !term.outputAxes.includes(label))
  const [label] = contracted
  if (label === undefined || contracted.length > 1) return undefined
  for (const side of ['input', 'operand'] as const) {
    const bounded = inputs[term[side]]?.facts?.bounded
    const axes = side === 'input' ? term.inputAxes : term.operandAxes
    if (bounded?.length === term.sizes[label] && axes.at(-1) === label)
      return { side, most: bounded!.most }
  }
  return undefined
}

type Linear = Pick<AffineNode, 'requantize' | 'accumulator' | 'quotient'>

function asScales(
  term: IntegerTerm,
  node: Linear,
  table: Table,
  inputs: readonly (Bounds | undefined)[],
): ScalesRows | undefined {
  if (term.kind === 'gemm') {
    const [columns, length] = term.weight.shape as [number, number]
    const weight = term.weight.data[0]!
    const isSum = columns === 1 && weight > 0 && term.weight.data.every((w) => w === weight)
    if (!isSum || inputs[term.input]!.low.some((low) => low < 0)) return undefined
    const most = largestProduct(node, table, (sum) => sum / weight)
    return most === undefined ? undefined : { of: term.input, length, most, sum: true }
  }
  if (term.kind !== 'einsum' || term.input !== term.operand || !isSquare(term)) return undefined
  const [row, element, ...more] = term.inputAxes
  if (element === undefined || more.length > 0 || term.outputAxes.join() !== `${row}`)
    return undefined
  const most = largestProduct(node, table, Math.sqrt)
  const length = term.sizes[element]!
  return most === undefined ? undefined : { of: term.input, length, most, sum: false }
}

/** The largest `T(acc) · size(acc)` over all accumulators; undefined where T is negative. */
function largestProduct(
  { requantize, accumulator, quotient }: Linear,
  table: Table,
  size: (accumulator: number) => number,
): number | undefined {
  const { multiplier, shift } = requantize
  const power = 2 ** shift
  const half = shift > 0 ? power / 2 : 0
  let most = 0
  for (let q = quotient.min; q <= quotient.max; q++) {
    const value = table.values[q - table.first]!
    if (value < 0) return undefined
    const last = Math.min(accumulator.max, Math.floor(((q + 1) * power - half - 1) / multiplier))
    most = Math.max(most, value * size(Math.max(last, 0)))
  }
  return most * SLACK
}

/** Rounding moves a product by half a row at most, and none that is below half a row. */
function boundedRows(
  { requantize, quotient }: Linear,
  table: Table,
  { length, most }: ScalesRows,
): BoundedRows | undefined {
  let steepest = 0
  for (let q = quotient.min; q <= quotient.max; q++) {
    const value = table.values[q - table.first]!
    if (value < 0 || (q <= 0 && value > 0)) return undefined
    if (q > 0) steepest = Math.max(steepest, value / q)
  }
  const rows = (most * requantize.multiplier) / 2 ** requantize.shift
  return { length, most: steepest * (rows + Math.min(rows, length / 2)) * SLACK }
}
