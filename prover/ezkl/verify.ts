import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Hex, keccak256, toHex } from 'viem'
import { expandSeed } from '../../circuits/seed-expansion.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { withTemporaryFolder } from '../../model-export/temporary-folder.js'
import type { Verdict, VerifyRequest } from '../backend.js'
import { contextHash, type Statement } from '../statement.js'
import { littleEndianHex } from './circuit.js'
import { tryEzkl } from './ezkl-process.js'
import { encodeVerifierPowers } from './halo2-srs.js'
import { type EzklKey, parseKey } from './verifying-key.js'

/**
 * The public instance of a statement, in the circuit's order: latent bytes, the context shifted right
 * by 3 bits (253 bits fit into the field), pixels.
 */
export function publicInstance(
  statement: Statement,
  latentDimensions: number,
  pixels: Uint8Array,
): readonly bigint[] {
  return [
    ...[...expandSeed(statement.seed, latentDimensions)].map(BigInt),
    contextInput(contextHash(statement.context, statement.modelId)),
    ...[...pixels].map(BigInt),
  ]
}

/** A context as a field element. */
export function contextInput(context: Hex): bigint {
  return BigInt(context) >> 3n
}

/**
 * Verifies with the installed ezkl. The instance is computed here from the statement: what a prover says
 * it is is not looked at.
 *
 * @throws {PlatemarkError} where ezkl is not installed or is not the release that made the key.
 */
export async function verifyEzkl(request: VerifyRequest): Promise<Verdict> {
  const { statement, proof, pixels, latentDimensions } = request
  const no = (reason: string): Verdict => ({ valid: false, reason })
  if (statement.conditions !== undefined) return no('conditions: this backend proves none')
  if (pixels === undefined) return no('image: its pixels are needed to verify this proof')
  if (keccak256(pixels) !== statement.imageHash)
    return no('image: the pixels do not have the hash of the statement')
  let key: EzklKey
  try {
    key = parseKey(request.verifyingKey)
  } catch (error) {
    if (!(error instanceof PlatemarkError)) throw error
    return no(`verifying key: ${error.shortMessage}`)
  }
  if (key.modelId !== statement.modelId) return no('verifying key: it is for another model')
  if (proof.length !== key.proofBytes)
    return no(`proof: it has ${proof.length} bytes, not ${key.proofBytes}`)
  const instance = publicInstance(statement, latentDimensions, pixels)
  const failure = await withTemporaryFolder('ezkl', async (folder) => {
    const file = (name: string) => join(folder, name)
    await Promise.all([
      writeFile(file('proof.json'), encodeProof(key.release, proof, instance)),
      writeFile(file('settings.json'), JSON.stringify(key.settings)),
      writeFile(file('vk'), key.verifyingKey),
      writeFile(file('powers.srs'), encodeVerifierPowers(key.powers)),
    ])
    const result = await tryEzkl(
      [
        {
          name: 'verify',
          arguments: {
            proof_path: file('proof.json'),
            settings_path: file('settings.json'),
            vk_path: file('vk'),
            srs_path: file('powers.srs'),
          },
        },
      ],
      { version: key.release },
    )
    return 'failure' in result ? result.failure : undefined
  })
  return failure === undefined ? { valid: true } : no(`proof: ${lastLine(failure)}`)
}

/** A proof in ezkl's file format. */
function encodeProof(version: string, proof: Uint8Array, instance: readonly bigint[]): string {
  return JSON.stringify({
    protocol: null,
    instances: [instance.map(littleEndianHex)],
    proof: [...proof],
    hex_proof: toHex(proof),
    split: null,
    pretty_public_inputs: null,
    timestamp: null,
    version,
  })
}

function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').slice(0, 300)
}
