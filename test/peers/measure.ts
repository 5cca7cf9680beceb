import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Hex, toHex } from 'viem'
import { compileModel } from '../../model-export/compile-model.js'
import { modelId, type Plate, writePlate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { silent } from '../../model-export/progress.js'
import type { Backend, ProveResult } from '../../prover/backend.js'
import { contextHash, LOCAL_CONTEXT } from '../../prover/statement.js'
import { chainCost } from './chain-cost.js'

/** What one prover needs for one model, as far as it came. */
export type Measurement = {
  readonly psnr?: number
  readonly parameters?: number
  readonly activations?: number
  readonly macs?: number
  readonly image?: string
  readonly profile?: string
  readonly compileSeconds?: number
  readonly setupSeconds?: number
  readonly proveSeconds?: number
  /** Of all cores, children included: what a busy machine changes little. */
  readonly setupCpuSeconds?: number
  readonly proveCpuSeconds?: number
  readonly verifySeconds?: number
  readonly provingKeyBytes?: number
  readonly proofBytes?: number
  /** Whole transaction. */
  readonly gas?: number
  /** Code on chain, of all contracts of the verifier. */
  readonly codeBytes?: number
  /** Why there is no gas, where the prover came to its end. */
  readonly chain?: string
}

/** What a row may use. */
export type Limits = { readonly seconds: number; readonly memoryBytes: number }

/** How a row is measured. */
export type Settings = {
  readonly proofs: number
  readonly limits: Limits
  /** Put the verifier on a local chain. */
  readonly chain: boolean
  /** Begin every stage, whatever is expected of it. */
  readonly attempt: boolean
}

/** Called with what is known as soon as it is known. */
export type Report = (stage: string, known: Measurement) => void

/** One proof that takes longer is measured once. */
const ENOUGH_SECONDS = 60

/** A stage that is expected to need this many times a limit is not begun. */
const HOPELESS = 2

/** Files of a backend that a prover needs besides the model. */
const PROVER_FILES = [
  'proving-key.zkey',
  'proving-key.bin',
  'powers.bin',
  'powers.srs',
  'key-cells.bin',
]

/**
 * Compiles, sets up, proves, verifies and puts on a local chain: one model on one backend of ours.
 * `prove` and `verify` are the medians of `proofs` seeds, fewer where a proof takes long.
 */
export async function measureBackend(
  onnx: Uint8Array,
  name: string,
  backend: Backend,
  settings: Settings,
  report: Report,
): Promise<void> {
  const profile = backend.name === 'sumcheck' ? 'fidelity' : 'compact'
  report('compile', { profile })
  const options = { profile, latent: 'normal', toolVersion: 'bench', seeds: 64 } as const
  const began = performance.now()
  const { model, report: fidelity } = await compileModel(onnx, name, options, silent)
  const { parameters, activations, macs, psnr } = fidelity
  const { height, width, channels } = model.image
  report('compile', {
    parameters,
    activations,
    macs,
    psnr: round(psnr),
    image: `${height}×${width}×${channels}`,
  })
  const estimate = backend.estimate(model)
  if (!estimate.feasible) throw new Infeasible(estimate.reason ?? 'too large')
  const directory = await mkdtemp(join(tmpdir(), 'platemark-peers-'))
  const remove = () => rm(directory, { recursive: true, force: true })
  try {
    const plate = { directory, model, modelId: modelId(model) }
    await writePlate(directory, model, fidelity)
    await backend.compile(plate, silent)
    report('compile', { compileSeconds: round((performance.now() - began) / 1000) })
    if (!settings.attempt) refuseHopeless(estimate, settings.limits)
    report('setup', {})
    const before = cpuSeconds()
    const setupSeconds = await seconds(() => backend.setup(plate, { kind: 'development' }, silent))
    const provingKeyBytes = await sizeOf(join(directory, backend.name))
    report('prove', { setupSeconds, setupCpuSeconds: cpuSince(before), provingKeyBytes })
    await measureProofs(plate, backend, settings, report)
  } finally {
    await remove()
  }
}

/** A model that a backend refuses, with the reason. */
export class Infeasible extends Error {}

/** A stage that was not begun, because it would run far beyond a limit. */
export class Hopeless extends Error {
  constructor(
    readonly status: 'time limit' | 'memory limit',
    message: string,
  ) {
    super(message)
  }
}

/**
 * What the next stages are expected to need, against the limits.
 *
 * @throws {Hopeless} where that is more than twice a limit.
 */
export function refuseHopeless(
  expected: { readonly setupSeconds: number; readonly peakMemoryBytes: number },
  limits: Limits,
): void {
  const { setupSeconds, peakMemoryBytes } = expected
  if (peakMemoryBytes > HOPELESS * limits.memoryBytes)
    throw new Hopeless(
      'memory limit',
      `setup was not begun: about ${Math.round(peakMemoryBytes / 1e9)} GB are expected, ${HOPELESS} times the limit and more`,
    )
  if (setupSeconds > HOPELESS * limits.seconds)
    throw new Hopeless(
      'time limit',
      `setup was not begun: about ${Math.round(setupSeconds)} s are expected, ${HOPELESS} times the limit and more`,
    )
}

async function measureProofs(
  plate: Plate,
  backend: Backend,
  { proofs, chain }: Settings,
  report: Report,
): Promise<void> {
  const path = join(plate.directory, backend.name, 'verifying-key.json')
  const verifyingKey: unknown = JSON.parse(await readFile(path, 'utf8'))
  const latentDimensions = plate.model.latent.dimensions
  const proving: number[] = []
  const provingCpu: number[] = []
  const verifying: number[] = []
  let last: ProveResult | undefined
  for (let seed = 0n; seed < proofs; seed++) {
    const before = cpuSeconds()
    const proved = await backend.prove(plate, { seed, context: LOCAL_CONTEXT }, silent)
    proving.push(proved.seconds)
    provingCpu.push(cpuSince(before))
    report('prove', {
      proveSeconds: median(proving),
      proveCpuSeconds: median(provingCpu),
      proofBytes: proved.proof.length,
    })
    const { statement, proof, pixels } = proved
    const request = { verifyingKey, latentDimensions, statement, proof, pixels }
    verifying.push(
      await seconds(async () => {
        const verdict = await backend.verify(request)
        if (!verdict.valid) throw new Error(`the proof does not verify: ${verdict.reason}`)
      }),
    )
    report('prove', { verifySeconds: median(verifying) })
    last = proved
    if (proved.seconds > ENOUGH_SECONDS) break
  }
  if (last === undefined || !chain) return
  report('chain', {})
  try {
    const files = await backend.solidity(plate, { allowInsecureSetup: true })
    const { statement, proof, pixels } = last
    const image: Hex =
      backend.imageHashScheme(verifyingKey) === 'keccak256' ? toHex(pixels) : statement.imageHash
    const context = contextHash(statement.context, statement.modelId)
    report('chain', await chainCost(files, { seed: statement.seed, image, context, proof }))
  } catch (error) {
    report('chain', { chain: firstLine(error) })
  }
}

async function sizeOf(directory: string): Promise<number> {
  const paths = PROVER_FILES.map((name) => join(directory, name)).filter((path) => existsSync(path))
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size))
  return sizes.reduce((a, b) => a + b, 0)
}

/** Wall-clock seconds of an action, to a millisecond. */
export async function seconds(action: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await action()
  return round((performance.now() - began) / 1000)
}

/** CPU seconds of this process and its ended children so far; 0 where the system does not tell. */
export function cpuSeconds(): number {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    // utime, stime, cutime, cstime, in hundredths.
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) / 100, 0)
  } catch {
    return 0
  }
}

/** CPU seconds since an earlier `cpuSeconds()`. */
export function cpuSince(before: number): number {
  return round(cpuSeconds() - before)
}

/** What went wrong, in one line: for errors of ours with the last line of what was found. */
export function firstLine(error: unknown): string {
  const texts =
    error instanceof PlatemarkError
      ? [error.shortMessage, error.found?.trim().split('\n').at(-1) ?? '']
      : [error instanceof Error ? error.message : String(error)]
  return texts.join(' ').replace(/\s+/g, ' ').trim().slice(0, 300)
}

function median(values: readonly number[]): number {
  return round([...values].sort((a, b) => a - b)[values.length >> 1]!)
}

/** To three digits after the point. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
