import { poseidon16 } from 'poseidon-lite'
import { toLimbs } from './limbs.js'

/** The canonical image: row-major height × width × channels, one byte a channel. */
export type Image = {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3 | 4
  readonly pixels: Uint8Array
}

/** Limbs absorbed by one permutation. */
export const DIGEST_RATE = 15

/** First chaining value: height · 2^64 + width · 2^32 + channels. The size fixes the byte count. */
export function digestStart(image: Pick<Image, 'height' | 'width' | 'channels'>): bigint {
  return (BigInt(image.height) << 64n) + (BigInt(image.width) << 32n) + BigInt(image.channels)
}

/**
 * The Poseidon image digest: h ← digestStart, then for each 15 limbs (31 pixel bytes each, the last
 * group filled with zero limbs) h ← Poseidon(h, limb_1, …, limb_15), circomlib's BN254 parameters with
 * 16 inputs. The digest is the last h, written as 32 bytes big-endian where bytes are needed.
 *
 * @example
 * poseidonDigest({ height: 1, width: 1, channels: 1, pixels: Uint8Array.of(7) })
 */
export function poseidonDigest(image: Image): bigint {
  const limbs = toLimbs(image.pixels)
  let state = digestStart(image)
  for (let start = 0; start < limbs.length; start += DIGEST_RATE) {
    const block = limbs.slice(start, start + DIGEST_RATE)
    while (block.length < DIGEST_RATE) block.push(0n)
    state = poseidon16([state, ...block])
  }
  return state
}
