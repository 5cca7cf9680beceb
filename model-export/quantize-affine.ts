import type { FloatAffine, FloatTensor, FloatTerm } from './float-model.js'
import type { AffineNode, IntegerTerm, Table, TensorId } from './integer-model.js'
import {
  accumulatorBounds,
  type Bounds,
  boundsRange,
  quotientBounds,
  type Range,
  tableBounds,
} from './intervals.js'
import { PlatemarkError } from './platemark-error.js'
import type { Profile } from './profiles.js'
import {
  describeChain,
  evaluateUnary,
  hasPole,
  isCurved,
  isRounding,
  type UnaryChain,
} from './unary.js'

/** Bound once: these loops are hot, and a test runner's realm looks globals up slowly. */
const { abs, ceil, floor, log2, max, min, round } = Math

/** What the integers of a node's output mean: clamp(round(factor · real + offset), min, max). */
export type OutputCode = {
  readonly factor: number
  readonly offset: number
  readonly min: number
  readonly max: number
  /** Whether `factor` may become smaller where the table has no room for all steps: not for pixels. */
  readonly elastic: boolean
  /** Real width of a row, and the table over a range of rows, where layers have these in common. */
  readonly rows?: { readonly width: number; readonly table: (range: Range) => Table }
}

/** The integer tensors that a node may read: id, real value of 1, proven bounds. */
export type QuantizedInput = { readonly id: TensorId; readonly scale: number }

export type QuantizedAffine = {
  readonly node: Omit<AffineNode, 'output' | 'table'>
  readonly table: Table
  readonly bounds: Bounds
  /** Real value of the output integer 1, were the offset 0. */
  readonly scale: number
}

/**
 * Turns one real affine node into integers. Weights of all terms share the accumulator's scale A: the
 * weight scale of a term is A / (scale of its input). A row of the table spans step = A · 2^shift.
 *
 * A is at least what keeps the largest weight within its bits, and is enlarged, by less than 2, so that
 * `step` is what the table wants: where the activation is piecewise linear with slope 1, one row per
 * output integer, so that the table is a clamped identity and rounds nothing a second time. (Where the
 * integers of rows and outputs are a fraction apart, as with pixels of [−1, 1], the bias makes it up.)
 *
 * @param inputs - by tensor name
 * A product of two tensors has the scale that it has: there a row is the power of two of it that is next
 * to what the table wants, and the output's integers follow the rows.
 *
 * @param bounds - proven bounds by tensor id
 * @param domain - real values before the activation on usual seeds, where that is known: rows are chosen
 * for these, and cover all that is possible
 * @throws {PlatemarkError} where the numbers get too large.
 */
export function quantizeAffine(
  node: FloatAffine,
  code: OutputCode,
  profile: Profile,
  inputs: ReadonlyMap<string, QuantizedInput>,
  bounds: readonly Bounds[],
  domain?: Range,
): QuantizedAffine {
  const exact = node.exact && quantizeExactly(node, node.exact, profile, inputs, bounds)
  if (exact !== undefined) return exact
  if (code.rows !== undefined) return quantizeToRows(node, code, code.rows, profile, inputs, bounds)
  const product = productScale(node, inputs)
  const finest = product ?? finestScale(node, inputs, profile.weightBits)
  const mostBits = mostRemainderBits(node, inputs, profile)
  const estimate = boundsRange(accumulators(node, finest, inputs, bounds))
  const usual = intersect({ min: estimate.min * finest, max: estimate.max * finest }, domain)
  const { slope, at } = steepest(node.activation, usual.min, usual.max)
  const width = (estimate.max - estimate.min + 1) * finest
  // A function that is constant on the interval needs hardly any rows.
  const pole = hasPole(node.activation)
  const wanted = pole
    ? relativeStep(node.activation, usual, profile)
    : slope > 0
      ? wantedStep(node.activation, code, slope, profile)
      : width
  // A variance may be a thousandth of another one, and has a row for each all the same.
  const tableBits = pole ? max(profile.tableBits, POLE_TABLE_BITS) : profile.tableBits
  const smallest = width / 2 ** tableBits
  // Rounding may widen the interval a little beyond the estimate: then one more try with more room.
  for (let room = 1.001; room < 8; room *= 2) {
    const least = smallest * room
    const { step, shift } = chooseStep(wanted, least, finest, product !== undefined, mostBits)
    const scale = step / 2 ** shift
    const stretched = stretch(code, step, slope, node.activation, product !== undefined)
    const phase = alignment(node.activation, stretched, step, at)
    const linear = integerTerms(addToBias(node, phase * step), scale, inputs)
    const requantize = { multiplier: 1, shift }
    const accumulated = accumulatorBounds(linear, node.shape, bounds)
    const quotients = quotientBounds({ ...linear, requantize }, accumulated)
    const quotient = boundsRange(quotients)
    if (quotient.max - quotient.min >= 2 ** tableBits) continue
    const table = makeTable(node.activation, stretched, step, phase, quotient)
    return {
      node: {
        kind: 'affine',
        ...linear,
        requantize,
        accumulator: boundsRange(accumulated),
        quotient,
      },
      table,
      bounds: tableBounds(table, quotients),
      scale: 1 / stretched.factor,
    }
  }
  throw new PlatemarkError(`No table is wide enough for node ${node.name}.`, {
    expected: `at most 2^${tableBits} rows`,
    fix: 'Compile with fewer weight bits or more table bits.',
  })
}

/** Rows of the table of a function that goes to infinity. */
const POLE_TABLE_BITS = 16

/** The row that changes a value by a small part of itself, wherever the function is usually asked. */
function relativeStep(activation: UnaryChain, usual: Range, { activationBits }: Profile): number {
  const part = 2 ** (7 - max(activationBits, 10))
  let step = (usual.max - usual.min) / 2
  for (let i = 0; i <= 256; i++) {
    const x = usual.min + ((usual.max - usual.min) * i) / 256
    const near = step / 1024
    const value = evaluateUnary(activation, x)
    const slope = abs(evaluateUnary(activation, x + near) - value) / near
    if (slope > 0 && slope < Infinity) step = min(step, (part * abs(value)) / slope)
  }
  return step
}

/** The width of a row, scale · 2^shift, at least `smallest`, with a scale of at least `finest`. */
function chooseStep(
  wanted: number,
  smallest: number,
  finest: number,
  fixed: boolean,
  mostBits: (step: number) => number,
): { readonly step: number; readonly shift: number } {
  if (fixed) {
    const least = max(0, ceil(log2(smallest / finest)))
    const shift = max(least, floor(log2(wanted / finest)))
    return { step: finest * 2 ** shift, shift }
  }
  const step = max(wanted, smallest, finest)
  return { step, shift: min(floor(log2(step / finest)), mostBits(step)) }
}

/** Integers as they are: undefined where the table would get too long or the scales differ. */
function quantizeExactly(
  node: FloatAffine,
  { like, clamped }: NonNullable<FloatAffine['exact']>,
  profile: Profile,
  inputs: ReadonlyMap<string, QuantizedInput>,
  bounds: readonly Bounds[],
): QuantizedAffine | undefined {
  const { id, scale } = inputs.get(like)!
  if (node.terms.some(({ input }) => inputs.get(input)!.scale !== scale)) return undefined
  const linear = integerTerms(node, scale, inputs)
  const requantize = { multiplier: 1, shift: 0 }
  const accumulated = accumulatorBounds(linear, node.shape, bounds)
  const accumulator = boundsRange(accumulated)
  if (accumulator.max - accumulator.min >= 2 ** profile.tableBits) return undefined
  const limits = clamped ? boundsRange(bounds[id]!) : accumulator
  const code = { factor: 1 / scale, offset: 0, min: -Infinity, max: Infinity, elastic: false }
  const within = clamped ? limits : { min: min(limits.min, 0), max: max(limits.max, 0) }
  const table = makeTable(node.activation, { ...code, ...within }, scale, 0, accumulator)
  return {
    node: { kind: 'affine', ...linear, requantize, accumulator, quotient: accumulator },
    table,
    bounds: tableBounds(table, accumulated),
    scale,
  }
}

/** The part of a range that is usual; all of it where the two do not meet. */
function intersect(range: Range, usual: Range | undefined): Range {
  if (usual === undefined) return range
  const both = { min: max(range.min, usual.min), max: min(range.max, usual.max) }
  return both.min < both.max ? both : range
}

/** The accumulator scale of a product of two tensors, which nobody can choose. */
function productScale(
  node: FloatAffine,
  inputs: ReadonlyMap<string, QuantizedInput>,
): number | undefined {
  const product = node.terms.find((term) => term.kind === 'einsum')
  return product && inputs.get(product.input)!.scale * inputs.get(product.operand)!.scale
}

/** As `quantizeAffine`, where the rows are given. */
function quantizeToRows(
  node: FloatAffine,
  code: OutputCode,
  { width, table: tableOf }: NonNullable<OutputCode['rows']>,
  profile: Profile,
  inputs: ReadonlyMap<string, QuantizedInput>,
  bounds: readonly Bounds[],
): QuantizedAffine {
  const product = productScale(node, inputs)
  const finest = product ?? finestScale(node, inputs, profile.weightBits)
  const mostBits = mostRemainderBits(node, inputs, profile)
  const most = max(0, floor(log2(width / finest)))
  const { step, shift } =
    product === undefined
      ? { step: width, shift: min(most, mostBits(width)) }
      : chooseStep(width, width, finest, true, mostBits)
  const linear = integerTerms(node, step / 2 ** shift, inputs)
  const requantize = { multiplier: 1, shift }
  const accumulated = accumulatorBounds(linear, node.shape, bounds)
  const quotients = quotientBounds({ ...linear, requantize }, accumulated)
  const quotient = boundsRange(quotients)
  const table = tableOf(quotient)
  const accumulator = boundsRange(accumulated)
  return {
    node: { kind: 'affine', ...linear, requantize, accumulator, quotient },
    table,
    bounds: tableBounds(table, quotients),
    scale: step / width / code.factor,
  }
}

/** Weights are rounded to this many bits, but no further, for the sake of short remainders. */
const LEAST_WEIGHT_BITS = 5

/** Two limbs: what onnxruntime's single precision tells apart, about. */
const ROUNDED_REMAINDER_BITS = 22

/** How many bits a remainder may have where a row is `step` wide. */
function mostRemainderBits(
  node: FloatAffine,
  inputs: ReadonlyMap<string, QuantizedInput>,
  { weightBits, remainderBits }: Profile,
): (step: number) => number {
  const coarsest = finestScale(node, inputs, min(weightBits, LEAST_WEIGHT_BITS))
  // A model that rounds by itself is to be met as it is.
  const limit = node.activation.some(isRounding)
    ? max(remainderBits, ROUNDED_REMAINDER_BITS)
    : remainderBits
  return (step) => max(limit, ceil(log2(step / coarsest)))
}

/** The smallest accumulator scale at which every weight fits its bits, and every bias 40 bits. */
function finestScale(
  node: FloatAffine,
  inputs: ReadonlyMap<string, QuantizedInput>,
  weightBits: number,
): number {
  const limit = 2 ** (weightBits - 1) - 1
  let scale = 0
  for (const term of node.terms) {
    if (term.kind === 'einsum') continue
    scale = max(scale, (largestOf(term.weight) * inputs.get(term.input)!.scale) / limit)
  }
  let bias = 0
  for (const value of node.bias?.data ?? []) bias = max(bias, abs(value))
  scale = max(scale, bias / 2 ** 40)
  return scale > 0 ? scale : 1
}

const largest = new WeakMap<FloatTensor, number>()

/** The largest magnitude of a weight; computed once, as every trial asks for it. */
function largestOf(weight: FloatTensor): number {
  let found = largest.get(weight)
  if (found === undefined) {
    found = 0
    for (const value of weight.data) found = max(found, abs(value))
    largest.set(weight, found)
  }
  return found
}

function accumulators(
  node: FloatAffine,
  scale: number,
  inputs: ReadonlyMap<string, QuantizedInput>,
  bounds: readonly Bounds[],
): Bounds {
  return accumulatorBounds(integerTerms(node, scale, inputs), node.shape, bounds)
}

function integerTerms(
  node: FloatAffine,
  scale: number,
  inputs: ReadonlyMap<string, QuantizedInput>,
): Pick<AffineNode, 'name' | 'terms' | 'bias'> {
  const { bias } = node
  return {
    name: node.name,
    terms: node.terms.map((term) => integerTerm(term, scale, inputs)),
    ...(bias === undefined
      ? {}
      : { bias: { shape: bias.shape, data: bias.data.map((b) => roundHalfUp(b / scale)) } }),
  }
}

function integerTerm(
  term: FloatTerm,
  scale: number,
  inputs: ReadonlyMap<string, QuantizedInput>,
): IntegerTerm {
  const input = inputs.get(term.input)!
  if (term.kind === 'einsum')
    return { ...term, input: input.id, operand: inputs.get(term.operand)!.id }
  const perUnit = input.scale / scale
  const { shape, data: real } = term.weight
  const data = new Int32Array(real.length)
  for (let i = 0; i < data.length; i++) data[i] = roundHalfUp(real[i]! * perUnit)
  const weight = { shape, data }
  return { ...term, input: input.id, weight }
}

/** ⌊x + 1/2⌋, without −0. */
function roundHalfUp(x: number): number {
  return floor(x + 0.5) + 0
}

/** The pre-activation that one table row should span. */
function wantedStep(
  activation: UnaryChain,
  code: OutputCode,
  slope: number,
  profile: Profile,
): number {
  return (isCurved(activation) ? profile.rowSpan : 1) / (slope * code.factor)
}

/**
 * An output finer than its table's rows has integers that are never used: where rows are coarser than
 * wanted, the output becomes as coarse. It still saturates at the same real value: otherwise the bounds of
 * a deep model grow from layer to layer, until one row of the last table spans many pixels.
 */
function stretch(
  code: OutputCode,
  step: number,
  slope: number,
  activation: UnaryChain,
  product: boolean,
): OutputCode {
  if (!code.elastic || isCurved(activation) || !(slope > 0)) return code
  const rows = 1 / (step * slope)
  const factor = product ? min(2 * code.factor, rows) : min(code.factor, rows)
  const shrink = factor / code.factor
  return { ...code, factor, min: floor(code.min * shrink), max: -floor(-code.max * shrink) }
}

/**
 * The largest slope of a chain on an interval, and a point amid where it has it: from points that are
 * dense around 0.
 */
export function steepest(
  activation: UnaryChain,
  low: number,
  high: number,
): { readonly slope: number; readonly at: number } {
  const radius = max(abs(low), abs(high))
  const points: number[] = [0]
  for (let i = 0; i <= 2048; i++) points.push(radius * 2 ** (-i / 64), -radius * 2 ** (-i / 64))
  for (let i = 0; i <= 256; i++) points.push(low + ((high - low) * i) / 256)
  const grid = points.filter((x) => x >= low && x <= high).sort((a, b) => a - b)
  const values = grid.map((x) => evaluateUnary(activation, x))
  const slopes = grid.map((x, i) => {
    const run = x - (grid[i - 1] ?? x)
    const rise = abs(values[i]! - values[i - 1]!)
    return run > 0 && rise < Infinity ? rise / run : 0
  })
  const slope = slopes.reduce((a, b) => max(a, b), 0)
  // By a margin, so that equal slopes are not told apart by rounding.
  const places = grid.filter((_, i) => slopes[i]! >= slope * (1 - 1e-6))
  return { slope, at: places[places.length >> 1] ?? low }
}

/**
 * The fraction of a row to add before rounding so that, around `at`, row centers fall on output
 * integers; 0 where rows and output integers are not equally wide there.
 */
function alignment(activation: UnaryChain, code: OutputCode, step: number, at: number): number {
  const output = (x: number) => code.factor * evaluateUnary(activation, x) + code.offset
  const perRow = output(at + step / 2) - output(at - step / 2)
  // Written so that a function without a value next to `at` is not aligned either.
  if (!(abs(abs(perRow) - 1) <= 1e-6)) return 0
  const apart = output(at) * perRow - at / step
  const phase = apart - round(apart)
  return abs(phase) < 1e-6 ? 0 : phase
}

function addToBias(node: FloatAffine, amount: number): FloatAffine {
  if (amount === 0) return node
  const { shape, data } = node.bias ?? {
    shape: node.shape.map(() => 1),
    data: Float64Array.of(0),
  }
  return { ...node, bias: { shape, data: data.map((b) => b + amount) } }
}

/** The rows of a range: row `q` holds the chain's value at (q − phase)·step. */
export function makeTable(
  activation: UnaryChain,
  code: OutputCode,
  step: number,
  phase: number,
  quotient: Range,
): Table {
  const real = new Float64Array(quotient.max - quotient.min + 1).map((_, row) =>
    evaluateUnary(activation, (quotient.min + row - phase) * step),
  )
  fillGaps(real)
  const pole = hasPole(activation) ? highestStep(real) : Infinity
  const values = real.map((value) => {
    const near = min(max(value, -pole), pole)
    return min(max(roundHalfUp(near * code.factor + code.offset), code.min), code.max)
  })
  return {
    description: `${describeChain(activation)}, row ${step.toPrecision(4)}, output ${(1 / code.factor).toPrecision(4)}`,
    first: quotient.min,
    values: new Int32Array(values),
  }
}

/** Where a function has no value (a root of a negative number), that of the next row that has one. */
function fillGaps(values: Float64Array): void {
  for (let i = values.length - 2; i >= 0; i--)
    if (Number.isNaN(values[i])) values[i] = values[i + 1]!
  for (let i = 0; i < values.length; i++)
    if (Number.isNaN(values[i])) values[i] = values[i - 1] ?? 0
}

/**
 * The largest value that a row has which is not more than twice that of the row after it, or before:
 * beyond, rows are too coarse for the function, and what is near the pole saturates.
 */
function highestStep(values: Float64Array): number {
  let highest = 0
  for (let i = 0; i < values.length; i++) {
    const own = abs(values[i]!)
    const next = min(abs(values[i - 1] ?? Infinity), abs(values[i + 1] ?? Infinity))
    if (own > highest && own <= 2 * next) highest = own
  }
  return highest > 0 ? highest : Infinity
}
