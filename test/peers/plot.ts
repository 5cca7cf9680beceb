import { provers } from './provers.js'
import type { Benchmarks } from './row.js'

type Field = 'proveSeconds' | 'peakMemoryBytes'

type Point = { readonly x: number; readonly y: number }

/** How a prover did, from small to large models. */
type Series = {
  readonly title: string
  readonly points: readonly Point[]
  /** Activations of models that it did not prove: refused, or stopped at a limit. */
  readonly unproven: readonly number[]
}

const WIDTH = 720
const HEIGHT = 480
const MARGIN = { left: 64, right: 40, top: 148, bottom: 84 }

/** Between title and plot: names of models, in two rows by turns, and rows of crosses, one a prover. */
const STRIP = { names: 62, nameStep: 14, crosses: 90, step: 15 }

/** Distinguishable without red and green, and on light and dark ground. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#9a6fb0']

/**
 * A plot of one number against activations, both logarithmic, one line a prover. A cross above the plot is
 * a model that the prover of its colour did not prove: refused, or stopped at a limit.
 *
 * @returns the SVG
 */
export function drawPlot(
  results: Benchmarks,
  { field, title, unit }: { readonly field: Field; readonly title: string; readonly unit: number },
): string {
  const lines = provers.map(({ name, title }) => series(results, name, title, field, unit))
  const all = lines.flatMap(({ points }) => points)
  const x = axis(
    results.models.flatMap(({ activations }) => activations ?? []),
    MARGIN.left,
    WIDTH - MARGIN.right,
  )
  const y = axis(
    all.map((point) => point.y),
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  )
  const names = [...results.models]
    .sort((a, b) => (a.activations ?? 0) - (b.activations ?? 0))
    .flatMap(({ name, activations }, i) =>
      activations === undefined ? [] : [drawName(name, x.at(activations), i % 2)],
    )
  const drawn = lines.map((line, i) => drawLine(line, i, x.at, y.at))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
<text x="${MARGIN.left}" y="22" font-size="14">${escapeText(title)} against activations (${escapeText(results.machine)})</text>
${y.ticks.map((tick) => grid(MARGIN.left, y.at(tick), WIDTH - MARGIN.right, y.at(tick), label(tick), 'y')).join('\n')}
${x.ticks.map((tick) => grid(x.at(tick), HEIGHT - MARGIN.bottom, x.at(tick), MARGIN.top, label(tick), 'x')).join('\n')}
${names.join('\n')}
${drawn.join('\n')}
<text x="${WIDTH - MARGIN.right}" y="42" text-anchor="end" fill="#555555">× not proven: refused, or stopped at a limit of time or memory</text>
</svg>
`
}

function series(
  { models, rows }: Benchmarks,
  prover: string,
  title: string,
  field: Field,
  unit: number,
): Series {
  const mine = models.flatMap((model) => {
    const row = rows.find((it) => it.model === model.name && it.prover === prover)
    if (row === undefined || row.status === 'not installed') return []
    return model.activations === undefined ? [] : [{ row, x: model.activations }]
  })
  const proven = mine.filter(({ row }) => row.proveSeconds !== null)
  return {
    title,
    points: proven.map(({ row, x }) => ({ x, y: row[field]! * unit })).sort((a, b) => a.x - b.x),
    unproven: mine.filter(({ row }) => row.proveSeconds === null).map(({ x }) => x),
  }
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
  { title, points, unproven }: Series,
  index: number,
  atX: (value: number) => number,
  atY: (value: number) => number,
): string {
  const colour = COLOURS[index % COLOURS.length]
  const path = points.map(({ x, y }) => `${atX(x)},${atY(y)}`).join(' ')
  const marks = points.map(
    ({ x, y }) => `<circle cx="${atX(x)}" cy="${atY(y)}" r="4" fill="${colour}"/>`,
  )
  const crosses = unproven.map((x) => cross(atX(x), STRIP.crosses + index * STRIP.step, colour!))
  const [column, row] = [index % 2, Math.floor(index / 2)]
  const [legendX, legendY] = [MARGIN.left + column * 320, HEIGHT - 48 + row * 18]
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>
${[...marks, ...crosses].join('')}
<rect x="${legendX}" y="${legendY - 9}" width="10" height="10" fill="${colour}"/><text x="${legendX + 16}" y="${legendY}">${escapeText(title)}</text>`
}

function drawName(name: string, x: number, row: number): string {
  const y = STRIP.names + row * STRIP.nameStep
  return `<line x1="${x}" y1="${y + 4}" x2="${x}" y2="${HEIGHT - MARGIN.bottom}" stroke="#bbbbbb" stroke-dasharray="2 3"/><text x="${x}" y="${y}" font-size="11" text-anchor="middle" fill="#555555">${escapeText(name)}</text>`
}

function cross(x: number, y: number, colour: string): string {
  const size = 4
  return `<path d="M${x - size} ${y - size}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}" stroke="${colour}" stroke-width="2"/>`
}

function label(value: number): string {
  return value >= 1 ? value.toLocaleString('en-US') : String(Number(value.toPrecision(1)))
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
