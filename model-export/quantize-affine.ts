import type { FloatAffine, FloatTerm } from './float-model.js'
import type { AffineNode, IntegerTerm, Table, TensorId } from './integer-model.js'
import {
  accumulatorBounds,
  type Bounds,
  boundsRange,
  quotientBounds,
  tableBounds,
} from './intervals.js'
import { PlatemarkError } from './platemark-error.js'
import type { Profile } from './profiles.js'
import { evaluateUnary, type UnaryChain } from './unary.js'

/** What the integers of a node's output mean: clamp(round(factor · real + offset), min, max). */
export type OutputCode = {
  readonly factor: number
  readonly offset: number
  readonly min: number
  readonly max: number
  /** Whether `factor` may become smaller where the table has no room for all steps: not for pixels. */
  readonly elastic: boolean
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
 * @param bounds - proven bounds by tensor id
 * @throws {PlatemarkError} where the numbers get too large.
 */
export function quantizeAffine(
  node: FloatAffine,
  code: OutputCode,
  profile: Profile,
  inputs: ReadonlyMap<string, QuantizedInput>,
  bounds: readonly Bounds[],
): QuantizedAffine {
  const finest = finestScale(node, inputs, profile.weightBits)
  const estimate = boundsRange(accumulators(node, finest, inputs, bounds))
  const { slope, at } = steepest(node.activation, estimate.min * finest, estimate.max * finest)
  const wanted = wantedStep(node.activation, code, slope, profile)
  const smallest = ((estimate.max - estimate.min + 1) * finest) / 2 ** profile.tableBits
  // Rounding may widen the interval a little beyond the estimate: then one more try with more room.
  for (let room = 1.001; room < 8; room *= 2) {
    const step = Math.max(wanted, smallest * room, finest)
    const shift = Math.floor(Math.log2(step / finest))
    const scale = step / 2 ** shift
    const stretched = stretch(code, step, slope, node.activation)
    const phase = alignment(node.activation, stretched, step, at)
    const linear = integerTerms(addToBias(node, phase * step), scale, inputs)
    const requantize = { multiplier: 1, shift }
    const accumulated = accumulatorBounds(linear, node.shape, bounds)
    const quotients = quotientBounds({ ...linear, requantize }, accumulated)
    const quotient = boundsRange(quotients)
    if (quotient.max - quotient.min >= 2 ** profile.tableBits) continue
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
    expected: `at most 2^${profile.tableBits} rows`,
    fix: 'Compile with fewer weight bits or more table bits.',
  })
}

/** The smallest accumulator scale at which every weight fits its bits. */
function finestScale(
  node: FloatAffine,
  inputs: ReadonlyMap<string, QuantizedInput>,
  weightBits: number,
): number {
  const limit = 2 ** (weightBits - 1) - 1
  let scale = 0
  for (const term of node.terms) {
    let largest = 0
    for (const weight of term.weight.data) largest = Math.max(largest, Math.abs(weight))
    scale = Math.max(scale, (largest * inputs.get(term.input)!.scale) / limit)
  }
  return scale > 0 ? scale : 1
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
    terms: node.terms.map((term) => integerTerm(term, scale, inputs.get(term.input)!)),
    ...(bias === undefined
      ? {}
      : { bias: { shape: bias.shape, data: bias.data.map((b) => roundHalfUp(b / scale)) } }),
  }
}

function integerTerm(term: FloatTerm, scale: number, input: QuantizedInput): IntegerTerm {
  const perUnit = input.scale / scale
  const data = Int32Array.from(term.weight.data, (weight) => roundHalfUp(weight * perUnit))
  const weight = { shape: term.weight.shape, data }
  return { ...term, input: input.id, weight }
}

/** ⌊x + 1/2⌋, without −0. */
function roundHalfUp(x: number): number {
  return Math.floor(x + 0.5) + 0
}

/** Steps whose curves need finer rows than their output has integers. */
function isCurved(activation: UnaryChain): boolean {
  return activation.some(({ op }) => op === 'sigmoid' || op === 'tanh')
}

/** The pre-activation that one table row should span. */
function wantedStep(
  activation: UnaryChain,
  code: OutputCode,
  slope: number,
  profile: Profile,
): number {
  if (!(slope > 0)) return Number.POSITIVE_INFINITY
  return (isCurved(activation) ? profile.rowSpan : 1) / (slope * code.factor)
}

/**
 * An output finer than its table's rows has integers that are never used: where rows are coarser than
 * wanted, the output becomes as coarse.
 */
function stretch(
  code: OutputCode,
  step: number,
  slope: number,
  activation: UnaryChain,
): OutputCode {
  if (!code.elastic || isCurved(activation) || !(slope > 0)) return code
  const factor = Math.min(code.factor, 1 / (step * slope))
  return { ...code, factor }
}

/** The largest slope of a chain on an interval, and where: from points that are dense around 0. */
function steepest(
  activation: UnaryChain,
  low: number,
  high: number,
): { readonly slope: number; readonly at: number } {
  const radius = Math.max(Math.abs(low), Math.abs(high))
  const points: number[] = []
  for (let i = 0; i <= 2048; i++) points.push(radius * 2 ** (-i / 64))
  const grid = [...points.map((x) => -x), 0, ...points.reverse()].filter(
    (x) => x >= low && x <= high,
  )
  let slope = 0
  let at = 0
  for (let i = 1; i < grid.length; i++) {
    const run = grid[i]! - grid[i - 1]!
    const rise = evaluateUnary(activation, grid[i]!) - evaluateUnary(activation, grid[i - 1]!)
    // By a margin, so that equal slopes are not told apart by rounding.
    if (run > 0 && Math.abs(rise) / run > slope * (1 + 1e-6)) {
      slope = Math.abs(rise) / run
      at = grid[i]!
    }
  }
  return { slope, at }
}

/**
 * The fraction of a row to add before rounding so that, around `at`, row centers fall on output
 * integers; 0 where rows and output integers are not equally wide there.
 */
function alignment(activation: UnaryChain, code: OutputCode, step: number, at: number): number {
  const output = (x: number) => code.factor * evaluateUnary(activation, x) + code.offset
  const perRow = output(at) - output(at - step)
  if (Math.abs(Math.abs(perRow) - 1) > 1e-6) return 0
  const apart = output(at) * perRow - at / step
  const phase = apart - Math.round(apart)
  return Math.abs(phase) < 1e-6 ? 0 : phase
}

function addToBias(node: FloatAffine, amount: number): FloatAffine {
  if (amount === 0) return node
  const { shape, data } = node.bias ?? {
    shape: node.shape.map(() => 1),
    data: Float64Array.of(0),
  }
  return { ...node, bias: { shape, data: data.map((b) => b + amount) } }
}

function makeTable(
  activation: UnaryChain,
  code: OutputCode,
  step: number,
  phase: number,
  quotient: { readonly min: number; readonly max: number },
): Table {
  const values = new Int32Array(quotient.max - quotient.min + 1)
  for (let row = 0; row < values.length; row++) {
    const real = evaluateUnary(activation, (quotient.min + row - phase) * step)
    const value = roundHalfUp(real * code.factor + code.offset)
    values[row] = Math.min(Math.max(value, code.min), code.max)
  }
  const names = activation.map(({ op }) => op).join(' → ') || 'identity'
  return {
    description: `${names}, row ${step.toPrecision(4)}, output ${(1 / code.factor).toPrecision(4)}`,
    first: quotient.min,
    values,
  }
}
