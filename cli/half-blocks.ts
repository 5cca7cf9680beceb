import type { Image } from '../circuits/image-digest.js'

/** Wider images would wrap in an ordinary terminal. */
const MAX_COLUMNS = 80

/**
 * A small image as terminal text: two rows of pixels a line, 24-bit colours. Undefined when it is
 * wider than a terminal.
 *
 * @example
 * halfBlocks(generateImage(model, 42n))?.join('\n')
 */
export function halfBlocks(image: Image): readonly string[] | undefined {
  if (image.width > MAX_COLUMNS) return undefined
  const lines: string[] = []
  for (let y = 0; y < image.height; y += 2) {
    let line = ''
    for (let x = 0; x < image.width; x++) {
      const below = y + 1 < image.height ? `\x1b[48;2;${colour(image, x, y + 1)}m` : ''
      line += `\x1b[38;2;${colour(image, x, y)}m${below}▀\x1b[0m`
    }
    lines.push(line)
  }
  return lines
}

function colour({ pixels, width, channels }: Image, x: number, y: number): string {
  const at = (y * width + x) * channels
  const channel = (c: number) => pixels[at + (channels === 1 ? 0 : c)] ?? 0
  return [channel(0), channel(1), channel(2)].join(';')
}
