import sharp from 'sharp'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { Image } from './image-digest.js'

/** Pixels of a larger image than this are refused: no model here makes one. */
const MAX_PIXELS = 4096 * 4096

/**
 * Encodes an image as PNG: 8 bits a channel, no palette, no metadata. The bytes are the same for the
 * same pixels and the same version of `sharp`.
 */
export async function encodePng(image: Image): Promise<Uint8Array> {
  const { width, height, channels } = image
  const png = await sharp(image.pixels, { raw: { width, height, channels } })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png({ compressionLevel: 9, adaptiveFiltering: false, palette: false, progressive: false })
    .toBuffer()
  return new Uint8Array(png)
}

/**
 * Decodes a PNG to the canonical pixels: the stored samples, without colour management.
 *
 * @throws {PlatemarkError} when the bytes are not a PNG with 8 bits a channel and 1, 3 or 4 channels.
 */
export async function decodePng(bytes: Uint8Array): Promise<Image> {
  if (!isWholePng(bytes)) unreadable(new Error(`${bytes.length} bytes that are not a whole PNG`))
  const open = () =>
    sharp(bytes, { ignoreIcc: true, limitInputPixels: MAX_PIXELS, failOn: 'warning' })
  const metadata = await open()
    .metadata()
    .catch((cause: unknown) => unreadable(cause))
  const { format, depth, channels } = metadata
  if (format !== 'png' || depth !== 'uchar' || (channels !== 1 && channels !== 3 && channels !== 4))
    throw new PlatemarkError('The file is not an image that platemark makes.', {
      expected: 'a PNG with 8 bits a channel and 1, 3 or 4 channels',
      found: `${format}, ${depth} samples, ${channels} channels`,
    })
  const { data, info } = await open()
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => unreadable(cause))
  if (info.channels !== channels)
    throw new PlatemarkError('The PNG could not be decoded to its own channels.', {
      expected: `${channels} channels`,
      found: `${info.channels} channels`,
    })
  return { height: info.height, width: info.width, channels, pixels: new Uint8Array(data) }
}

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10)
/** The closing chunk: length 0, `IEND`, its CRC. */
const END = Uint8Array.of(0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130)

/** Decoders forgive a missing end; a hash of half an image must not be printed without a word. */
function isWholePng(bytes: Uint8Array): boolean {
  const starts = SIGNATURE.every((byte, i) => bytes[i] === byte)
  return starts && END.every((byte, i) => bytes[bytes.length - END.length + i] === byte)
}

function unreadable(cause: unknown): never {
  throw new PlatemarkError('The file is not a readable PNG.', {
    expected: 'a whole PNG file',
    found: cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause),
    fix: 'Check that the file is complete and is a PNG.',
    cause,
  })
}
