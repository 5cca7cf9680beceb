import { bytesToHex } from '@noble/hashes/utils.js'
import { hexToBytes, keccak256, toBytes } from 'viem'
import { expandSeed } from '../../circuits/seed-expansion.js'
import { layOutModel } from '../../circuits/sumcheck/layout.js'
import { writeFileAtomic } from '../../model-export/atomic-write.js'
import { readJsonFile } from '../../model-export/json-fields.js'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { generateSumcheckVerifier } from '../../verifier-contracts/generate-sumcheck-verifier.js'
import type { Backend, SolidityFile, SolidityOptions, Verdict, VerifyRequest } from '../backend.js'
import { parseSetupRecord } from '../setup-record.js'
import { conditionsOfStatement, contextHash } from '../statement.js'
import { estimateSumcheck } from './estimate.js'
import { commitmentHash, IMAGE_HASH_SCHEMES } from './image-hash.js'
import { keyText } from './key.js'
import { BACKEND, plateFiles, requireFile } from './plate-files.js'
import { readPowers } from './powers.js'
import { proveSumcheck, seedBytes } from './prove.js'
import { readLayoutFile } from './read-layout.js'
import { remakeKey } from './remake-key.js'
import { setupSumcheck } from './setup.js'
import { readKey, type VerifierKey } from './verifier/read-key.js'
import { Rejection } from './verifier/reject.js'
import { keyDigest, verifySumcheck } from './verifier/verify.js'

/**
 * Sumcheck over committed activations with one multilinear KZG opening (`docs/protocol.md`): any model
 * size, seconds to prove, no setup per model beyond commitments to its weights.
 */
export const sumcheck: Backend = {
  name: BACKEND,
  proofSystem: 'sumcheck-bn254-v2',
  circuitOptions: ['imageBinding', 'columnBits'],
  compiledOptions: async (plate) => (await readLayoutFile(plate)).options,
  imageHashScheme: (verifyingKey) => IMAGE_HASH_SCHEMES[requireKey(verifyingKey).image.binding],
  imageHash: async (image, verifyingKey, powers) => {
    const key = requireKey(verifyingKey)
    if (key.image.binding === 'pixels') return keccak256(image.pixels)
    if (powers === undefined)
      throw new PlatemarkError('The image cannot be compared with the proof.', {
        expected: 'powers of tau: this proof is about a commitment to the image, made with them',
        found: 'none',
        fix: 'Name the compiled model with --model, or a powers-of-tau file with --powers; or verify the proof alone with --no-image.',
      })
    const found = await readPowers(powers, image.pixels.length)
    const { tauG2 } = verifyingKey as { readonly tauG2: string }
    if (`0x${found.tauG2.toString('hex')}` !== tauG2)
      throw new PlatemarkError('The powers of tau are not those of the verifying key.', {
        expected: `τ·G₂ = ${tauG2.slice(0, 18)}…`,
        found: `0x${found.tauG2.toString('hex', 0, 8)}… in ${powers}`,
        fix: 'Use the file from which the key was made.',
      })
    return commitmentHash(image, found.powers)
  },
  circuitFile: 'layout.json',
  estimate: estimateSumcheck,
  compile: async (plate, progress, options) => {
    progress({ step: 'lay out the model' })
    const { descriptor } = layOutModel(plate.model, plate.modelId, options)
    await writeFileAtomic(plateFiles(plate).layout, `${keyText(descriptor)}\n`)
  },
  setup: setupSumcheck,
  verifyingKeyHash: (verifyingKey) => {
    requireKey(verifyingKey)
    return `0x${bytesToHex(keyDigest(verifyingKey))}`
  },
  remakeKey,
  prove: proveSumcheck,
  verify: async (request) => verifyRequest(request),
  solidity: generateSolidity,
}

async function generateSolidity(
  plate: Plate,
  options: SolidityOptions,
): Promise<readonly SolidityFile[]> {
  const files = plateFiles(plate)
  requireFile(files.verifyingKey, 'verifying key', 'Run platemark setup.')
  requireFile(files.setup, 'setup record', 'Run platemark setup.')
  const key = (await readJsonFile(files.verifyingKey, 'verifying key')).value
  const record = parseSetupRecord(await readJsonFile(files.setup, 'setup record'))
  const expect = (what: string, expected: string, found: string) => {
    if (found === expected) return
    throw new PlatemarkError(`The verifying key is not the one of this ${what}.`, {
      expected,
      found,
      fix: 'Run platemark setup again.',
    })
  }
  expect('model', plate.modelId, requireKey(key).modelId)
  expect('setup record', record.verifyingKeyHash, `0x${bytesToHex(keyDigest(key))}`)
  return generateSumcheckVerifier({
    name: plate.model.name,
    key,
    insecure: record.insecure,
    note: record.note,
    toolVersion: plate.model.source.toolVersion,
    ...options,
  })
}

/** A checked key, or an error for the user. */
function requireKey(verifyingKey: unknown): VerifierKey {
  try {
    return readKey(verifyingKey)
  } catch (error) {
    if (!(error instanceof Rejection)) throw error
    throw new PlatemarkError('The verifying key is not one of the sumcheck backend.', {
      found: error.message,
    })
  }
}

function verifyRequest({
  verifyingKey,
  latentDimensions,
  statement,
  proof,
  pixels,
}: VerifyRequest): Verdict {
  const no = (reason: string): Verdict => ({ valid: false, reason })
  const { modelId, image } = (verifyingKey ?? {}) as {
    readonly modelId?: unknown
    readonly image?: { readonly binding?: unknown }
  }
  if (modelId !== statement.modelId) return no('verifying key: it is for another model')
  const committed = image?.binding === 'commitment'
  if (!committed && pixels === undefined)
    return no('image: its pixels are needed to verify this proof')
  if (!committed && keccak256(pixels!) !== statement.imageHash)
    return no('image: the pixels do not have the hash of the statement')
  const reason = verifySumcheck({
    key: verifyingKey,
    seed: seedBytes(statement.seed),
    context: toBytes(contextHash(statement.context, statement.modelId)),
    image: committed ? hexToBytes(statement.imageHash) : pixels!,
    latent: expandSeed(statement.seed, latentDimensions),
    conditions: conditionsOfStatement(statement),
    proof,
  })
  return reason === undefined ? { valid: true } : no(reason)
}
