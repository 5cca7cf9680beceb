import { readFile } from 'node:fs/promises'
import { bytesToHex } from '@noble/hashes/utils.js'
import { hexToBytes, toBytes } from 'viem'
import { expandSeed } from '../../circuits/seed-expansion.js'
import type { SumcheckDescriptor } from '../../circuits/sumcheck/descriptor.js'
import { layOutWitness } from '../../circuits/sumcheck/witness.js'
import { NO_CONDITIONS } from '../../model-export/conditions.js'
import { trace } from '../../model-export/execute.js'
import { readJsonFile } from '../../model-export/json-fields.js'
import { modelSize } from '../../model-export/model-size.js'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Progress } from '../../model-export/progress.js'
import type { ProvePhase, ProveRequest, ProveResult } from '../backend.js'
import { contextHash, type Statement, statementConditions } from '../statement.js'
import { imageHash } from './image-hash.js'
import { keyText } from './key.js'
import { sumcheckNative } from './native.js'
import { plateFiles, requireFile } from './plate-files.js'
import { readLayout } from './read-layout.js'
import { keyDigest, verifySumcheck } from './verifier/verify.js'

/**
 * Executes the model, commits to what it computed, proves, and verifies with both verifiers.
 *
 * @throws {PlatemarkError} when keys are missing or belong to another model.
 */
export async function proveSumcheck(
  plate: Plate,
  request: ProveRequest,
  progress: Progress,
): Promise<ProveResult> {
  const started = performance.now()
  const files = plateFiles(plate)
  for (const [path, what] of [
    [files.powers, 'powers of tau'],
    [files.verifyingKey, 'verifying key'],
    [files.setup, 'setup record'],
  ] as const)
    requireFile(path, what, 'Run platemark setup.')
  progress({ step: 'lay out the model' })
  const { descriptor, keyCells } = await readLayout(plate)
  const key = (await readJsonFile(files.verifyingKey, 'verifying key')).value
  requireSameModel(key, descriptor)
  const powers = await readFile(files.powers)

  const latent = expandSeed(request.seed, plate.model.latent.dimensions)
  const conditions = request.conditions ?? NO_CONDITIONS
  const seed = seedBytes(request.seed)
  const context = toBytes(contextHash(request.context, plate.modelId))
  const given = isExecutedNatively(plate, request)
    ? undefined
    : executeHere(plate, descriptor, { latent, conditions }, progress)
  const { proof, pixels, device, notes, phases } = await sumcheckNative()
    .sumcheckProve(
      {
        key: keyText(key),
        powers,
        keyCells,
        ...(given === undefined ? {} : { first: given.first, pixels: given.pixels }),
        seed: Buffer.from(seed),
        context: Buffer.from(context),
        latent: Buffer.from(latent),
        conditions: Buffer.from(conditions),
        checked: true,
        ...(request.device === undefined ? {} : { device: request.device }),
      },
      (phase) => progress({ step: `prove: ${phase}` }),
    )
    .catch((cause: unknown) => {
      const onCard = request.device?.startsWith('cuda') ?? false
      throw new PlatemarkError('The image could not be proven.', {
        found: cause instanceof Error ? cause.message : String(cause),
        fix: onCard
          ? 'See which cards there are with platemark doctor, or prove without --device.'
          : 'The keys may be damaged: run platemark setup again.',
        cause,
      })
    })
  progress({ step: 'verify the proof' })
  const bytes = new Uint8Array(proof)
  const { binding, height, width } = descriptor.image
  const image = { height, width, channels: plate.model.image.channels, pixels }
  const statement: Statement = {
    modelId: plate.modelId,
    seed: request.seed,
    ...statementConditions(conditions),
    imageHash: await imageHash(binding, image, powers),
    context: request.context,
  }
  const bound = binding === 'pixels' ? pixels : hexToBytes(statement.imageHash)
  const reason = verifySumcheck({
    key,
    seed,
    context,
    image: bound,
    latent,
    conditions,
    proof: bytes,
  })
  if (reason !== undefined)
    throw new PlatemarkError('The proof that was just made does not verify.', { found: reason })
  return {
    statement,
    proof: bytes,
    pixels: new Uint8Array(pixels),
    seconds: (performance.now() - started) / 1000,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    device,
    notes,
    phases: [...(given === undefined ? [] : [given.phase]), ...phases],
  }
}

/** Multiplications from which the native executor, which has all cores, is worth its preparation. */
const NATIVE_FROM = 2e8

/** Whether the native code executes the model, on the device that proves. The proof shows that it did. */
function isExecutedNatively({ model }: Plate, { device = 'cpu' }: ProveRequest): boolean {
  return device !== 'cpu' || modelSize(model).macs > NATIVE_FROM
}

/** The cells and the pixels of the integer executor. */
function executeHere(
  { model }: Plate,
  descriptor: SumcheckDescriptor,
  { latent, conditions }: { readonly latent: Uint8Array; readonly conditions: Uint8Array },
  progress: Progress,
) {
  progress({ step: 'generate the image' })
  const began = performance.now()
  const run = trace(model, latent, conditions)
  const first = layOutWitness(model, descriptor, run)
  const seconds = (performance.now() - began) / 1000
  const phase: ProvePhase = { name: 'execute', seconds, device: 'cpu' }
  return { first, pixels: Buffer.from(run.pixels), phase }
}

/** 32 bytes, big-endian. */
export function seedBytes(seed: bigint): Uint8Array {
  return toBytes(seed, { size: 32 })
}

/** The key's descriptor must be the one that this model lays out to. */
function requireSameModel(key: unknown, descriptor: object): void {
  const { commitments: _, tauG2: __, ...rest } = (key ?? {}) as Record<string, unknown>
  if (keyText(rest) === keyText(descriptor)) return
  throw new PlatemarkError('The verifying key belongs to another model.', {
    expected: 'the layout of this plate',
    found: `key ${bytesToHex(keyDigest(key)).slice(0, 16)}… with another layout`,
    fix: 'Run platemark setup again.',
  })
}
