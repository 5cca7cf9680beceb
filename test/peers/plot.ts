import { provers } from './provers.js'
import type { Benchmarks, Row } from './row.js'

type Field = 'proveSeconds' | 'peakMemoryBytes'

type Point = { readonly x: number; readonly y: number; readonly stopped: boolean }

const WIDTH = 720
const HEIGHT = 420
const MARGIN = { left: 64, right: 24, top: 44, bottom: 84 }

/** Distinguishable without red and green, and on light and dark ground. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#9a6fb0']

/**
 * A plot of one number against activations, both logarithmic, one line a prover. A hollow mark is a row
 * that ended at a limit: the number that it had reached, or the limit.
 *
 * @returns the SVG
 */
export function drawPlot(
  results: Benchmarks,
  { field, title, unit }: { readonly field: Field; readonly title: string; readonly unit: number },
): string {
  const lines = provers.map(({ name, title }) => ({
    title,
    points: results.models
      .flatMap((model) => pointOf(results.rows, model, name, field, unit))
      .sort((a, b) => a.x - b.x),
  }))
  const all = lines.flatMap(({ points }) => points)
  const x = axis(
    all.map((point) => point.x),
    MARGIN.left,
    WIDTH - MARGIN.right,
  )
  const y = axis(
    all.map((point) => point.y),
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  )
  const drawn = lines.map(({ title, points }, i) => drawLine(title, points, i, x.at, y.at))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
<text x="${MARGIN.left}" y="22" font-size="14">${escapeText(title)} against activations (${escapeText(results.machine)})</text>
${y.ticks.map((tick) => grid(MARGIN.left, y.at(tick), WIDTH - MARGIN.right, y.at(tick), label(tick), 'y')).join('\n')}
${x.ticks.map((tick) => grid(x.at(tick), HEIGHT - MARGIN.bottom, x.at(tick), MARGIN.top, label(tick), 'x')).join('\n')}
${drawn.join('\n')}
<text x="${MARGIN.left}" y="${HEIGHT - 8}" fill="#555555">hollow: stopped at a limit of time or memory</text>
</svg>
`
}

function pointOf(
  rows: readonly Row[],
  model: Benchmarks['models'][number],
  prover: string,
  field: Field,
  unit: number,
): readonly Point[] {
  const row = rows.find((it) => it.model === model.name && it.prover === prover)
  if (row === undefined || model.activations === undefined) return []
  const stopped = row.status === 'time limit' || row.status === 'memory limit'
  const value = row[field] ?? (stopped && field === 'proveSeconds' ? row.limits.seconds : null)
  if (value === null || (row.status !== 'done' && !stopped)) return []
  return [{ x: model.activations, y: value * unit, stopped }]
}

/** A logarithmic axis over whole powers of ten. */
function axis(values: readonly number[], from: number, to: number) {
  const low = Math.floor(Math.log10(Math.min(...values, Number.MAX_VALUE)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values, Number.MIN_VALUE))))
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i))
  const at = (value: number) =>
    Math.round(10 * (from + ((Math.log10(value) - low) / (high - low)) * (to - from))) / 10
  return { ticks, at }
}

function grid(x1: number, y1: number, x2: number, y2: number, text: string, kind: 'x' | 'y') {
  const place =
    kind === 'y'
      ? `x="${x1 - 8}" y="${y1 + 4}" text-anchor="end"`
      : `x="${x1}" y="${y1 + 18}" text-anchor="middle"`
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#dddddd"/><text ${place}>${text}</text>`
}

function drawLine(
  title: string,
  points: readonly Point[],
  index: number,
  atX: (value: number) => number,
  atY: (value: number) => number,
): string {
  const colour = COLOURS[index % COLOURS.length]
  const path = points.map(({ x, y }) => `${atX(x)},${atY(y)}`).join(' ')
  const marks = points.map(
    ({ x, y, stopped }) =>
      `<circle cx="${atX(x)}" cy="${atY(y)}" r="4" stroke="${colour}" fill="${stopped ? '#ffffff' : colour}"/>`,
  )
  const [column, row] = [index % 2, Math.floor(index / 2)]
  const [legendX, legendY] = [MARGIN.left + column * 320, HEIGHT - 48 + row * 18]
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>
${marks.join('')}
<rect x="${legendX}" y="${legendY - 9}" width="10" height="10" fill="${colour}"/><text x="${legendX + 16}" y="${legendY}">${escapeText(title)}</text>`
}

function label(value: number): string {
  return value >= 1 ? value.toLocaleString('en-US') : String(Number(value.toPrecision(1)))
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
