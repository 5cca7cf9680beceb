import type { Prepared, Proven } from './bench-row.js'

/** A row of the benchmark, as far as it came. */
export type BenchRow = {
  readonly model: string
  readonly backend: string
  readonly prepared?: Prepared
  readonly proven?: Proven
  /** Why there is no more. */
  readonly ended?: string
}

/** Everything about every row, as a table in Markdown. */
export function resultTable(rows: readonly BenchRow[]): string {
  const heads = [
    'model',
    'backend',
    'parameters',
    'activations',
    'MACs',
    'PSNR',
    'compile',
    'setup',
    'prove',
    'estimated',
    'CPU',
    'verify',
    'peak memory',
    'estimated',
    'proof',
    'gas',
    'estimated',
  ]
  return table(heads, rows.map(cells))
}

function cells({ model, backend, prepared, proven, ended }: BenchRow): readonly string[] {
  const head = [model, backend]
  if (prepared === undefined) return [...head, ...Array(6).fill(''), ended ?? '']
  const { estimate } = prepared
  const size = [
    digits(prepared.parameters),
    digits(prepared.activations),
    digits(prepared.macs),
    `${prepared.psnr.toFixed(1)} dB`,
    seconds(prepared.compileSeconds),
    seconds(prepared.setupSeconds),
  ]
  if (proven === undefined) return [...head, ...size, ended ?? '']
  return [
    ...head,
    ...size,
    seconds(proven.proveSeconds),
    seconds(estimate.proveSeconds),
    seconds(proven.proveCpuSeconds),
    seconds(proven.verifySeconds),
    megabytes(proven.peakMemoryBytes),
    megabytes(estimate.peakMemoryBytes),
    `${digits(proven.proofBytes)} B`,
    digits(proven.gas),
    digits(estimate.gas),
  ]
}

/** Where the time of a sumcheck proof goes. */
export function phaseTable(rows: readonly BenchRow[]): string {
  const proven = rows.flatMap(({ model, backend, proven }) =>
    backend === 'sumcheck' && proven !== undefined ? [{ model, phases: proven.phases }] : [],
  )
  const names = [...new Set(proven.flatMap(({ phases }) => phases.map(([name]) => name)))]
  return table(
    ['phase', ...proven.map(({ model }) => model)],
    names.map((name) => [
      name,
      ...proven.map(({ phases }) =>
        phases
          .filter(([phase]) => phase === name)
          .reduce((sum, [, time]) => sum + time, 0)
          .toFixed(3),
      ),
    ]),
  )
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (texts: readonly string[]) => {
    const missing = Array<string>(Math.max(0, heads.length - texts.length)).fill('')
    return `| ${[...texts, ...missing].map((text) => text.replaceAll('|', '/')).join(' | ')} |`
  }
  return [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

function seconds(value: number | undefined): string {
  return value === undefined ? '' : `${value.toFixed(value < 10 ? 2 : 1)} s`
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}

function digits(value: number): string {
  return value.toLocaleString('en-US')
}
