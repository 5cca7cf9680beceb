import type { AffineNode, Table } from '../../model-export/integer-model.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { layOutSelector, type Selector } from './selector.js'

/**
 * How a circuit computes `acc ↦ out` of one affine node:
 *
 *     v = acc · multiplier + half,   q = ⌊v / 2^shift⌋,   out = T[q]
 *
 * `acc` is a linear combination of signals whose values are integers in the node's proven interval.
 * A plan is exact for every acc of that interval, and no other `out` satisfies its constraints:
 *
 * - every range check is a sum of bits far below the field size, so it has one solution at most;
 * - what a plan subtracts or adds keeps honest values non-negative integers, so a value that should
 *   be negative is close to the field size and has no short decomposition.
 */
export type ActivationPlan = ConstantPlan | WindowPlan | SegmentPlan

/** The table is constant over the proven interval: the output is no signal at all. */
export type ConstantPlan = {
  readonly kind: 'constant'
  readonly value: number
  readonly constraints: 0
}

/**
 * Constant `low` below q = origin, constant `high` from some q on, anything simple in between.
 * u = v − origin · 2^shift is written in `bits` bits, after adding 2^bits when it can be negative
 * (`signed`): then bit number `bits` tells q ≥ origin. w = ⌊bits / 2^shift⌋ is q − origin there.
 */
export type WindowPlan = {
  readonly kind: 'window'
  readonly multiplier: number
  readonly shift: number
  readonly half: number
  readonly origin: number
  readonly bits: number
  readonly signed: boolean
  readonly low: number
  readonly high: number
  readonly value:
    | { readonly kind: 'linear'; readonly slope: number; readonly offset: number }
    /** Reads `selector.bits` bits of w. */
    | { readonly kind: 'select'; readonly selector: Selector }
  readonly saturation:
    | { readonly kind: 'none' }
    /** w ≥ 2^width: some bit of w above `width` is set. */
    | { readonly kind: 'bits'; readonly width: number }
    /** w ≥ limit: the top bit of w + 2^(bits − shift) − limit. */
    | { readonly kind: 'compare'; readonly limit: number }
  readonly constraints: number
}

/**
 * The prover names the segment of q by a code; functions of the code's bits give the segment's start
 * and length, and the value at q is value + slope · (q − start). Two range checks, of
 * v − start · 2^shift ≥ 0 and of q < start + length, leave one code. Codes without a segment have
 * length 0, which no q satisfies.
 */
export type SegmentPlan = {
  readonly kind: 'segments'
  readonly multiplier: number
  readonly shift: number
  readonly half: number
  /** Starts are counted from this q. */
  readonly origin: number
  readonly codeBits: number
  /** Bits of q − start. */
  readonly insideBits: number
  /** For the witness: starts in order and the code of each. */
  readonly starts: readonly number[]
  readonly codes: readonly number[]
  /** Functions `start`, `length`, `value`, `slope` of the code. */
  readonly selector: Selector
  /** False when every code has a segment of 2^insideBits. */
  readonly checkLength: boolean
  readonly constraints: number
}

/** Widest selector that is generated: 2^12 entries already cost more than 150 constraints. */
export const MAX_SELECTOR_BITS = 12

/** No range check is wider; the field has 253 whole bits. */
const MAX_RANGE_BITS = 64

/** The scalar part of an affine node. */
export type Requantization = Pick<AffineNode, 'name' | 'requantize' | 'accumulator'>

/**
 * The cheapest exact plan for a node.
 *
 * @throws {PlatemarkError} when the interval leaves the table or no plan is small enough.
 * @example
 * planActivation(node, model.tables[node.table]!).constraints
 */
export function planActivation(node: Requantization, table: Table): ActivationPlan {
  const plans = activationPlans(node, table)
  const best = plans.reduce<ActivationPlan | undefined>(
    (a, b) => (a === undefined || b.constraints < a.constraints ? b : a),
    undefined,
  )
  if (best !== undefined) return best
  const scope = scopeOf(node, table)
  throw new PlatemarkError(`The table of ${node.name} is too large for this backend.`, {
    expected: `at most ${1 << MAX_SELECTOR_BITS} entries or segments that are not constant`,
    found: `${scope.values.length} quotients, ${runs(scope).length} constant runs`,
    fix: 'Compile with fewer output bits or a coarser table.',
  })
}

/**
 * Every plan for a node; each is exact.
 *
 * @throws {PlatemarkError} when the interval leaves the table.
 */
export function activationPlans(node: Requantization, table: Table): readonly ActivationPlan[] {
  const scope = scopeOf(node, table)
  const value = scope.values[0]!
  if (scope.values.every((other) => other === value))
    return [{ kind: 'constant', value, constraints: 0 }]
  return [...windowPlans(scope), ...segmentPlans(scope)]
}

/** The reachable part of a table, and the numbers around it. */
type Scope = {
  readonly multiplier: number
  readonly shift: number
  readonly half: number
  readonly power: number
  /** Bounds of v. */
  readonly min: number
  readonly max: number
  /** Quotient of `values[0]`. */
  readonly first: number
  readonly values: Int32Array
}

function scopeOf(node: Requantization, table: Table): Scope {
  const { multiplier, shift } = node.requantize
  const power = 2 ** shift
  const half = shift > 0 ? power / 2 : 0
  const min = node.accumulator.min * multiplier + half
  const max = node.accumulator.max * multiplier + half
  const first = Math.floor(min / power)
  const last = Math.floor(max / power)
  const sound =
    Number.isSafeInteger(min) &&
    Number.isSafeInteger(max) &&
    Number.isSafeInteger(multiplier) &&
    multiplier > 0 &&
    shift >= 0 &&
    min <= max &&
    first >= table.first &&
    last < table.first + table.values.length
  if (!sound)
    throw new PlatemarkError(`The bounds of ${node.name} do not fit its table.`, {
      expected: `quotients from ${table.first} to ${table.first + table.values.length - 1}`,
      found: `quotients from ${first} to ${last}, multiplier ${multiplier}, shift ${shift}`,
      fix: 'Compile the model again.',
    })
  const values = table.values.subarray(first - table.first, last - table.first + 1)
  return { multiplier, shift, half, power, min, max, first, values }
}

/** Smallest n with value < 2^n. */
export function bitLength(value: number): number {
  let bits = 0
  while (2 ** bits <= value) bits++
  return bits
}

function windowPlans(scope: Scope): WindowPlan[] {
  const { values, first } = scope
  const count = values.length
  // Constant ends: `left` is the first index that differs from the low end, `right` the first index
  // from which on everything is the high end's value.
  let left = 1
  while (values[left] === values[0]) left++
  let right = count - 1
  while (values[right - 1] === values[count - 1]) right--

  const plans: WindowPlan[] = []
  for (const start of new Set([0, left - 1, left])) {
    // Linear up to `end` (exclusive), then constant: any end that both descriptions fit will do.
    const slope = start + 1 < count ? values[start + 1]! - values[start]! : 0
    let end = start + 1
    while (end < count && values[end] === values[start]! + slope * (end - start)) end++
    const value = { kind: 'linear', slope, offset: values[start]! } as const
    if (end === count) plans.push(window(scope, start, value, undefined))
    else if (end >= right)
      for (let length = right - start; length <= end - start; length++)
        if (length > 0) plans.push(window(scope, start, value, length))
    // A general function on the next power of two.
    const width = bitLength(Math.max(right - start, 1) - 1)
    if (width > MAX_SELECTOR_BITS || width === 0) continue
    const entries = Array.from({ length: 1 << width }, (_, w) =>
      BigInt(values[Math.min(start + w, count - 1)]!),
    )
    const selector = layOutSelector(width, { value: entries })
    const length = start + (1 << width) < count ? 1 << width : undefined
    plans.push(window(scope, start, { kind: 'select', selector }, length))
  }
  return plans.filter((plan) => plan.bits <= MAX_RANGE_BITS && first <= plan.origin)
}

/** A window from index `start`; from `length` entries on it is saturated. */
function window(
  scope: Scope,
  start: number,
  value: WindowPlan['value'],
  length: number | undefined,
): WindowPlan {
  const { multiplier, shift, half, power, min, max, first, values } = scope
  const origin = first + start
  const signed = start > 0
  const above = max - origin * power
  const below = signed ? origin * power - min : 0
  const bits = Math.max(bitLength(above), bitLength(Math.max(below, 1) - 1), shift + 1)
  const quotientBits = bits - shift
  let saturation: WindowPlan['saturation'] = { kind: 'none' }
  let saturationCost = 0
  if (length !== undefined) {
    const width = bitLength(length - 1)
    if (2 ** width === length) {
      saturation = { kind: 'bits', width }
      saturationCost = orCost(quotientBits - width) + 1
    } else {
      saturation = { kind: 'compare', limit: length }
      saturationCost = quotientBits + 1 + 1 + 1
    }
  }
  return {
    kind: 'window',
    multiplier,
    shift,
    half,
    origin,
    bits,
    signed,
    low: values[0]!,
    high: values[values.length - 1]!,
    value,
    saturation,
    constraints:
      bits +
      (signed ? 1 : 0) +
      1 +
      (value.kind === 'select' ? value.selector.constraints : 0) +
      saturationCost +
      1,
  }
}

/** From this many bits on, "some bit is set" is cheaper by the inverse of their sum (2 constraints). */
export const OR_BY_INVERSE = 4

function orCost(bits: number): number {
  return bits >= OR_BY_INVERSE ? 2 : Math.max(bits - 1, 0)
}

/** q in [start, start + length) has value + slope · (q − start); start counts from the scope's first. */
type Segment = { start: number; length: number; value: number; slope: number }

function runs({ values }: Scope): Segment[] {
  const segments: Segment[] = []
  for (let i = 0; i < values.length; i++) {
    const last = segments[segments.length - 1]
    if (last !== undefined && last.value === values[i]) last.length++
    else segments.push({ start: i, length: 1, value: values[i]!, slope: 0 })
  }
  return segments
}

/** Longest arithmetic progressions from left to right. */
function progressions({ values }: Scope): Segment[] {
  const segments: Segment[] = []
  for (let i = 0; i < values.length; ) {
    const slope = i + 1 < values.length ? values[i + 1]! - values[i]! : 0
    let length = 1
    while (i + length < values.length && values[i + length] === values[i]! + slope * length)
      length++
    segments.push({ start: i, length, value: values[i]!, slope })
    i += length
  }
  return segments
}

function segmentPlans(scope: Scope): SegmentPlan[] {
  const constant = runs(scope)
  const candidates = [constant, progressions(scope)].map((segments) => ({
    segments,
    codes: segments.map((_, i) => i),
  }))
  // Codes that are the values themselves (from the least): skipped values have no segment.
  const least = constant[0]!.value
  if (constant.every(({ value }, i) => i === 0 || value > constant[i - 1]!.value))
    candidates.push({ segments: constant, codes: constant.map(({ value }) => value - least) })
  return candidates
    .filter(({ codes }) => codes[codes.length - 1]! < 1 << MAX_SELECTOR_BITS)
    .map(({ segments, codes }) => segmentPlan(scope, segments, codes))
    .filter((plan) => plan.insideBits + plan.shift <= MAX_RANGE_BITS)
}

function segmentPlan(
  scope: Scope,
  segments: readonly Segment[],
  codes: readonly number[],
): SegmentPlan {
  const { multiplier, shift, half, first } = scope
  const codeBits = bitLength(codes[codes.length - 1]!)
  const size = 1 << codeBits
  const insideBits = bitLength(Math.max(...segments.map(({ length }) => length)) - 1)
  const of = (field: keyof Segment) => {
    const byCode: (bigint | undefined)[] = new Array(size).fill(undefined)
    segments.forEach((segment, i) => {
      byCode[codes[i]!] = BigInt(segment[field])
    })
    return byCode
  }
  const fill = (byCode: readonly (bigint | undefined)[], filler: (code: bigint) => bigint) =>
    byCode.map((value, code) => value ?? filler(BigInt(code)))
  const value = of('value')
  // Any value will do where no segment is; continuing the first step keeps affine functions affine.
  const step = (value[1] ?? value[0]!) - value[0]!
  const selector = layOutSelector(codeBits, {
    start: fill(of('start'), () => 0n),
    length: fill(of('length'), () => 0n),
    value: fill(value, (code) => value[0]! + step * code),
    slope: fill(of('slope'), () => BigInt(segments[0]!.slope)),
  })
  const full = 2 ** insideBits
  const checkLength = size > segments.length || segments.some(({ length }) => length !== full)
  return {
    kind: 'segments',
    multiplier,
    shift,
    half,
    origin: first,
    codeBits,
    insideBits,
    starts: segments.map(({ start }) => start),
    codes,
    selector,
    checkLength,
    constraints:
      codeBits +
      selector.constraints +
      (shift + insideBits + 1) +
      (checkLength ? insideBits + 1 : 0) +
      1,
  }
}
