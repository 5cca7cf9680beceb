/** Where runs of 2^bits cells lie, and how many cells they take together. */
export type Packing = { readonly offsets: readonly number[]; readonly cells: number }

/**
 * Places runs of 2^bits cells without gaps, largest first, so that every one lies at a multiple of its
 * size. Runs of one size keep their order.
 *
 * @param bits - log2 of the cells of every run
 * @example
 * pack([1, 3, 2]) // { offsets: [12, 0, 8], cells: 14 }
 */
export function pack(bits: readonly number[]): Packing {
  const offsets: number[] = []
  let cells = 0
  for (const run of bits.map((_, i) => i).sort((a, b) => bits[b]! - bits[a]!)) {
    offsets[run] = cells
    cells += 2 ** bits[run]!
  }
  return { offsets, cells }
}
