import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expandSeed } from '../circuits/seed-expansion.js'
import { compileModel } from '../model-export/compile-model.js'
import { execute } from '../model-export/execute.js'
import { modelId, writePlate } from '../model-export/plate.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { silent } from '../model-export/progress.js'
import { findBackend } from '../prover/backends.js'
import { verifyBundle, writeProvenance } from '../prover/provenance.js'
import { LOCAL_CONTEXT } from '../prover/statement.js'
import { verifyInEvm } from '../prover/verify-in-evm.js'

/*
 * Takes every ONNX file of a folder through compile, setup, prove and verify, one row a file:
 *
 *     npm run zoo -- ../shared/models           files or folders
 *     npm run zoo -- ../shared/models --evm     also the generated contract, with its gas
 *     npm run zoo -- ../shared/models --json    an array of rows
 *
 * An output that is no image counts as one (`anyOutput`). "exact" says that the integer executor made the
 * very pixels that were proven. PSNR is against onnxruntime: of all seeds, and of the worst.
 * The exit code is 1 unless every file went all the way.
 */

/** Each file, in a process of its own, because peak memory never goes down. */
const TIME_LIMIT_SECONDS = 600
const SEED = 42n
/** Calibration and comparison run a model this often, fewer times where it is large. */
const SEEDS = 64
const LARGE_MODEL_SEEDS = 8

type Row = {
  readonly model: string
  readonly compiled: boolean
  readonly exact: boolean
  readonly proved: boolean
  readonly verified: boolean
  readonly evm?: boolean
  readonly gas?: number
  readonly picture?: string
  readonly macs?: number
  readonly psnr?: number
  readonly worstPsnr?: number
  readonly proveSeconds?: number
  readonly seconds: number
  readonly peakMegabytes?: number
  /** Why a row ends early. */
  readonly reason?: string
}

const args = process.argv.slice(2)
const withEvm = args.includes('--evm')
const asJson = args.includes('--json')
const paths = args.filter((arg) => !arg.startsWith('--'))
if (args.includes('--one')) {
  process.stdout.write(JSON.stringify(await takeThrough(paths[0]!)))
} else {
  const files = paths.flatMap(onnxFiles)
  if (files.length === 0) {
    process.stderr.write('no ONNX files; try: npm run zoo -- ../shared/models\n')
    process.exit(2)
  }
  const rows = files.map(inItsOwnProcess)
  const passed = rows.filter(({ reason }) => reason === undefined).length
  if (asJson) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
  else {
    console.table(rows.map(({ reason: _, ...row }) => row))
    for (const { model, reason } of rows)
      if (reason !== undefined) process.stdout.write(`${model}: ${reason}\n`)
  }
  process.stderr.write(`${passed} of ${rows.length} files went all the way\n`)
  process.exit(passed === rows.length ? 0 : 1)
}

function onnxFiles(path: string): readonly string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path]
  const names = readdirSync(path).filter((name) => name.endsWith('.onnx'))
  return names.sort().map((name) => join(path, name))
}

function inItsOwnProcess(path: string): Row {
  process.stderr.write(`${basename(path)} …\n`)
  const self = fileURLToPath(import.meta.url)
  const { stdout, status, signal } = spawnSync(
    process.execPath,
    [self, '--one', path, ...(withEvm ? ['--evm'] : [])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
      timeout: TIME_LIMIT_SECONDS * 1000,
      maxBuffer: 2 ** 24,
    },
  )
  if (status === 0) return JSON.parse(stdout) as Row
  const reason = `ended with ${signal === 'SIGTERM' ? `more than ${TIME_LIMIT_SECONDS} s` : `${signal ?? `exit code ${status}`}`}`
  return { ...nothing(path), seconds: 0, reason }
}

function nothing(path: string) {
  return {
    model: basename(path, '.onnx'),
    compiled: false,
    exact: false,
    proved: false,
    verified: false,
  }
}

async function takeThrough(path: string): Promise<Row> {
  const began = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'platemark-zoo-'))
  const row: { -readonly [key in keyof Row]: Row[key] } = { ...nothing(path), seconds: 0 }
  try {
    const onnx = await readFile(path)
    const seeds = onnx.length > 2 ** 18 ? LARGE_MODEL_SEEDS : SEEDS
    const options = {
      profile: 'fidelity',
      latent: 'normal',
      anyOutput: true,
      calibrationSeeds: 2 * seeds,
      seeds,
      toolVersion: 'zoo',
    } as const
    const backend = findBackend('sumcheck')
    const { model, report } = await compileModel(onnx, row.model, options, silent)
    const { height, width, channels } = model.image
    row.picture = `${height}×${width}×${channels}`
    row.macs = report.macs
    row.psnr = rounded(report.psnr)
    row.worstPsnr = rounded(report.worstPsnr)
    const plate = { directory: folder, model, modelId: modelId(model) }
    await writePlate(folder, model, report)
    await backend.compile(plate, silent)
    row.compiled = true
    await backend.setup(plate, { kind: 'development' }, silent)
    await mkdir(join(folder, 'out'))
    const bundlePath = join(folder, 'out', 'zoo.provenance.json')
    const request = { seed: SEED, context: LOCAL_CONTEXT }
    const { bundle, proved } = await writeProvenance(
      plate,
      backend,
      request,
      bundlePath,
      'zoo',
      silent,
    )
    row.proved = true
    row.proveSeconds = rounded(proved.seconds)
    row.peakMegabytes = Math.round(proved.peakMemoryBytes / 1e6)
    const pixels = execute(model, expandSeed(SEED, model.latent.dimensions))
    row.exact = Buffer.from(pixels).equals(Buffer.from(proved.pixels))
    if (!row.exact) throw new Error('the proven pixels are not those of the integer executor')
    const { valid, reason } = await verifyBundle(bundle, bundlePath, { plate })
    row.verified = valid
    if (!valid) throw new Error(reason)
    if (withEvm) {
      const { check, gas } = await verifyInEvm(bundle, bundlePath, plate)
      row.evm = check.result === 'passed'
      row.gas = Number(gas.transaction)
      if (!row.evm) throw new Error(check.detail)
    }
  } catch (error) {
    row.reason = describe(error)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  row.seconds = rounded((performance.now() - began) / 1000)
  return row
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}

function describe(error: unknown): string {
  const text =
    error instanceof PlatemarkError || !(error instanceof Error)
      ? String(error instanceof Error ? error.message : error)
      : (error.stack ?? error.message)
  return text.replaceAll('\n', ' ')
}
