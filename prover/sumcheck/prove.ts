import { readFile } from 'node:fs/promises'
import { bytesToHex } from '@noble/hashes/utils.js'
import { hexToBytes, toBytes } from 'viem'
import { expandSeed } from '../../circuits/seed-expansion.js'
import { layOutWitness } from '../../circuits/sumcheck/witness.js'
import { trace } from '../../model-export/execute.js'
import { readJsonFile } from '../../model-export/json-fields.js'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Progress } from '../../model-export/progress.js'
import type { ProveRequest, ProveResult } from '../backend.js'
import { contextHash, type Statement } from '../statement.js'
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

  progress({ step: 'generate the image' })
  const execution = performance.now()
  const latent = expandSeed(request.seed, plate.model.latent.dimensions)
  const run = trace(plate.model, latent)
  const executed = performance.now()
  const { binding, height, width } = descriptor.image
  const { channels } = plate.model.image
  const image = { height, width, channels, pixels: run.pixels }
  const statement: Statement = {
    modelId: plate.modelId,
    seed: request.seed,
    imageHash: await imageHash(binding, image, powers),
    context: request.context,
  }
  const seed = seedBytes(request.seed)
  const context = toBytes(contextHash(request.context, plate.modelId))
  const { proof, device, notes, phases } = await sumcheckNative()
    .sumcheckProve(
      {
        key: keyText(key),
        powers,
        keyCells,
        first: layOutWitness(plate.model, descriptor, run),
        seed: Buffer.from(seed),
        context: Buffer.from(context),
        pixels: Buffer.from(run.pixels),
        latent: Buffer.from(latent),
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
  const bound = binding === 'pixels' ? run.pixels : hexToBytes(statement.imageHash)
  const reason = verifySumcheck({ key, seed, context, image: bound, latent, proof: bytes })
  if (reason !== undefined)
    throw new PlatemarkError('The proof that was just made does not verify.', { found: reason })
  return {
    statement,
    proof: bytes,
    pixels: run.pixels,
    seconds: (performance.now() - started) / 1000,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    device,
    notes,
    phases: [
      { name: 'generate', seconds: (executed - execution) / 1000, device: 'cpu' },
      ...phases,
    ],
  }
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
