import { randomModel } from '../../prover/sumcheck/random-model.js'
import { axisBits, totalBits } from './axes.js'
import type { SumcheckDescriptor } from './descriptor.js'
import { defaultBinding, layOutModel } from './layout.js'
import { pack } from './pack.js'
import { shareTables } from './tables.js'

const table = (first: number, ...values: readonly number[]) => ({
  description: '',
  first,
  values: Int32Array.from(values),
})

/** Runs of cells, [start, bits], by group. */
function runsOf({ activation, copy, table, blocks, nodes, limbs }: SumcheckDescriptor) {
  const first = [
    [activation.quotient, activation.bits],
    [activation.output, activation.bits],
    ...activation.limbs.map((limb) => [limb, activation.bits] as const),
    [table.multiplicity, table.bits],
    ...(copy === null ? [] : [[copy.offset, copy.bits] as const]),
  ] as const
  const second = [
    ...activation.inverses.map((inverse) => [inverse, activation.bits] as const),
    [table.inverse, table.bits],
  ] as const
  const key = nodes.flatMap((node) => {
    if (node.kind === 'copy') return []
    const { axes } = blocks[node.output]!
    const bits = (of: readonly number[], own: readonly number[]) =>
      totalBits(own.map((axis) => of[axis]!))
    const bias = node.bias && ([node.bias.offset, bits(axes, node.bias.axes)] as const)
    const weights = node.terms.flatMap((term) => {
      if (term.weight.kind === 'tensor') return []
      const groups = term.groupAxes.map(([output]) => output)
      const own =
        bits(axes, [...term.outputAxes, ...groups]) +
        bits(blocks[term.input]!.axes, term.contractAxes) +
        axisBits(term.kernel[0] * term.kernel[1])
      return [[term.weight.offset, own] as const]
    })
    return [...(bias === null ? [] : [bias]), ...weights]
  })
  expect(activation.limbs.length).toBe(limbs)
  expect(activation.inverses.length).toBe(limbs + 1)
  return { first, second, key: [...key, [table.output, table.bits] as const] }
}

test('regions and blocks are aligned, apart, and inside the columns of their group', () => {
  for (let seed = 0; seed < 40; seed++) {
    const { descriptor, keyCells } = layOutModel(randomModel(seed), '0x', {
      ...(seed % 2 === 0 ? {} : { columnBits: 4 + (seed % 7) }),
    })
    const rows = 2 ** descriptor.columnBits
    for (const [group, runs] of Object.entries(runsOf(descriptor))) {
      const columns = descriptor.columns[group as 'first' | 'second' | 'key']
      const sorted = [...runs].sort(([a], [b]) => a - b)
      let end = 0
      for (const [start, bits] of sorted) {
        expect(start % 2 ** bits).toBe(0)
        expect(start).toBeGreaterThanOrEqual(end)
        end = start + 2 ** bits
      }
      expect(end).toBeLessThanOrEqual(columns * rows)
      expect(end).toBeGreaterThan((columns - 1) * rows)
    }
    expect(keyCells.length).toBe(descriptor.columns.key * rows)
  }
})

test('runs are packed largest first, without gaps', () => {
  expect(pack([1, 3, 2, 3])).toEqual({ offsets: [20, 0, 16, 8], cells: 22 })
  expect(pack([])).toEqual({ offsets: [], cells: 0 })
})

test('a table that is a part of a longer one has no rows of its own', () => {
  const long = table(-2, 0, 0, 300, 301, 302)
  const inside = table(0, 300, 301)
  const other = table(0, 300, 999)
  const twin = table(0, 300, 999)
  expect(shareTables([inside, long, other, twin])).toEqual({
    kept: [long, other],
    segmentOf: [0, 0, 1, 1],
  })
})

test('a table of bytes does not share rows with one that holds more', () => {
  const long = table(0, 0, 1, 2, 256)
  const bytes = table(0, 0, 1, 2)
  expect(shareTables([long, bytes]).kept).toEqual([long, bytes])
  expect(shareTables([table(0, 0, 1, 2, 255), bytes]).kept.length).toBe(1)
})

test('images are bound by their pixels up to 64 × 64 × 3', () => {
  expect(defaultBinding({ height: 64, width: 64, channels: 3 })).toBe('pixels')
  expect(defaultBinding({ height: 64, width: 65, channels: 3 })).toBe('commitment')
})

test('a column has room for a power of tau a byte of a committed image', () => {
  const { descriptor } = layOutModel(randomModel(31), '0x', { imageBinding: 'commitment' })
  const { height, width, channels } = descriptor.image
  expect(2 ** descriptor.columnBits).toBeGreaterThanOrEqual(height * width * channels)
})
