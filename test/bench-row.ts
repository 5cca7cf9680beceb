import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Hex, toHex } from 'viem'
import { expandSeed } from '../circuits/seed-expansion.js'
import { compileModel } from '../model-export/compile-model.js'
import { execute } from '../model-export/execute.js'
import { modelId, readPlate, writePlate } from '../model-export/plate.js'
import { type Progress, silent } from '../model-export/progress.js'
import type { Backend, Estimate, ProveResult } from '../prover/backend.js'
import { contextHash, LOCAL_CONTEXT } from '../prover/statement.js'
import { chainCost } from './peers/chain-cost.js'
import { cpuSeconds, cpuSince } from './peers/measure.js'

/** A model with its keys, or why there are none. */
export type Prepared = {
  readonly model: string
  readonly backend: string
  readonly parameters: number
  readonly activations: number
  readonly macs: number
  readonly psnr: number
  readonly estimate: Estimate
  /** Why it was not proven. */
  readonly leftOut?: string
  readonly compileSeconds?: number
  readonly setupSeconds?: number
}

/** What proving it took. */
export type Proven = {
  readonly executeSeconds: number
  readonly proveSeconds: number
  /** Of all cores and children. */
  readonly proveCpuSeconds: number
  readonly verifySeconds: number
  readonly peakMemoryBytes: number
  readonly proofBytes: number
  readonly gas: number
  /** Seconds of each step of the last proof, in order. */
  readonly phases: readonly (readonly [name: string, seconds: number])[]
}

/**
 * Compiles a model and makes development keys, in `directory`; says why not where that and `proofs`
 * proofs are estimated to take longer than `limitSeconds`.
 */
export async function prepareRow(
  path: string,
  backend: Backend,
  directory: string,
  { proofs, limitSeconds }: { readonly proofs: number; readonly limitSeconds: number },
): Promise<Prepared> {
  const name = basename(path, '.onnx')
  const profile = backend.name === 'groth16' ? 'compact' : 'fidelity'
  const options = { profile, latent: 'normal', toolVersion: 'bench', seeds: 64 } as const
  const { model, report } = await compileModel(await readFile(path), name, options, silent)
  const { parameters, activations, macs, psnr } = report
  const estimate = backend.estimate(model)
  const head = { model: name, backend: backend.name, parameters, activations, macs, psnr, estimate }
  if (!estimate.feasible) return { ...head, leftOut: estimate.reason ?? 'too large' }
  const { compileSeconds, setupSeconds, proveSeconds } = estimate
  const total = compileSeconds + setupSeconds + proofs * proveSeconds
  if (total > limitSeconds) return { ...head, leftOut: `about ${Math.round(total)} s in all` }
  const plate = { directory, model, modelId: modelId(model) }
  await writePlate(directory, model, report)
  return {
    ...head,
    compileSeconds: await seconds(() => backend.compile(plate, silent)),
    setupSeconds: await seconds(() => backend.setup(plate, { kind: 'development' }, silent)),
  }
}

/** Proves `proofs` seeds of a prepared model and verifies them; medians. */
export async function proveRow(
  directory: string,
  backend: Backend,
  proofs: number,
): Promise<Proven> {
  const plate = await readPlate(directory)
  const { model } = plate
  const keyPath = join(directory, backend.name, 'verifying-key.json')
  const verifyingKey: unknown = JSON.parse(await readFile(keyPath, 'utf8'))
  const executing: number[] = []
  const proving: number[] = []
  const cpu: number[] = []
  const verifying: number[] = []
  let last: ProveResult | undefined
  let phases: Proven['phases'] = []
  for (let seed = 0n; seed < proofs; seed++) {
    const latent = expandSeed(seed, model.latent.dimensions)
    executing.push(await seconds(async () => execute(model, latent)))
    const before = cpuSeconds()
    const steps = stepClock()
    last = await backend.prove(plate, { seed, context: LOCAL_CONTEXT }, steps.progress)
    phases = steps.phases()
    proving.push(last.seconds)
    cpu.push(cpuSince(before))
    const { statement, proof, pixels } = last
    const latentDimensions = latent.length
    const request = { verifyingKey, latentDimensions, statement, proof, pixels }
    verifying.push(
      await seconds(async () => {
        const verdict = await backend.verify(request)
        if (!verdict.valid) throw new Error(`the proof does not verify: ${verdict.reason}`)
      }),
    )
  }
  const { statement, proof, pixels, peakMemoryBytes } = last!
  const files = await backend.solidity(plate, { allowInsecureSetup: true })
  const image: Hex =
    backend.imageHashScheme(verifyingKey) === 'keccak256' ? toHex(pixels) : statement.imageHash
  const context = contextHash(statement.context, statement.modelId)
  const { gas } = await chainCost(files, { seed: statement.seed, image, context, proof })
  return {
    executeSeconds: median(executing),
    proveSeconds: median(proving),
    proveCpuSeconds: median(cpu),
    verifySeconds: median(verifying),
    peakMemoryBytes,
    proofBytes: proof.length,
    gas,
    phases,
  }
}

/** Takes the time between the steps that a prover tells. */
function stepClock() {
  const began: { readonly step: string; readonly at: number }[] = []
  const progress: Progress = ({ step }) => {
    if (began.at(-1)?.step !== step) began.push({ step, at: performance.now() })
  }
  const phases = () => {
    const end = performance.now()
    return began.map(({ step, at }, i) => [step, ((began[i + 1]?.at ?? end) - at) / 1000] as const)
  }
  return { progress, phases }
}

async function seconds(action: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await action()
  return (performance.now() - began) / 1000
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}
