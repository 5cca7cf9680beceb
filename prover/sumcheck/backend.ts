import { bytesToHex } from '@noble/hashes/utils.js'
import { keccak256, toBytes } from 'viem'
import { expandSeed } from '../../circuits/seed-expansion.js'
import { layOutModel } from '../../circuits/sumcheck/layout.js'
import { writeFileAtomic } from '../../model-export/atomic-write.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Backend, Verdict, VerifyRequest } from '../backend.js'
import { contextHash } from '../statement.js'
import { estimateSumcheck } from './estimate.js'
import { keyText } from './key.js'
import { BACKEND, plateFiles } from './plate-files.js'
import { proveSumcheck, seedBytes } from './prove.js'
import { setupSumcheck } from './setup.js'
import { readKey } from './verifier/read-key.js'
import { Rejection } from './verifier/reject.js'
import { keyDigest, verifySumcheck } from './verifier/verify.js'

/**
 * Sumcheck over committed activations with one multilinear KZG opening (`docs/protocol.md`): any model
 * size, seconds to prove, no setup per model beyond commitments to its weights.
 */
export const sumcheck: Backend = {
  name: BACKEND,
  proofSystem: 'sumcheck-bn254-v1',
  imageHashScheme: 'keccak256',
  circuitFile: 'layout.json',
  onChain: false,
  estimate: estimateSumcheck,
  compile: async (plate, progress) => {
    progress({ step: 'lay out the model' })
    const { descriptor } = layOutModel(plate.model, plate.modelId)
    await writeFileAtomic(plateFiles(plate).layout, `${keyText(descriptor)}\n`)
  },
  setup: setupSumcheck,
  verifyingKeyHash: (verifyingKey) => {
    try {
      readKey(verifyingKey)
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      throw new PlatemarkError('The verifying key is not one of the sumcheck backend.', {
        found: error.message,
      })
    }
    return `0x${bytesToHex(keyDigest(verifyingKey))}`
  },
  prove: proveSumcheck,
  verify: async (request) => verifyRequest(request),
  solidity: async () => {
    throw new PlatemarkError('The sumcheck backend has no Solidity verifier yet.', {
      fix: 'Compile the model with --backend groth16 for use on a chain.',
    })
  },
}

function verifyRequest({
  verifyingKey,
  latentDimensions,
  statement,
  proof,
  pixels,
}: VerifyRequest): Verdict {
  const no = (reason: string): Verdict => ({ valid: false, reason })
  if (pixels === undefined) return no('image: its pixels are needed to verify this proof')
  if (keccak256(pixels) !== statement.imageHash)
    return no('image: the pixels do not have the hash of the statement')
  const { modelId } = (verifyingKey ?? {}) as { readonly modelId?: unknown }
  if (modelId !== statement.modelId) return no('verifying key: it is for another model')
  const reason = verifySumcheck({
    key: verifyingKey,
    seed: seedBytes(statement.seed),
    context: toBytes(contextHash(statement.context, statement.modelId)),
    pixels,
    latent: expandSeed(statement.seed, latentDimensions),
    proof,
  })
  return reason === undefined ? { valid: true } : no(reason)
}
