import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { toolVersion } from '../cli/version.js'
import { writeFileAtomic } from '../model-export/atomic-write.js'
import { EZKL_VERSION, findPython } from '../prover/ezkl/installation.js'
import { packageRoot } from '../verifier-contracts/package-root.js'
import { firstLine, Infeasible, type Measurement } from './peers/measure.js'
import { peerModels } from './peers/models.js'
import { renderPage } from './peers/page.js'
import { drawPlot } from './peers/plot.js'
import { killTree, residentTree } from './peers/process-tree.js'
import { provers } from './peers/provers.js'
import type { Benchmarks, ModelInfo, Row, Status } from './peers/row.js'

/*
 * The same models on the same machine, for our backends and for others:
 *
 *     npm run bench:peers                                   everything
 *     npm run bench:peers -- --prover sumcheck              these rows again, the others kept
 *     npm run bench:peers -- --model sprites --model tiny
 *     npm run bench:peers -- --time-limit 600 --memory-limit 16
 *     npm run bench:peers -- --render                       page and plots from the file alone
 *
 * Results go to docs/benchmarks.json after every row; docs/benchmarks.md and the plots are made from it.
 * Every row is a process of its own. The limits are for a stage (compile, setup, one proof) and for the
 * memory of the process with all that it starts; what a row had measured until it was ended is kept.
 */

const { values } = parseArgs({
  options: {
    model: { type: 'string', multiple: true },
    prover: { type: 'string', multiple: true },
    'time-limit': { type: 'string', default: '600' },
    'memory-limit': { type: 'string', default: '16' },
    proofs: { type: 'string', default: '3' },
    render: { type: 'boolean', default: false },
    one: { type: 'boolean', default: false },
  },
})

const DOCS = join(packageRoot(), 'docs')
const FILE = join(DOCS, 'benchmarks.json')
const SECONDS = Number(values['time-limit'])
const MEMORY_BYTES = Number(values['memory-limit']) * 1e9
/** Milliseconds between two looks at memory. */
const INTERVAL = 100

if (values.one) await measureHere()
else {
  if (!values.render) await measureAll()
  await render(readResults())
}

/** In a process of its own, because peak memory never goes down. One line of JSON for every news. */
async function measureHere(): Promise<void> {
  const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
  const model = peerModels.find(({ name }) => name === values.model?.[0])!
  const prover = provers.find(({ name }) => name === values.prover?.[0])!
  try {
    const onnx = await model.read()
    if (onnx === undefined) throw new Error('the model is not here')
    await prover.measure(onnx, model.name, Number(values.proofs), (stage, known) =>
      tell({ stage, known }),
    )
    tell({ status: 'done' })
  } catch (error) {
    tell({ status: error instanceof Infeasible ? 'refused' : 'failed', reason: firstLine(error) })
  }
  process.exit(0)
}

async function measureAll(): Promise<void> {
  const wanted = <T extends { readonly name: string }>(list: readonly T[], names?: string[]) =>
    list.filter(({ name }) => names === undefined || names.includes(name))
  for (const model of wanted(peerModels, values.model)) {
    if ((await model.read()) === undefined) {
      process.stderr.write(`${model.name}: not here, left out\n`)
      continue
    }
    for (const prover of wanted(provers, values.prover)) {
      process.stderr.write(`${model.name} on ${prover.name} …`)
      const { row, info } = prover.isInstalled()
        ? await measureRow(model.name, prover.name)
        : { row: emptyRow(model.name, prover.name, 'not installed'), info: {} }
      process.stderr.write(` ${row.status}${row.reason === null ? '' : `: ${row.reason}`}\n`)
      await writeFileAtomic(
        FILE,
        `${JSON.stringify(merge(readResults(), row, { name: model.name, source: model.source, ...info }), null, 2)}\n`,
      )
    }
  }
}

/** Runs a row and watches it. */
function measureRow(
  model: string,
  prover: string,
): Promise<{ readonly row: Row; readonly info: Partial<ModelInfo> }> {
  const start = emptyRow(model, prover, 'failed')
  const self = fileURLToPath(import.meta.url)
  const args = [self, '--one', '--model', model, '--prover', prover, '--proofs', values.proofs]
  // Whatever ends the row, its temporary files go with it.
  const temporary = mkdtempSync(join(tmpdir(), 'platemark-peers-'))
  const remove = () => rmSync(temporary, { recursive: true, force: true, maxRetries: 10 })
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: temporary },
  })
  const pid = child.pid!
  let known: Measurement = {}
  let stage = 'start'
  let status: Status = 'failed'
  let reason: string | null = 'it ended without a word'
  const stageMemoryBytes: Record<string, number> = {}
  const stop = (why: Status, text: string) => {
    status = why
    reason = `${text} in ${stage}`
    clearInterval(watch)
    killTree(pid)
  }
  let news = performance.now()
  const watch = setInterval(() => {
    const bytes = residentTree(pid)
    stageMemoryBytes[stage] = Math.max(stageMemoryBytes[stage] ?? 0, bytes)
    if (bytes > MEMORY_BYTES) stop('memory limit', `more than ${MEMORY_BYTES / 1e9} GB`)
    else if (performance.now() - news > SECONDS * 1000) stop('time limit', `more than ${SECONDS} s`)
  }, INTERVAL)
  const end = () => {
    killTree(pid)
    remove()
    process.exit(130)
  }
  process.once('SIGINT', end)
  const stopped = () => status === 'time limit' || status === 'memory limit'
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line)
    news = performance.now()
    if (said.known !== undefined) {
      stage = said.stage
      known = { ...known, ...said.known }
    } else if (!stopped()) {
      status = said.status
      reason = said.reason ?? null
    }
  })
  return new Promise((resolve) => {
    child.once('close', () => {
      clearInterval(watch)
      process.off('SIGINT', end)
      remove()
      const { parameters, activations, macs, image, ...measured } = known
      const info = Object.fromEntries(
        Object.entries({ parameters, activations, macs, image }).filter(([, value]) => value),
      )
      const peak = Math.max(0, ...Object.values(stageMemoryBytes))
      const row: Row = {
        ...start,
        ...measured,
        status,
        reason,
        peakMemoryBytes: peak === 0 ? null : peak,
        stageMemoryBytes,
      }
      resolve({ row, info })
    })
  })
}

function emptyRow(model: string, prover: string, status: Status): Row {
  return {
    model,
    prover,
    status,
    reason: null,
    profile: null,
    compileSeconds: null,
    setupSeconds: null,
    proveSeconds: null,
    setupCpuSeconds: null,
    proveCpuSeconds: null,
    verifySeconds: null,
    peakMemoryBytes: null,
    stageMemoryBytes: {},
    provingKeyBytes: null,
    proofBytes: null,
    gas: null,
    codeBytes: null,
    chain: null,
    psnr: null,
    limits: { seconds: SECONDS, memoryBytes: MEMORY_BYTES },
    machine: machine(),
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    date: new Date().toISOString().slice(0, 10),
    versions: versions(),
  }
}

function merge(results: Benchmarks, row: Row, info: ModelInfo): Benchmarks {
  const place = ({ model, prover }: Pick<Row, 'model' | 'prover'>) =>
    peerModels.findIndex(({ name }) => name === model) * provers.length +
    provers.findIndex(({ name }) => name === prover)
  const others = results.rows.filter((it) => it.model !== row.model || it.prover !== row.prover)
  const known = results.models.find(({ name }) => name === info.name)
  const models = [...results.models.filter(({ name }) => name !== info.name), { ...known, ...info }]
  const order = (name: string) => peerModels.findIndex((model) => model.name === name)
  return {
    format: 'platemark-benchmarks',
    version: 1,
    date: row.date,
    machine: row.machine,
    versions: row.versions,
    models: models.sort((a, b) => order(a.name) - order(b.name)),
    rows: [...others, row].sort((a, b) => place(a) - place(b)),
  }
}

function readResults(): Benchmarks {
  if (existsSync(FILE)) return JSON.parse(readFileSync(FILE, 'utf8')) as Benchmarks
  return {
    format: 'platemark-benchmarks',
    version: 1,
    date: '',
    machine: machine(),
    versions: versions(),
    models: [],
    rows: [],
  }
}

async function render(results: Benchmarks): Promise<void> {
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

function machine(): string {
  const [cpu] = cpus()
  return `${cpu?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`
}

function versions(): Readonly<Record<string, string>> {
  const git = spawnSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: packageRoot(),
    encoding: 'utf8',
  })
  return {
    platemark: toolVersion,
    ...(git.status === 0 ? { commit: git.stdout.trim() } : {}),
    node: process.versions.node,
    ...(findPython() === undefined ? {} : { ezkl: EZKL_VERSION }),
  }
}
