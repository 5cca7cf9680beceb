import { concat, type Hex, keccak256, numberToHex, stringToBytes } from 'viem'
import type { Image } from '../../circuits/image-digest.js'
import type { ImageBinding } from '../../circuits/sumcheck/descriptor.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { sumcheckNative } from './native.js'

/** Separates image hashes from every other use of keccak-256. */
const DOMAIN = keccak256(stringToBytes('platemark.image.kzg.v1'))

/** First byte of an image hash by commitment. */
const VERSION: Hex = '0x01'

/** Name of the scheme of a statement's image hash. */
export const IMAGE_HASH_SCHEMES: Readonly<Record<ImageBinding, string>> = {
  pixels: 'keccak256',
  commitment: 'kzg-bn254-v1',
}

/**
 * The image hash of an image under powers of tau (`docs/protocol.md` §3.5, "commitment"): 32 bytes that
 * stand for the pixels on a chain, and depend on the powers.
 *
 * @param powers - τ^i·G₁, 64 bytes each, at least as many as the image has bytes
 * @throws {PlatemarkError} when there are too few.
 * @example
 * await commitmentHash(image, powers) // 0x01…
 */
export async function commitmentHash(image: Image, powers: Buffer): Promise<Hex> {
  const { height, width, channels, pixels } = image
  if (powers.length < 64 * pixels.length)
    throw new PlatemarkError('There are too few powers of tau for this image.', {
      expected: `${pixels.length}, one a byte`,
      found: String(powers.length / 64),
    })
  const commitment = await sumcheckNative().sumcheckImageCommitment(powers, Buffer.from(pixels))
  const size = [height, width, channels].map((n) => numberToHex(n, { size: 32 }))
  const digest = keccak256(concat([DOMAIN, ...size, `0x${commitment.toString('hex')}`]))
  return concat([VERSION, `0x${digest.slice(4)}`])
}

/** The image hash of a statement about this image; powers are needed for commitments only. */
export async function imageHash(binding: ImageBinding, image: Image, powers: Buffer): Promise<Hex> {
  return binding === 'pixels' ? keccak256(image.pixels) : commitmentHash(image, powers)
}
