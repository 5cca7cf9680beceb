import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fixturePath } from '../fixtures/golden.js'
import { writeFileAtomic } from '../model-export/atomic-write.js'
import { backends, findBackend } from '../prover/backends.js'
import { packageRoot } from '../verifier-contracts/package-root.js'
import { type Prepared, type Proven, prepareRow, proveRow } from './bench-row.js'
import { type BenchRow, phaseTable, resultTable } from './bench-tables.js'
import { buildDecoder } from './build-decoder.js'
import { machine } from './peers/run-row.js'

/*
 * Prints what every backend costs for every model, in one run of at most 12 minutes:
 *
 *     npm run bench                  the fixtures, public models where they are at hand, a sweep of widths
 *     npm run bench -- model.onnx    your own
 *     npm run bench -- --write       the same tables into docs/performance.md
 *     npm run bench -- --budget 60 --row-limit 600
 *
 * Times are wall seconds, `prove` and `verify` the median of three seeds. Memory is the peak of the
 * process that proves, with its children. Rows that are estimated to take longer than the limit
 * (seconds) are left out, with the estimate; none is begun after the budget (minutes).
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    write: { type: 'boolean', default: false },
    budget: { type: 'string', default: '12' },
    'row-limit': { type: 'string', default: '60' },
    // Of the processes of one row.
    prepare: { type: 'string' },
    prove: { type: 'string' },
    backend: { type: 'string', default: 'sumcheck' },
  },
})

const PROOFS = 3
const ROW_SECONDS = Number(values['row-limit'])
const BUDGET_SECONDS = 60 * Number(values.budget)
/** A row that takes this many times its limit is ended: estimates are for an idle machine. */
const PATIENCE = 5
/** Channels of the last hidden layer of the generators that show how cost grows. */
const WIDTHS = [8, 16, 32, 64]
const MODELS = [
  fixturePath('sprites/sprites.onnx'),
  '../shared/models/sunrises_decoder.onnx',
  '../shared/models/mnist_gan.onnx',
  fixturePath('landscapes/landscapes.onnx'),
]
const PAGE = join(packageRoot(), 'docs', 'performance.md')
const [BEGIN, END] = ['<!-- npm run bench -- --write -->', '<!-- end -->']

/** What needs another program is measured by bench-peers.ts. */
const ours = backends.filter(({ requireProgram }) => requireProgram === undefined)

if (values.prepare !== undefined) {
  const limits = { proofs: PROOFS, limitSeconds: ROW_SECONDS }
  const backend = findBackend(values.backend)
  tell(await prepareRow(positionals[0]!, backend, values.prepare, limits))
} else if (values.prove !== undefined) {
  tell(await proveRow(values.prove, findBackend(values.backend), PROOFS))
} else {
  await measureAll()
}

/** The processes of a row answer with one line of JSON. */
function tell(answer: Prepared | Proven): void {
  process.stdout.write(JSON.stringify(answer))
  process.exitCode = 0
}

async function measureAll(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'platemark-bench-'))
  try {
    const given = positionals.length > 0
    const models = (given ? positionals : MODELS).filter(isHere)
    const sweep = given ? [] : await writeSweep(folder)
    const count = (models.length + sweep.length) * ours.length
    say(
      `${count} rows (${[...models, ...sweep].map((path) => basename(path, '.onnx')).join(', ')}, each on ${ours.map(({ name }) => name).join(' and ')}), ${PROOFS} proofs a row; none begun after ${values.budget} minutes, none that is estimated at more than ${ROW_SECONDS} s.\n`,
    )
    const deadline = performance.now() + BUDGET_SECONDS * 1000
    const rows = measureRows(models, folder, deadline)
    const swept = measureRows(sweep, folder, deadline)
    const text = [
      `${machine()}, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}; ${PROOFS} proofs a row.`,
      resultTable(rows),
      'Phases of the last sumcheck proof, in seconds:',
      phaseTable(rows),
      ...(swept.length === 0
        ? []
        : [
            'Generators of one shape (32 latents to 32 × 32 × 3) and growing width:',
            resultTable(swept),
          ]),
    ].join('\n\n')
    process.stdout.write(`${text}\n`)
    if (values.write) await writeToPage(text)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function isHere(path: string): boolean {
  if (existsSync(path)) return true
  say(`${path}: not here, left out\n`)
  return false
}

function measureRows(
  paths: readonly string[],
  folder: string,
  deadline: number,
): readonly BenchRow[] {
  return paths.flatMap((path, i) =>
    ours.map(({ name }): BenchRow => {
      const model = basename(path, '.onnx')
      say(`${model} on ${name} … `)
      if (performance.now() > deadline) {
        say('left out, the time of the run is over\n')
        return { model, backend: name, ended: 'left out: the time of the run is over' }
      }
      const plate = join(folder, `${i}-${model}-${name}`)
      const prepared = runSelf<Prepared>(['--prepare', plate, '--backend', name, path])
      const leftOut = typeof prepared === 'string' ? prepared : prepared.leftOut
      if (typeof prepared === 'string' || prepared.leftOut !== undefined) {
        say(`${leftOut}\n`)
        const known = typeof prepared === 'string' ? {} : { prepared }
        return { model, backend: name, ended: leftOut!, ...known }
      }
      const proven = runSelf<Proven>(['--prove', plate, '--backend', name])
      say(typeof proven === 'string' ? `${proven}\n` : `${proven.proveSeconds.toFixed(2)} s\n`)
      const known = typeof proven === 'string' ? { ended: proven } : { proven }
      return { model, backend: name, prepared, ...known }
    }),
  )
}

/** A process for each measurement, because peak memory never goes down. Text where it had no answer. */
function runSelf<T>(args: readonly string[]): T | string {
  const self = fileURLToPath(import.meta.url)
  const limits = ['--row-limit', values['row-limit']]
  const { stdout, status, error } = spawnSync(process.execPath, [self, ...args, ...limits], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    timeout: PATIENCE * ROW_SECONDS * 1000,
    maxBuffer: 1 << 24,
  })
  if (error !== undefined) return `ended after ${PATIENCE * ROW_SECONDS} s`
  return status === 0 ? (JSON.parse(stdout) as T) : `ended with exit code ${status}`
}

/** Generators of one shape and growing width: 32 latents to 32 × 32 × 3, random weights. */
async function writeSweep(folder: string): Promise<readonly string[]> {
  return Promise.all(
    WIDTHS.map(async (width) => {
      const path = join(folder, `width-${width}.onnx`)
      await writeFile(path, buildDecoder(width))
      return path
    }),
  )
}

/** Puts the tables between the marks in docs/performance.md. */
async function writeToPage(text: string): Promise<void> {
  const page = await readFile(PAGE, 'utf8')
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`${PAGE} has no ${BEGIN} … ${END}`)
  await writeFileAtomic(PAGE, `${page.slice(0, from + BEGIN.length)}\n${text}\n${page.slice(to)}`)
}

function say(text: string): void {
  process.stderr.write(text)
}
