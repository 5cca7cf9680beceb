import type { SumcheckDescriptor } from '../../../circuits/sumcheck/descriptor.js'
import { type Region, windowAt } from './regions.js'
import { bitsOfIndex, eq, mod, multiply } from './scalar-field.js'

/** One summand Σ_x region(x)·weight(x) of a claim: the weights' multilinear extension. */
export type Weight = { readonly region: Region; readonly at: (point: readonly bigint[]) => bigint }

/** Σ of weighted regions, and what it should be. */
export type Claim = { readonly value: bigint; readonly weights: readonly Weight[] }

/** `coefficient` times the region's value at a point. */
export function valueAt(region: Region, point: readonly bigint[], coefficient: bigint): Weight {
  if (point.length !== region.bits) throw new RangeError('point of another region')
  return { region, at: (x) => multiply(coefficient, eq(point, x)) }
}

/** `coefficient` times the sum of all cells of the region. */
export function sumOf(region: Region, coefficient: bigint): Weight {
  return { region, at: () => coefficient }
}

/** weight~(ρ) of every physical column, `docs/protocol.md` §7.3. */
export function columnWeights(
  key: SumcheckDescriptor,
  weights: readonly Weight[],
  rho: readonly bigint[],
): readonly bigint[] {
  const { first, second, key: own } = key.columns
  const start = { first: 0, second: first, key: first + second }
  const columns = new Array<bigint>(first + second + own).fill(0n)
  const rows = 2 ** key.columnBits
  for (const { region, at } of weights) {
    const { offset, bits } = region
    const column = start[region.group] + Math.floor(offset / rows)
    const add = (i: number, by: bigint) => {
      columns[column + i] = mod(columns[column + i]! + by)
    }
    if (bits <= key.columnBits) {
      const { prefix, rest } = windowAt(offset % rows, bits, rho)
      add(0, prefix * at(rest))
    } else {
      const high = bits - key.columnBits
      for (let i = 0; i < 2 ** high; i++) add(i, at([...bitsOfIndex(i, high), ...rho]))
    }
  }
  return columns
}
