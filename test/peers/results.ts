import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../../model-export/atomic-write.js'
import { packageRoot } from '../../verifier-contracts/package-root.js'
import { peerModels } from './models.js'
import { renderPage } from './page.js'
import { drawPlot } from './plot.js'
import { provers } from './provers.js'
import type { Benchmarks, ModelInfo, Row } from './row.js'
import { machine, versions } from './run-row.js'

const DOCS = join(packageRoot(), 'docs')
const FILE = join(DOCS, 'benchmarks.json')

/** `docs/benchmarks.json`, or one without rows. */
export function readResults(): Benchmarks {
  if (existsSync(FILE)) return JSON.parse(readFileSync(FILE, 'utf8')) as Benchmarks
  return {
    format: 'platemark-benchmarks',
    version: 1,
    date: '',
    run: '',
    machine: machine(),
    versions: versions(),
    models: [],
    rows: [],
  }
}

/** Puts a row in the place of an older one and writes the file. */
export async function keepRow(row: Row, info: ModelInfo): Promise<void> {
  await writeFileAtomic(FILE, `${JSON.stringify(merge(readResults(), row, info), null, 2)}\n`)
}

/** The page and the plots, from the file alone. */
export async function render(): Promise<void> {
  const results = readResults()
  await writeFileAtomic(join(DOCS, 'benchmarks.md'), renderPage(results))
  const plots = [
    ['prove-time', 'proveSeconds', 'Seconds to prove', 1],
    ['prove-memory', 'peakMemoryBytes', 'Peak memory in GB', 1e-9],
  ] as const
  for (const [name, field, title, unit] of plots)
    await writeFileAtomic(
      join(DOCS, 'images', `${name}.svg`),
      drawPlot(results, { field, title, unit }),
    )
}

function merge(results: Benchmarks, row: Row, info: ModelInfo): Benchmarks {
  const order = (name: string) => peerModels.findIndex((model) => model.name === name)
  const place = ({ model, prover }: Row) =>
    order(model) * provers.length + provers.findIndex(({ name }) => name === prover)
  const others = results.rows.filter((it) => it.model !== row.model || it.prover !== row.prover)
  const known = results.models.find(({ name }) => name === info.name)
  const models = [...results.models.filter(({ name }) => name !== info.name), { ...known, ...info }]
  return {
    format: 'platemark-benchmarks',
    version: 1,
    date: row.date,
    run: row.run,
    machine: row.machine,
    versions: row.versions,
    models: models.sort((a, b) => order(a.name) - order(b.name)),
    rows: [...others, row].sort((a, b) => place(a) - place(b)),
  }
}
