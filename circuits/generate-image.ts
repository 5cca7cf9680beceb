import { NO_CONDITIONS } from '../model-export/conditions.js'
import { execute } from '../model-export/execute.js'
import type { IntegerModel } from '../model-export/integer-model.js'
import type { Image } from './image-digest.js'
import { expandSeed } from './seed-expansion.js'

/**
 * The image that a model generates from a seed and the conditions that it takes, by the integer executor: the pixels that are hashed,
 * proven and minted.
 *
 * @param conditions - as `model-export/conditions.ts` writes them
 * @throws {PlatemarkError} when the seed is out of range, or for conditions that the model does not take.
 * @example
 * const image = generateImage(plate.model, 42n)
 */
export function generateImage(
  model: IntegerModel,
  seed: bigint,
  conditions: Uint8Array = NO_CONDITIONS,
): Image {
  const { height, width, channels } = model.image
  const pixels = execute(model, expandSeed(seed, model.latent.dimensions), conditions)
  return { height, width, channels, pixels }
}
