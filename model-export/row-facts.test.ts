import fc from 'fast-check'
import { randomFrom } from '../test/random-model.js'
import type { AffineNode, IntegerTerm, Table } from './integer-model.js'
import { accumulatorBounds, type Bounds, boundsRange, quotientBounds } from './intervals.js'
import { rowFacts } from './row-facts.js'

const LENGTH = 3

type Quantized = AffineNode & { readonly table: number }

/** The quotient and the value of one accumulator, by the definition. */
function look(node: Quantized, table: Table, accumulator: number): number {
  const { multiplier, shift } = node.requantize
  const half = shift > 0 ? 2 ** (shift - 1) : 0
  return table.values[Math.floor((accumulator * multiplier + half) / 2 ** shift) - table.first]!
}

/** A node of one term with a table of values from `value`, and what is known of its output. */
function build(
  term: IntegerTerm,
  shape: readonly number[],
  inputs: readonly Bounds[],
  requantize: { readonly multiplier: number; readonly shift: number },
  value: (q: number) => number,
) {
  const linear = { name: 'node', terms: [term], requantize }
  const accumulators = accumulatorBounds(linear, shape, inputs)
  const quotient = boundsRange(quotientBounds(linear, accumulators))
  const length = quotient.max - quotient.min + 1
  const values = Int32Array.from({ length }, (_, i) => value(quotient.min + i))
  const table: Table = { description: '', first: quotient.min, values }
  const node: Quantized = {
    kind: 'affine',
    ...linear,
    output: inputs.length,
    table: 0,
    accumulator: boundsRange(accumulators),
    quotient,
  }
  const low = new Float64Array(accumulators.low.length).fill(
    values.reduce((a, b) => Math.min(a, b)),
  )
  const high = low.map(() => values.reduce((a, b) => Math.max(a, b)))
  const bounds: Bounds = { low, high, facts: rowFacts(node, table, inputs) }
  return { node, table, bounds }
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })

test.each(['sum', 'squares'] as const)('no row breaks what is known of it: %s', (kind) => {
  let known = 0
  fc.assert(
    fc.property(seeds, (seed) => {
      const random = randomFrom(seed)
      const most = random.integer(1, 5)
      const least = kind === 'sum' ? 0 : -most
      const row: Bounds = {
        low: new Float64Array(LENGTH).fill(least),
        high: new Float64Array(LENGTH).fill(most),
      }
      const requantize = () => ({ multiplier: random.integer(1, 3), shift: random.integer(0, 3) })
      const sum: IntegerTerm =
        kind === 'sum'
          ? {
              kind: 'gemm',
              input: 0,
              rows: 1,
              weight: {
                shape: [1, LENGTH],
                data: new Int32Array(LENGTH).fill(random.integer(1, 2)),
              },
            }
          : {
              kind: 'einsum',
              input: 0,
              operand: 0,
              sizes: [1, LENGTH],
              inputAxes: [0, 1],
              operandAxes: [0, 1],
              outputAxes: [0],
            }
      const top = random.integer(1, 60)
      const factor = build(sum, [1], [row], requantize(), (q) => Math.floor(top / Math.max(1, q)))
      const product: IntegerTerm = {
        kind: 'einsum',
        input: 0,
        operand: 1,
        sizes: [1, LENGTH],
        inputAxes: [0, 1],
        operandAxes: [0],
        outputAxes: [0, 1],
      }
      const scaled = build(product, [1, LENGTH], [row, factor.bounds], requantize(), (q) =>
        Math.max(0, q),
      )
      const bounded = scaled.bounds.facts?.bounded
      expect(factor.bounds.facts?.scales).toBeDefined()
      if (bounded !== undefined) known++
      let broken = 0
      const numbers = Array.from({ length: most - least + 1 }, (_, i) => least + i)
      for (const a of numbers)
        for (const b of numbers)
          for (const c of numbers) {
            const x = [a, b, c]
            const weight = sum.kind === 'gemm' ? sum.weight.data[0]! : 1
            const total = x.reduce((s, v) => s + (kind === 'sum' ? weight * v : v * v), 0)
            const r = look(factor.node, factor.table, total)
            const products = x.map((v) => v * r)
            const { min, max } = scaled.node.accumulator
            if (products.some((value) => value < min || value > max)) broken++
            if (bounded === undefined) continue
            const outputs = products.map((value) => look(scaled.node, scaled.table, value))
            if (outputs.reduce((s, v) => s + v, 0) > bounded.most) broken++
          }
      expect(broken).toBe(0)
    }),
    { numRuns: 60 },
  )
  expect(known > 0).toBe(kind === 'sum')
})
