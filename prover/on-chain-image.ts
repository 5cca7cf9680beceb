import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { bytesToHex, type Hex } from 'viem'
import { decodePng } from '../circuits/png.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { findBackend } from './backends.js'
import type { Bundle } from './bundle.js'

/** Whether contracts are given the pixels of a bundle's image: where its hash is their keccak-256. */
export function bindsPixels({ backend, verifyingKey }: Bundle): boolean {
  return findBackend(backend).imageHashScheme(verifyingKey) === 'keccak256'
}

/**
 * What stands for a bundle's image in `verifyImage` and `mint`: its pixels, row-major height × width ×
 * channels, or the 32-byte image hash. Whether the pixels are the proven ones is for the contract to say.
 *
 * @param imagePath - the image; by default the bundle's file beside it
 * @throws {PlatemarkError} when the pixels are needed and there is no PNG of the bundle's size.
 * @example
 * await mint(chain, { …, image: await onChainImage(bundle, 'image.provenance.json') })
 */
export async function onChainImage(
  bundle: Bundle,
  bundlePath: string,
  imagePath?: string,
): Promise<Hex> {
  if (!bindsPixels(bundle)) return bundle.statement.imageHash
  const path = imagePath ?? join(dirname(bundlePath), bundle.image.file)
  const png = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new PlatemarkError('The image could not be read.', {
      expected: 'the image of the bundle: its verifier contract is given the pixels',
      found: cause.message,
      fix: 'Name the file with --image.',
      cause,
    })
  })
  const image = await decodePng(png)
  const size = ({ height, width, channels }: Bundle['image'] | typeof image) =>
    `${height}×${width}×${channels}`
  if (size(image) !== size(bundle.image))
    throw new PlatemarkError('The image has another size than the proven one.', {
      expected: size(bundle.image),
      found: `${size(image)} in ${path}`,
    })
  return bytesToHex(image.pixels)
}
