import fc from 'fast-check'
import { randomFrom, randomModel } from '../test/random-model.js'
import { trace } from './execute.js'
import type { AffineNode, IntegerModel } from './integer-model.js'
import { accumulatorBounds, analyseRanges, tableBounds, verifyBounds } from './intervals.js'
import { PlatemarkError } from './platemark-error.js'

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })

function within(values: ArrayLike<number>, range: { min: number; max: number }): boolean {
  return Array.from(values).every((value) => value >= range.min && value <= range.max)
}

test('bounds contain every value of every execution', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const model = randomModel(seed)
      const ranges = analyseRanges(model)
      const random = randomFrom(seed)
      for (let run = 0; run < 10; run++) {
        // Extreme bytes more often than others: they are what bounds are about.
        const latentBytes = Uint8Array.from({ length: model.latent.dimensions }, () =>
          random.pick([0, 255, random.integer(0, 255)]),
        )
        const { tensors, nodes } = trace(model, latentBytes)
        const good =
          tensors.every((tensor, id) => within(tensor, ranges.tensors[id]!)) &&
          nodes.every((node, index) => {
            const range = ranges.nodes[index]
            if (node === undefined || range === undefined) return node === range
            return (
              within(node.accumulator, range.accumulator) && within(node.quotient, range.quotient)
            )
          })
        expect(good).toBe(true)
      }
    }),
    { numRuns: 80 },
  )
})

test('bounds of a node that reads the latent are attained', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const model = randomModel(seed)
      const node = model.nodes[0]!
      const dimensions = model.latent.dimensions
      fc.pre(node.kind === 'affine' && node.terms.length === 1 && dimensions <= 8)
      // The factors of a product are not independent of each other.
      fc.pre(node.terms[0]?.kind !== 'einsum')
      let min = Number.POSITIVE_INFINITY
      let max = Number.NEGATIVE_INFINITY
      for (let corner = 0; corner < 2 ** dimensions; corner++) {
        const latentBytes = Uint8Array.from({ length: dimensions }, (_, i) =>
          (corner >> i) & 1 ? 255 : 0,
        )
        const { accumulator } = trace(model, latentBytes).nodes[0]!
        min = Math.min(min, ...accumulator)
        max = Math.max(max, ...accumulator)
      }
      expect(analyseRanges(model).nodes[0]!.accumulator).toEqual({ min, max })
    }),
    { numRuns: 30 },
  )
})

test('the extremes of any run of any table are those of its rows', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: -1000, max: 1000 }),
      fc.nat(),
      fc.nat(),
      (rows, first, a, b) => {
        const [from, to] = [a % rows.length, b % rows.length].sort((x, y) => x - y) as [
          number,
          number,
        ]
        const found = tableBounds(
          { description: '', first, values: Int32Array.from(rows) },
          { low: Float64Array.of(first + from), high: Float64Array.of(first + to) },
        )
        const run = rows.slice(from, to + 1)
        expect([found.low[0], found.high[0]]).toEqual([Math.min(...run), Math.max(...run)])
      },
    ),
  )
})

describe('verifyBounds', () => {
  test('accepts what is proven, and wider claims', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const model = randomModel(seed)
        verifyBounds(model)
        const tensors = model.tensors.map((t) => ({ ...t, min: t.min - 3, max: t.max + 3 }))
        verifyBounds({ ...model, tensors })
      }),
      { numRuns: 25 },
    )
  })

  test('refuses each claim that is one too narrow', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const model = randomModel(seed)
        for (const change of narrowings(model))
          expect(() => verifyBounds(change)).toThrow(/claims bounds that do not hold/)
      }),
      { numRuns: 25 },
    )
  })

  test('refuses a table that does not cover every quotient', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const model = randomModel(seed)
        const node = model.nodes.at(-1) as AffineNode
        const { first, values } = model.tables[node.table]!
        const kept = node.quotient.max - first
        fc.pre(kept > 0)
        const table = { description: '', first, values: values.slice(0, kept) }
        const tables = model.tables.map((t, i) => (i === node.table ? table : t))
        expect(() => verifyBounds({ ...model, tables })).toThrow(/could leave the table/)
      }),
      { numRuns: 25 },
    )
  })
})

function narrowings(model: IntegerModel): IntegerModel[] {
  const changes: IntegerModel[] = []
  model.tensors.forEach((tensor, id) => {
    for (const claim of [{ min: tensor.min + 1 }, { max: tensor.max - 1 }])
      changes.push({
        ...model,
        tensors: model.tensors.map((t, i) => (i === id ? { ...t, ...claim } : t)),
      })
  })
  model.nodes.forEach((node, index) => {
    if (node.kind !== 'affine') return
    for (const key of ['accumulator', 'quotient'] as const)
      for (const claim of [{ min: node[key].min + 1 }, { max: node[key].max - 1 }])
        changes.push({
          ...model,
          nodes: model.nodes.map((n, i) =>
            i === index ? { ...node, [key]: { ...node[key], ...claim } } : n,
          ),
        })
  })
  return changes
}

test('numbers that doubles cannot hold exactly are refused, also when they would cancel', () => {
  const weight = { shape: [1, 2], data: Int32Array.of(2 ** 30, -(2 ** 30)) }
  const input = { low: new Float64Array(2).fill(2 ** 24), high: new Float64Array(2).fill(2 ** 24) }
  const node = {
    name: 'big',
    terms: [{ kind: 'gemm', input: 0, rows: 1, weight } as const],
  }
  expect(() => accumulatorBounds(node, [1], [input])).toThrow(PlatemarkError)
  const small = {
    low: new Float64Array(2).fill(2 ** 18),
    high: new Float64Array(2).fill(2 ** 18),
  }
  expect(accumulatorBounds(node, [1], [small])).toEqual({
    low: Float64Array.of(0),
    high: Float64Array.of(0),
  })
})
