/**
 * Chunks that leave what a viewer shows to the stored samples. Everything else is refused: an animation
 * (`acTL`) shows other frames than the one that is hashed, a profile or gamma other colours, an
 * orientation (`eXIf`) another picture.
 */
const NEUTRAL = new Set(
  ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND', 'pHYs', 'sRGB'].concat(['tEXt', 'zTXt', 'iTXt', 'tIME']),
)

const SIGNATURE_BYTES = 8
/** Length, type and CRC around a chunk's data. */
const FRAME_BYTES = 12

/**
 * Says why a viewer may show something else than the samples of a PNG, which is what its pixel hashes
 * are about; undefined when nothing in the file can do that.
 *
 * @param png - a file that `decodePng` has accepted
 * @example
 * displayFlaw(await encodePng(image)) // undefined
 */
export function displayFlaw(png: Uint8Array): string | undefined {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength)
  let at = SIGNATURE_BYTES
  while (at + FRAME_BYTES <= png.length) {
    const end = at + FRAME_BYTES + view.getUint32(at)
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8))
    if (!NEUTRAL.has(type)) return `a chunk ${JSON.stringify(type)}`
    if (type === 'IEND') return end === png.length ? undefined : 'data after the image'
    at = end
  }
  return 'a chunk that does not end within the file'
}
