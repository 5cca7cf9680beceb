import { type Claim, sumOf, valueAt, type Weight } from './columns.js'
import type { VerifierKey } from './read-key.js'
import { blockBits, regionsOf, windowAt } from './regions.js'
import { allZero, mod, multiply } from './scalar-field.js'
import { validAt } from './wiring.js'

/** Challenges of the lookups, and the point and claim where their sumcheck ended. */
export type LookupEnd = {
  readonly beta: bigint
  readonly alpha: bigint
  readonly lambda: bigint
  readonly s: readonly bigint[]
  readonly e3: bigint
}

/** A point's last n entries, and lead_n of the others (`docs/protocol.md` §6.4). */
export function tail(point: readonly bigint[], n: number) {
  const high = point.length - n
  return { point: point.slice(high), lead: allZero(point.slice(0, high)) }
}

/** First claim of the eq sumcheck: every cell's h·(α − f) is 1. */
export function lookupSum(key: VerifierKey, tau: readonly bigint[], lambda: bigint): bigint {
  let sum = 0n
  for (let e = 0; e <= key.limbs; e++) sum = mod(sum * lambda + 1n)
  return multiply(tail(tau, key.activation.bits).lead, sum)
}

/** Claims 3, 4 and 6 … as they are, in order (§6.4). */
export function lookupClaims(
  key: VerifierKey,
  inverses: readonly bigint[],
  { beta, alpha, lambda, s, e3 }: LookupEnd,
): { readonly sums: Claim; readonly zero: Claim; readonly inverses: readonly Claim[] } {
  const regions = regionsOf(key)
  const cell = tail(s, key.activation.bits)
  const row = tail(s, key.table.bits)
  const beta2 = multiply(beta, beta)
  const tags = tagsAt(key, cell.point)
  const zero: Weight[] = []
  const all: Claim[] = []
  let value = e3
  let scale = cell.lead
  regions.inverses.forEach((region, e) => {
    const h = inverses[e]!
    all.push({ value: h, weights: [valueAt(region, cell.point, 1n)] })
    const factor = multiply(scale, h)
    value -= factor * (alpha - tags[e]!)
    const looked = e === 0 ? regions.quotient : regions.limbs[e - 1]!
    zero.push(valueAt(looked, cell.point, mod(-factor * beta)))
    if (e === 0) zero.push(valueAt(regions.output, cell.point, mod(-factor * beta2)))
    scale = multiply(scale, lambda)
  })
  const g = inverses[key.limbs + 1]!
  all.push({ value: g, weights: [valueAt(regions.tableInverse, row.point, 1n)] })
  let last = row.lead
  for (let e = 0; e <= key.limbs; e++) last = multiply(last, lambda)
  const factor = multiply(last, g)
  value -= factor * (alpha - tableKeyAt(key, beta, row.point))
  zero.push(valueAt(regions.tableOutput, row.point, mod(-factor * beta2)))
  zero.push(valueAt(regions.multiplicity, row.point, mod(-last)))
  const sums = [
    ...regions.inverses.map((region) => sumOf(region, 1n)),
    sumOf(regions.tableInverse, mod(-1n)),
  ]
  return {
    sums: { value: 0n, weights: sums },
    zero: { value: mod(value), weights: zero },
    inverses: all,
  }
}

/** tag_e~ for e ≤ L at a point of the activation regions. */
export function tagsAt(key: VerifierKey, point: readonly bigint[]): readonly bigint[] {
  const tags = new Array<bigint>(1 + key.limbs).fill(0n)
  key.nodes.forEach((node) => {
    if (node.kind === 'copy') return
    const block = key.blocks[node.output]!
    const { prefix, rest } = windowAt(block.offset, blockBits(block), point)
    const own = multiply(prefix, validAt(block, rest))
    ;[node.table, ...node.limbs].forEach((segment, e) => {
      tags[e]! += BigInt(segment + 1) * own
    })
  })
  return tags.map(mod)
}

/** (tag + β·index)~ at a point of the table regions. */
export function tableKeyAt(key: VerifierKey, beta: bigint, point: readonly bigint[]): bigint {
  let sum = 0n
  key.segments.forEach(({ offset, bits, first }, t) => {
    const { prefix, rest } = windowAt(offset, bits, point)
    const index = rest.reduce((value, bit) => mod(2n * value + bit), 0n)
    sum += prefix * mod(BigInt(t + 1) + beta * (BigInt(first) + index))
  })
  return mod(sum)
}
