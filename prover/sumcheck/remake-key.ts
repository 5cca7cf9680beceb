import { existsSync } from 'node:fs'
import { bytesToHex } from '@noble/hashes/utils.js'
import { layOutModel } from '../../circuits/sumcheck/layout.js'
import type { Plate } from '../../model-export/plate.js'
import type { Check } from '../verification.js'
import { makeKey, type SumcheckKey } from './key.js'
import { plateFiles } from './plate-files.js'
import { readPowers } from './powers.js'
import { keyDigest } from './verifier/verify.js'

/**
 * Whether a key belongs to a model: lays the model out again, commits again, and compares digests. What
 * a stranger says about their key is not needed.
 *
 * @param verifyingKey - a key that `verifyingKeyHash` accepts
 * @param powers - a powers-of-tau file or a plate with keys; by default the plate itself
 * @returns skipped when the plate has no powers and none are given
 * @throws {PlatemarkError} when the powers are too few or malformed.
 */
export async function remakeKey(
  plate: Plate,
  verifyingKey: unknown,
  powers?: string,
): Promise<Check> {
  const name = 'verifying key of the model'
  if (powers === undefined && !existsSync(plateFiles(plate).powers))
    return {
      name,
      result: 'skipped',
      detail: 'no powers of tau at hand: that the key commits to these weights is a claim',
    }
  const { columnBits, image } = verifyingKey as SumcheckKey
  const found = await readPowers(powers ?? plate.directory, 2 ** columnBits)
  const layout = layOutModel(plate.model, plate.modelId, {
    columnBits,
    imageBinding: image.binding,
  })
  const made = bytesToHex(keyDigest(await makeKey(layout, found.powers, found.tauG2)))
  const given = bytesToHex(keyDigest(verifyingKey))
  return made === given
    ? {
        name,
        result: 'passed',
        detail: 'commits to the weights and tables of the model, made again',
      }
    : {
        name,
        result: 'failed',
        detail: `made again from the model it is 0x${made}, not 0x${given}`,
      }
}
