import type { IntegerModel, Table } from '../../model-export/integer-model.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { axisBits } from './axes.js'
import type { SegmentDescriptor } from './descriptor.js'
import { pack } from './pack.js'

/** Limbs are at most this wide: their range table must be worth its rows. */
const MOST_LIMB_BITS = 14
const MOST_LIMBS = 4

/** The lookup table of a model: `docs/protocol.md` §2.3. */
export type TableLayout = {
  /** Limbs of a remainder, and their width. */
  readonly limbs: number
  readonly limbBits: number
  readonly segments: readonly SegmentDescriptor[]
  /** Segment of each of the model's tables. */
  readonly segmentOf: readonly number[]
  /** Segments of the limbs of a remainder below 2^shift, −1 for limbs that are zero. */
  readonly limbsOf: (shift: number) => readonly number[]
  /** log2 of the region's rows. */
  readonly bits: number
  /** Writes T_out into zeros. */
  readonly fill: (cells: Float64Array, offset: number) => void
}

/**
 * Lays out the activation tables and the range tables of limbs, one segment each; a table that
 * coincides with a part of a longer one shares its segment.
 *
 * @throws {PlatemarkError} for remainders of more than four limbs.
 */
export function layOutTables(model: IntegerModel): TableLayout {
  const shifts = model.nodes.flatMap((node) =>
    node.kind === 'affine' ? [node.requantize.shift] : [],
  )
  const most = Math.max(0, ...shifts)
  const limbs = Math.ceil(most / MOST_LIMB_BITS)
  const limbBits = Math.max(1, Math.ceil(most / Math.max(1, limbs)))
  if (limbs > MOST_LIMBS)
    throw new PlatemarkError('The sumcheck backend cannot prove such large remainders.', {
      expected: `shifts of at most ${MOST_LIMBS * MOST_LIMB_BITS} bits`,
      found: `${most} bits`,
    })
  const widthsOf = (shift: number) =>
    Array.from({ length: limbs }, (_, l) => Math.min(limbBits, Math.max(0, shift - l * limbBits)))
  const widths = [...new Set(shifts.flatMap(widthsOf))].filter((w) => w > 0).sort((a, b) => b - a)
  const { kept, segmentOf } = shareTables(model.tables)
  const runs = [
    ...kept.map(({ first, values }) => ({ bits: axisBits(values.length), first, values })),
    ...widths.map((bits) => ({ bits, first: 0, values: undefined })),
  ]
  const { offsets, cells } = pack(runs.map(({ bits }) => bits))
  return {
    limbs,
    limbBits,
    segments: runs.map(({ bits, first }, i) => ({ offset: offsets[i]!, bits, first })),
    segmentOf,
    limbsOf: (shift) =>
      widthsOf(shift).map((w) => (w === 0 ? -1 : kept.length + widths.indexOf(w))),
    // One row more: the zero row, which padding cells look up.
    bits: axisBits(cells + 1),
    fill: (target, offset) => {
      runs.forEach(({ bits, values }, i) => {
        if (values === undefined) return
        const start = offset + offsets[i]!
        // Rows beyond the table repeat its last value: no accumulator reaches them.
        target.fill(values[values.length - 1]!, start, start + 2 ** bits)
        target.set(values, start)
      })
    },
  }
}

/**
 * The tables that need rows of their own, longest first, and for every table which of them holds it.
 * A reader of a shorter table gets the same outputs from a longer one that holds it: the compiler
 * proves that no seed leads out of its own.
 *
 * @example
 * shareTables([{ description: '', first: 0, values: Int32Array.of(0, 1) }, { description: '', first: -1, values: Int32Array.of(0, 0, 1) }])
 * // the second is kept, and both are in it
 */
export function shareTables(tables: readonly Table[]): {
  readonly kept: readonly Table[]
  readonly segmentOf: readonly number[]
} {
  const kept: Table[] = []
  const segmentOf: number[] = []
  const longest = tables
    .map((table, i) => ({ table, i }))
    .sort((a, b) => b.table.values.length - a.table.values.length)
  for (const { table, i } of longest) {
    const found = kept.findIndex((longer) => holds(longer, table))
    segmentOf[i] = found >= 0 ? found : kept.push(table) - 1
  }
  return { kept, segmentOf }
}

function holds(longer: Table, table: Table): boolean {
  const shift = table.first - longer.first
  return (
    shift >= 0 &&
    shift + table.values.length <= longer.values.length &&
    table.values.every((value, i) => value === longer.values[shift + i]) &&
    // The image's table must stay one of bytes.
    (isBytes(longer.values) || !isBytes(table.values))
  )
}

/** Whether a table can only give pixels. */
export function isBytes(values: ArrayLike<number>): boolean {
  return Array.from(values).every((value) => value >= 0 && value <= 255)
}
