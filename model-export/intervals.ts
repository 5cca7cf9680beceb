import { conditionsOf } from './conditions.js'
import { addProductBounds, isSquare } from './einsum.js'
import { expandBias } from './execute.js'
import type {
  AffineNode,
  Condition,
  IntegerModel,
  LinearIntegerTerm,
  RearrangeNode,
  Table,
} from './integer-model.js'
import { prepareTerm } from './linear-terms.js'
import { PlatemarkError } from './platemark-error.js'
import { contractedRows, type RowFacts, rowFacts, scalesOf } from './row-facts.js'
import { elementCount, gather, transposeIndex } from './tensor-index.js'

/*
 * Interval analysis over all latents and conditions. Every element of the latent and of a vector ranges over
 * its table on its own, and a label over all classes;
 * bounds are kept per element and go through each node with the signs of its weights:
 *
 *     low(acc)  = Σ_{w>0} w·low(x) + Σ_{w<0} w·high(x) + bias,   high(acc) alike.
 *
 * With c = low + high and r = high − low this is 2·low(acc) = L(W, c) − L(|W|, r) + 2·bias, so the
 * executor's own loops compute it, twice per node. A product of two tensors lies between the least and
 * the most of the four products of their bounds, a square is never negative; `row-facts.ts` knows of rows
 * that add up to little. Elements of one layer are taken as independent of
 * each other, so the bounds hold always and are attained where a node reads only latents.
 */

/** Bound once: these loops are hot, and a test runner's realm looks globals up slowly. */
const { abs, floor } = Math

/** Exact integers: every |value| is below this, so doubles hold sums and products exactly. */
export const EXACT_LIMIT = 2 ** 52

/** Inclusive bounds of every element of a tensor. */
export type Bounds = {
  readonly low: Float64Array
  readonly high: Float64Array
  /** What is known of whole rows. */
  readonly facts?: RowFacts
}

export type Range = { readonly min: number; readonly max: number }

/** What the analysis proves about one affine node. */
export type NodeRanges = { readonly accumulator: Range; readonly quotient: Range }

export type ModelRanges = {
  /** By tensor id. */
  readonly tensors: readonly Range[]
  /** By node; rearrange nodes have none. */
  readonly nodes: readonly (NodeRanges | undefined)[]
}

/** Bounds of the latent tensor, and of a vector's. */
export function latentBounds(latent: Pick<IntegerModel['latent'], 'dimensions' | 'table'>): Bounds {
  const { min, max } = rangeOf(latent.table, latent.table)
  return {
    low: new Float64Array(latent.dimensions).fill(min),
    high: new Float64Array(latent.dimensions).fill(max),
  }
}

/** Bounds of a condition's tensor. Of a label's elements one is 1. */
export function conditionBounds(condition: Condition): Bounds {
  if (condition.kind === 'vector') return latentBounds(condition)
  const { classes } = condition
  return {
    low: new Float64Array(classes),
    high: new Float64Array(classes).fill(1),
    facts: { oneHot: true, bounded: { length: classes, most: 1 } },
  }
}

/**
 * Bounds of a node's accumulators.
 *
 * @param node - the linear part of an affine node
 * @param shape - shape of its output
 * @param inputs - bounds of each tensor, by id
 * @throws {PlatemarkError} where any partial sum could reach 2^52.
 */
export function accumulatorBounds(
  node: Pick<AffineNode, 'name' | 'terms' | 'bias'>,
  shape: readonly number[],
  inputs: readonly (Bounds | undefined)[],
): Bounds {
  const count = elementCount(shape)
  const bias = expandBias(node, shape)
  const center = new Float64Array(count)
  const radius = new Float64Array(count)
  const magnitude = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    center[i] = 2 * bias[i]!
    magnitude[i] = abs(bias[i]!)
  }
  for (const term of node.terms) {
    const input = inputs[term.input]!
    if (term.kind === 'einsum') {
      const square = term.input === term.operand && isSquare(term)
      const sums = { twiceCenter: center, twiceRadius: radius, magnitude }
      const known = {
        square,
        limit: scalesOf(term, inputs)?.most ?? Number.POSITIVE_INFINITY,
        rows: contractedRows(term, inputs),
      }
      addProductBounds(term, input, inputs[term.operand]!, known, sums)
      continue
    }
    const chosen = chosenWeights(term, input)
    if (chosen !== undefined) {
      chosen.forEach(({ min, max }, i) => {
        center[i]! += min + max
        radius[i]! += max - min
        magnitude[i]! += Math.max(abs(min), abs(max))
      })
      continue
    }
    const { twiceCenter, twiceRadius, largest } = spread(input)
    prepareTerm(term, shape)(twiceCenter, center)
    const absolute = prepareTerm(term, shape, true)
    absolute(twiceRadius, radius)
    absolute(largest, magnitude)
  }
  // Sums of non-negative numbers: if they stay below the limit, every partial sum above was exact.
  const largest = maximum(magnitude)
  if (!(largest < EXACT_LIMIT / 2)) throw tooLarge(node.name, largest)
  // Nothing else needs the two: they become the bounds.
  for (let i = 0; i < count; i++) {
    const [low, high] = [center[i]! - radius[i]!, center[i]! + radius[i]!]
    center[i] = low / 2
    radius[i] = high / 2
  }
  return { low: center, high: radius }
}

/** low + high, high − low and the largest magnitude of every element. */
function spread({ low, high }: Bounds) {
  const count = low.length
  const twiceCenter = new Float64Array(count)
  const twiceRadius = new Float64Array(count)
  const largest = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const [least, most] = [low[i]!, high[i]!]
    twiceCenter[i] = least + most
    twiceRadius[i] = most - least
    largest[i] = Math.max(abs(least), abs(most))
  }
  return { twiceCenter, twiceRadius, largest }
}

/** Of a matrix times a vector with one 1, each output is one of its weights. */
function chosenWeights(term: LinearIntegerTerm, input: Bounds): readonly Range[] | undefined {
  if (term.kind !== 'gemm' || term.rows !== 1 || input.facts?.oneHot !== true) return undefined
  const [outputs = 0, classes = 0] = term.weight.shape
  return Array.from({ length: outputs }, (_, o) => {
    const row = term.weight.data.subarray(o * classes, (o + 1) * classes)
    return rangeOf(row, row)
  })
}

/**
 * Bounds of a node's quotients, from those of its accumulators.
 *
 * @throws {PlatemarkError} where a product could reach 2^52.
 */
export function quotientBounds(
  node: Pick<AffineNode, 'name' | 'requantize'>,
  accumulators: Bounds,
): Bounds {
  const { multiplier, shift } = node.requantize
  const power = 2 ** shift
  const half = shift > 0 ? power / 2 : 0
  const scale = (value: number) => {
    const scaled = value * multiplier + half
    if (!(abs(scaled) < EXACT_LIMIT)) throw tooLarge(node.name, abs(scaled))
    return floor(scaled / power)
  }
  const { length } = accumulators.low
  const low = new Float64Array(length)
  const high = new Float64Array(length)
  for (let i = 0; i < length; i++) {
    low[i] = scale(accumulators.low[i]!)
    high[i] = scale(accumulators.high[i]!)
  }
  return { low, high }
}

/** Smallest and largest table value over each element's quotients, which must lie in the table. */
export function tableBounds(table: Table, quotients: Bounds): Bounds {
  const extremes = rangeExtremes(table.values)
  const count = quotients.low.length
  const low = new Float64Array(count)
  const high = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const [min, max] = extremes(quotients.low[i]! - table.first, quotients.high[i]! - table.first)
    low[i] = min
    high[i] = max
  }
  return { low, high }
}

/** Bounds of a rearranged tensor. */
export function rearrangeBounds(node: RearrangeNode, input: Bounds): Bounds {
  const index = transposeIndex(node.inputShape, node.permutation)
  return { low: gather(input.low, index), high: gather(input.high, index) }
}

/**
 * Proves the bounds of a whole model, from its weights and tables alone: none of its claims is used.
 *
 * @throws {PlatemarkError} where a table does not cover every quotient, or numbers could reach 2^52.
 */
export function analyseRanges(model: IntegerModel): ModelRanges {
  const bounds: Bounds[] = [latentBounds(model.latent), ...conditionsOf(model).map(conditionBounds)]
  const nodes = model.nodes.map((node): NodeRanges | undefined => {
    if (node.kind === 'rearrange') {
      bounds[node.output] = rearrangeBounds(node, bounds[node.input]!)
      return undefined
    }
    const accumulators = accumulatorBounds(node, model.tensors[node.output]!.shape, bounds)
    const quotients = quotientBounds(node, accumulators)
    const quotient = boundsRange(quotients)
    const table = model.tables[node.table]!
    const last = table.first + table.values.length - 1
    if (quotient.min < table.first || quotient.max > last)
      throw new PlatemarkError(`A seed could leave the table of node ${node.name}.`, {
        expected: `quotients from ${table.first} to ${last}`,
        found: `quotients from ${quotient.min} to ${quotient.max}`,
        fix: 'Compile the model again; the file was not written by this compiler.',
      })
    const ranges = { accumulator: boundsRange(accumulators), quotient }
    const facts = rowFacts({ ...node, ...ranges }, table, bounds)
    bounds[node.output] = { ...tableBounds(table, quotients), facts }
    return ranges
  })
  return { tensors: bounds.map(boundsRange), nodes }
}

/**
 * Proves a model's claimed bounds again, as an auditor does with a model that somebody else compiled.
 * Claims may be wider than what is proven, never narrower.
 *
 * @throws {PlatemarkError} naming the first claim that does not follow from weights and tables.
 * @example
 * verifyBounds((await readPlate('model.plate')).model)
 */
export function verifyBounds(model: IntegerModel): void {
  const proven = analyseRanges(model)
  const check = (what: string, claim: Range, truth: Range) => {
    if (claim.min <= truth.min && claim.max >= truth.max) return
    throw new PlatemarkError(`The model claims bounds that do not hold: ${what}.`, {
      expected: `bounds that include ${truth.min} to ${truth.max}`,
      found: `${claim.min} to ${claim.max}`,
      fix: 'Do not trust this file; compile the model again.',
    })
  }
  model.tensors.forEach((tensor, id) => {
    check(`tensor ${id} (${tensor.name})`, tensor, proven.tensors[id]!)
  })
  model.nodes.forEach((node, index) => {
    const ranges = proven.nodes[index]
    if (node.kind !== 'affine' || ranges === undefined) return
    check(`accumulator of node ${index} (${node.name})`, node.accumulator, ranges.accumulator)
    check(`quotient of node ${index} (${node.name})`, node.quotient, ranges.quotient)
  })
}

/** The range over all elements. */
export function boundsRange(bounds: Bounds): Range {
  return rangeOf(bounds.low, bounds.high)
}

function rangeOf(low: ArrayLike<number>, high: ArrayLike<number>): Range {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let i = 0; i < low.length; i++) {
    if (low[i]! < min) min = low[i]!
    if (high[i]! > max) max = high[i]!
  }
  return { min, max }
}

function maximum(values: Float64Array): number {
  let result = 0
  // Written so that NaN, from an overflow to infinity, is kept.
  for (const value of values) if (!(value <= result)) result = value
  return result
}

/**
 * Minimum and maximum of any run of rows: both ends for a non-decreasing table, else two overlapping
 * power-of-two runs out of precomputed ones.
 */
function rangeExtremes(values: Int32Array): (from: number, to: number) => [number, number] {
  let monotone = true
  for (let i = 1; i < values.length && monotone; i++) monotone = values[i]! >= values[i - 1]!
  if (monotone) return (from, to) => [values[from]!, values[to]!]
  const levels: { min: Int32Array; max: Int32Array }[] = [{ min: values, max: values }]
  for (let length = 2; length <= values.length; length *= 2) {
    const { min, max } = levels.at(-1)!
    const count = values.length - length + 1
    const half = length / 2
    levels.push({
      min: Int32Array.from({ length: count }, (_, i) => Math.min(min[i]!, min[i + half]!)),
      max: Int32Array.from({ length: count }, (_, i) => Math.max(max[i]!, max[i + half]!)),
    })
  }
  return (from, to) => {
    const level = 31 - Math.clz32(to - from + 1)
    const { min, max } = levels[level]!
    const second = to - 2 ** level + 1
    return [Math.min(min[from]!, min[second]!), Math.max(max[from]!, max[second]!)]
  }
}

function tooLarge(name: string, magnitude: number): PlatemarkError {
  return new PlatemarkError(`The numbers of node ${name} get too large to be exact.`, {
    expected: 'magnitudes below 2^52',
    found: `up to ${magnitude.toPrecision(4)}`,
    fix: 'Compile with fewer weight bits or activation bits.',
  })
}
