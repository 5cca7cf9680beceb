import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expandSeed } from '../circuits/seed-expansion.js'
import { fixturePath } from '../fixtures/golden.js'
import { compileModel } from '../model-export/compile-model.js'
import { execute } from '../model-export/execute.js'
import { modelId, writePlate } from '../model-export/plate.js'
import { silent } from '../model-export/progress.js'
import type { Backend } from '../prover/backend.js'
import { backends, findBackend } from '../prover/backends.js'
import { LOCAL_CONTEXT } from '../prover/statement.js'
import { buildDecoder } from './build-decoder.js'

/*
 * Prints what every backend costs for every model, in one run:
 *
 *     npm run bench                  the fixtures, public models where they are at hand, a sweep of widths
 *     npm run bench -- model.onnx    your own
 *
 * Times are wall seconds, `prove` and `verify` the median of PROOFS seeds. Memory is the peak of the
 * process with its children.
 */

const PROOFS = 3
/** Rows that are estimated to take longer are left out, with the estimate. */
const LIMIT_SECONDS = 60
/** Channels of the last hidden layer of the generators that show how cost grows. */
const WIDTHS = [8, 16, 32, 64]
const FIXTURES = [
  fixturePath('sprites/sprites.onnx'),
  fixturePath('landscapes/landscapes.onnx'),
  '../shared/models/sunrises_decoder.onnx',
  '../shared/models/mnist_gan.onnx',
]

/** What needs another program is measured by bench-peers.ts. */
const ours = backends.filter(({ external }) => external !== true)

type Row = Readonly<Record<string, string | number>>

const [first, ...rest] = process.argv.slice(2)
if (first === '--one') {
  // A process for each measurement, because peak memory never goes down.
  process.stdout.write(JSON.stringify(await measure(rest[0]!, findBackend(rest[1]!))))
} else {
  const paths = first === undefined ? FIXTURES : [first, ...rest]
  const folder = await mkdtemp(join(tmpdir(), 'platemark-bench-'))
  try {
    console.table(measureAll(paths.filter(isHere)))
    if (first === undefined) console.table(measureAll(await writeSweep(folder)))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function isHere(path: string): boolean {
  if (existsSync(path)) return true
  process.stderr.write(`${path}: not here, left out\n`)
  return false
}

function measureAll(paths: readonly string[]): readonly Row[] {
  return paths.flatMap((path) =>
    ours.map(({ name }) => {
      process.stderr.write(`${basename(path)} on ${name} …\n`)
      const self = fileURLToPath(import.meta.url)
      const { stdout, status } = spawnSync(process.execPath, [self, '--one', path, name], {
        stdio: ['ignore', 'pipe', 'inherit'],
        encoding: 'utf8',
      })
      if (status !== 0) throw new Error(`${path} on ${name} ended with exit code ${status}`)
      return JSON.parse(stdout) as Row
    }),
  )
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

async function measure(path: string, backend: Backend): Promise<Row> {
  const name = basename(path, '.onnx')
  const options = {
    profile: backend.name === 'groth16' ? 'compact' : 'fidelity',
    latent: 'normal',
    toolVersion: 'bench',
  } as const
  const { model, report } = await compileModel(await readFile(path), name, options, silent)
  const psnr = report.psnr.toFixed(1)
  const estimate = backend.estimate(model)
  const head = {
    model: name,
    backend: backend.name,
    parameters: report.parameters,
    activations: report.activations,
    macs: report.macs,
    psnr,
  }
  if (!estimate.feasible) return { ...head, prove: 'too large' }
  const { compileSeconds, setupSeconds, proveSeconds } = estimate
  const total = compileSeconds + setupSeconds + PROOFS * proveSeconds
  if (total > LIMIT_SECONDS) return { ...head, prove: `left out: ${Math.round(total)} s in all` }
  const directory = await mkdtemp(join(tmpdir(), 'platemark-bench-'))
  try {
    const plate = { directory, model, modelId: modelId(model) }
    await writePlate(directory, model, report)
    const compile = await seconds(() => backend.compile(plate, silent))
    const setup = await seconds(() => backend.setup(plate, { kind: 'development' }, silent))
    const key: unknown = JSON.parse(
      await readFile(join(directory, backend.name, 'verifying-key.json'), 'utf8'),
    )
    const execution: number[] = []
    const proving: number[] = []
    const verifying: number[] = []
    let peak = 0
    let proofBytes = 0
    for (let seed = 0n; seed < PROOFS; seed++) {
      const latent = expandSeed(seed, model.latent.dimensions)
      execution.push(await seconds(async () => execute(model, latent)))
      const proved = await backend.prove(plate, { seed, context: LOCAL_CONTEXT }, silent)
      proving.push(proved.seconds)
      peak = Math.max(peak, proved.peakMemoryBytes)
      proofBytes = proved.proof.length
      const { statement, proof, pixels } = proved
      const request = {
        verifyingKey: key,
        latentDimensions: latent.length,
        statement,
        proof,
        pixels,
      }
      verifying.push(await seconds(() => backend.verify(request)))
    }
    return {
      ...head,
      execute: median(execution),
      compile: compile.toFixed(1),
      setup: setup.toFixed(1),
      prove: median(proving),
      'prove (estimate)': estimate.proveSeconds.toFixed(2),
      verify: median(verifying),
      'peak MB': Math.round(peak / 1e6),
      'peak MB (estimate)': Math.round(estimate.peakMemoryBytes / 1e6),
      'proof bytes': proofBytes,
      'gas (estimate)': estimate.gas,
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function seconds(action: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await action()
  return (performance.now() - began) / 1000
}

function median(values: readonly number[]): string {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!.toFixed(3)
}
