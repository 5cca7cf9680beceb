import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expandSeed } from '../circuits/seed-expansion.js'
import { fixturePath } from '../fixtures/golden.js'
import { compileModel } from '../model-export/compile-model.js'
import { execute } from '../model-export/execute.js'
import { modelId, writePlate } from '../model-export/plate.js'
import { silent } from '../model-export/progress.js'
import type { Backend } from '../prover/backend.js'
import { backends } from '../prover/backends.js'
import { LOCAL_CONTEXT } from '../prover/statement.js'

/*
 * Prints what every backend costs for every model, in one run:
 *
 *     npm run bench                  the fixtures, and public models where they are at hand
 *     npm run bench -- model.onnx    your own
 *
 * Times are wall seconds, `prove` and `verify` the median of PROOFS seeds. Memory is the peak of the
 * process with its children.
 */

const PROOFS = 3
const given = process.argv.slice(2)
const models = (
  given.length > 0
    ? given
    : [
        fixturePath('sprites/sprites.onnx'),
        '../shared/models/sunrises_decoder.onnx',
        '../shared/models/mnist_gan.onnx',
      ]
).filter((path) => {
  if (existsSync(path)) return true
  process.stderr.write(`${path}: not here, left out\n`)
  return false
})

type Row = Readonly<Record<string, string | number>>
const rows: Row[] = []
for (const path of models)
  for (const backend of backends) {
    process.stderr.write(`${basename(path)} on ${backend.name} …\n`)
    rows.push(await measure(path, backend))
  }
console.table(rows)

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
  const head = { model: name, backend: backend.name, psnr }
  if (!estimate.feasible) return { ...head, prove: 'too large' }
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
      'proof bytes': proofBytes,
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
