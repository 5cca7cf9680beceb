import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expandSeed } from '../circuits/seed-expansion.js'
import { compileModel } from '../model-export/compile-model.js'
import { conditionsOf, sampleConditions } from '../model-export/conditions.js'
import { execute } from '../model-export/execute.js'
import { readOnnxFile } from '../model-export/onnx/read-onnx-file.js'
import { modelId, writePlate } from '../model-export/plate.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { silent } from '../model-export/progress.js'
import { findBackend } from '../prover/backends.js'
import { verifyBundle, writeProvenance } from '../prover/provenance.js'
import { LOCAL_CONTEXT } from '../prover/statement.js'
import { verifyInEvm } from '../prover/verify-in-evm.js'

const SEED = 42n

/** How far a file came. */
export type ZooRow = {
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

/** A row that has got nowhere. */
export function nothing(path: string) {
  return {
    model: basename(path, '.onnx'),
    compiled: false,
    exact: false,
    proved: false,
    verified: false,
  }
}

/**
 * Compiles an ONNX file for sumcheck with a development key, proves one seed and verifies the proof.
 *
 * @param withEvm - also by the generated contract
 * @returns how far it came; never throws for what the file is
 */
export async function takeThrough(path: string, withEvm = false): Promise<ZooRow> {
  const began = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'platemark-zoo-'))
  const row: { -readonly [key in keyof ZooRow]: ZooRow[key] } = { ...nothing(path), seconds: 0 }
  try {
    const onnx = await readOnnxFile(path)
    const options = {
      profile: 'fidelity',
      latent: 'normal',
      anyOutput: true,
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
    const conditions = sampleConditions(Number(SEED), conditionsOf(model))
    const request = { seed: SEED, context: LOCAL_CONTEXT, conditions }
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
    const pixels = execute(model, expandSeed(SEED, model.latent.dimensions), conditions)
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
