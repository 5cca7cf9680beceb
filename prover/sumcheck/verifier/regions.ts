import type { BlockDescriptor, SumcheckDescriptor } from '../../../circuits/sumcheck/descriptor.js'
import { bitsOf, eqIndex } from './scalar-field.js'

/** Columns committed together, `docs/protocol.md` §2.1. */
export type Group = 'first' | 'second' | 'key'

/** A run of 2^bits addresses of a group. */
export type Region = { readonly group: Group; readonly offset: number; readonly bits: number }

/** The named regions of a key. */
export type Regions = {
  readonly quotient: Region
  readonly output: Region
  readonly limbs: readonly Region[]
  readonly copy: Region | undefined
  readonly multiplicity: Region
  readonly inverses: readonly Region[]
  readonly tableInverse: Region
  readonly tableOutput: Region
}

export function regionsOf({ activation, copy, table }: SumcheckDescriptor): Regions {
  const cells = (group: Group, offset: number): Region => ({ group, offset, bits: activation.bits })
  const rows = (group: Group, offset: number): Region => ({ group, offset, bits: table.bits })
  return {
    quotient: cells('first', activation.quotient),
    output: cells('first', activation.output),
    limbs: activation.limbs.map((offset) => cells('first', offset)),
    copy: copy === null ? undefined : { group: 'first', ...copy },
    multiplicity: rows('first', table.multiplicity),
    inverses: activation.inverses.map((offset) => cells('second', offset)),
    tableInverse: rows('second', table.inverse),
    tableOutput: rows('key', table.output),
  }
}

/** Blocks that follow from the statement: the latent and the conditions, before all others (§2.2). */
export function publicBlocks(key: Pick<SumcheckDescriptor, 'conditions'>): number {
  return 1 + (key.conditions?.length ?? 0)
}

/** Bits of a block or of some of its axes. */
export function blockBits(block: BlockDescriptor, axes?: readonly number[]): number {
  const sizes = axes === undefined ? block.axes : axes.map((axis) => block.axes[axis]!)
  return sizes.reduce((sum, size) => sum + bitsOf(size), 0)
}

/** Where a block lies in a region of its space. */
export function blockIn(region: Region, block: BlockDescriptor): Region {
  return {
    group: region.group,
    offset: region.offset + block.offset,
    bits: blockBits(block),
  }
}

/** How a point of a region sees the run of 2^bits of its cells at `offset`. */
export function windowAt(
  offset: number,
  bits: number,
  point: readonly bigint[],
): { readonly prefix: bigint; readonly rest: readonly bigint[] } {
  const high = point.length - bits
  return { prefix: eqIndex(offset / 2 ** bits, point.slice(0, high)), rest: point.slice(high) }
}
