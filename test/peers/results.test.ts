import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../verifier-contracts/package-root.js'
import { Hopeless, refuseHopeless } from './measure.js'
import { renderPage } from './page.js'
import { planRow } from './plan.js'
import { drawPlot } from './plot.js'
import { readResults } from './results.js'
import type { Row } from './row.js'
import { emptyRow } from './run-row.js'

const results = readResults()
const limits = { seconds: 240, memoryBytes: 16e9 }

function row(prover: string, known: Partial<Row>): Row {
  const request = { model: 'tiny', prover, run: '2026-01-01T00:00:00Z', limits }
  return { ...emptyRow(request, 'done'), ...known }
}

test('page and plots are those of the results', () => {
  const read = (path: string) => readFileSync(join(packageRoot(), 'docs', path), 'utf8')
  expect(read('benchmarks.md')).toBe(renderPage(results))
  for (const [name, field, title, unit] of [
    ['prove-time', 'proveSeconds', 'Seconds to prove', 1],
    ['prove-memory', 'peakMemoryBytes', 'Peak memory in GB', 1e-9],
  ] as const)
    expect(read(`images/${name}.svg`)).toBe(drawPlot(results, { field, title, unit }))
})

test('ratios come from the sumcheck proofs right before and after, and only from those', () => {
  const proven = { proveSeconds: 30, proveCpuSeconds: 40 }
  const rows = [
    row('sumcheck', { proveSeconds: 100, proveCpuSeconds: 100 }),
    row('groth16', { ...proven, paired: { proveSeconds: 3, proveCpuSeconds: 8 } }),
    row('ezkl', proven),
  ]
  const page = renderPage({ ...results, rows })
  expect(page).toContain('right before and after: groth16 10 (CPU time 5.0).')
})

test('a plot marks a model that was not proven, and draws no number for it', () => {
  const stopped = { status: 'memory limit', peakMemoryBytes: 16e9 } as const
  const plot = (rows: readonly Row[]) =>
    drawPlot(
      { ...results, rows },
      { field: 'peakMemoryBytes', title: 'Peak memory in GB', unit: 1e-9 },
    )
  const count = (svg: string, mark: RegExp) => (svg.match(mark) ?? []).length
  const done = row('sumcheck', { proveSeconds: 1, peakMemoryBytes: 1e9 })
  const svg = plot([done, row('ezkl', stopped)])
  expect([count(svg, /<circle/g), count(svg, /<path/g)]).toEqual([1, 1])
})

test('a setup far beyond a limit is not begun, one that may pass it is', () => {
  const expected = (gigabytes: number, setupSeconds: number) => () =>
    refuseHopeless({ peakMemoryBytes: gigabytes * 1e9, setupSeconds }, limits)
  expect(expected(31, 470)).not.toThrow()
  expect(expected(33, 1)).toThrow(Hopeless)
  expect(expected(1, 490)).toThrow(/setup was not begun: about 490 s/)
})

test('a plan cuts a row off at the limits', () => {
  const last = [row('ezkl', { compileSeconds: 5, setupSeconds: 900, proveSeconds: 900 })]
  expect(planRow('tiny', 'ezkl', last, { limits, proofs: 3 }).seconds).toBe(20 + 5 + 240 + 240)
  expect(planRow('tiny', 'groth16', last, { limits, proofs: 3 }).seconds).toBeUndefined()
})
