import type { BlockDescriptor, SumcheckDescriptor } from '../../../circuits/sumcheck/descriptor.js'
import { type Claim, columnWeights } from './columns.js'
import { blockBits, type Region } from './regions.js'
import { bitsOf, bitsOfIndex, mod, ORDER } from './scalar-field.js'

/*
 * Columns as what they are, lists of cells, and sums over all of them: what the verifier evaluates at
 * one point, tests compute by definition.
 */

/** Scalars from a small linear generator. */
export function randomScalars(seed: bigint) {
  let state = seed
  const next = () => {
    state = (state * 0x5851f42d4c957f2d14057b7ef767814fn + 0x9e3779b97f4a7c15n) % (1n << 256n)
    return mod(state ** 3n % ORDER)
  }
  return (count: number) => Array.from({ length: count }, next)
}

/** All index tuples of the given sizes, row-major. */
export function tuples(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (all, size) => all.flatMap((t) => Array.from({ length: size }, (_, i) => [...t, i])),
    [[]],
  )
}

/** The cell of an element: its digits side by side (§2.2). */
export function cellOf(block: BlockDescriptor, digits: readonly number[]): number {
  return digits.reduce((cell, digit, axis) => cell * 2 ** bitsOf(block.axes[axis]!) + digit, 0)
}

/** Π over bits, spelled out. */
export function eqAt(index: number, point: readonly bigint[]): bigint {
  return point.reduce((product, x, k) => {
    const bit = Math.floor(index / 2 ** (point.length - 1 - k)) % 2
    return mod(product * (bit === 1 ? x : 1n - x))
  }, 1n)
}

/** f~(point) by its definition. */
export function extend(values: readonly bigint[], point: readonly bigint[]): bigint {
  if (values.length !== 2 ** point.length) throw new RangeError('size')
  return mod(
    values.reduce((sum, value, i) => (value === 0n ? sum : sum + value * eqAt(i, point)), 0n),
  )
}

/** The three groups' addresses, with regions to read and write. */
export class Cells {
  readonly groups: Record<Region['group'], bigint[]>

  constructor(readonly key: SumcheckDescriptor) {
    const column = (count: number) => new Array<bigint>(count * 2 ** key.columnBits).fill(0n)
    const { first, second, key: own } = key.columns
    this.groups = { first: column(first), second: column(second), key: column(own) }
  }

  read({ group, offset, bits }: Region): bigint[] {
    return this.groups[group].slice(offset, offset + 2 ** bits)
  }

  write({ group, offset }: Region, values: readonly bigint[]): void {
    values.forEach((value, i) => {
      this.groups[group][offset + i] = value
    })
  }

  /** Every physical column (§4.1). */
  columns(): bigint[][] {
    const all = [...this.groups.first, ...this.groups.second, ...this.groups.key]
    const rows = 2 ** this.key.columnBits
    return Array.from({ length: all.length / rows }, (_, i) => all.slice(i * rows, (i + 1) * rows))
  }
}

/** All cells of a block, padding zero. */
export function cellsOf(
  block: BlockDescriptor,
  value: (digits: readonly number[]) => bigint,
): bigint[] {
  const cells = new Array<bigint>(2 ** blockBits(block)).fill(0n)
  for (const digits of tuples(block.axes)) cells[cellOf(block, digits)] = mod(value(digits))
  return cells
}

/** Σ_columns Σ_x column(x)·weight(x), row by row. */
export function leftSide(cells: Cells, claim: Claim): bigint {
  const columns = cells.columns()
  const n = cells.key.columnBits
  let sum = 0n
  for (let x = 0; x < 2 ** n; x++) {
    const weights = columnWeights(cells.key, claim.weights, bitsOfIndex(x, n))
    weights.forEach((weight, i) => {
      sum += weight * columns[i]![x]!
    })
  }
  return mod(sum)
}
