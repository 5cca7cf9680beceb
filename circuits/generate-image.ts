import { execute } from '../model-export/execute.js'
import type { IntegerModel } from '../model-export/integer-model.js'
import type { Image } from './image-digest.js'
import { expandSeed } from './seed-expansion.js'

/**
 * The image that a model generates from a seed, by the integer executor: the pixels that are hashed,
 * proven and minted.
 *
 * @throws {PlatemarkError} when the seed is out of range.
 * @example
 * const image = generateImage(plate.model, 42n)
 */
export function generateImage(model: IntegerModel, seed: bigint): Image {
  const { height, width, channels } = model.image
  const pixels = execute(model, expandSeed(seed, model.latent.dimensions))
  return { height, width, channels, pixels }
}
