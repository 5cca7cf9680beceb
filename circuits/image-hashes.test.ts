import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { poseidon16 } from 'poseidon-lite'
import { type Image, poseidonDigest } from './image-digest.js'
import { fileHashes, pixelHashes } from './image-hashes.js'
import { decodePng, encodePng } from './png.js'

const images = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), fc.constantFrom(1, 3, 4))
  .chain(([height, width, channels]) =>
    fc
      .uint8Array({ minLength: height * width * channels, maxLength: height * width * channels })
      .map((pixels): Image => ({ height, width, channels: channels as 1 | 3 | 4, pixels })),
  )

test('a PNG gives back exactly the pixels, and its bytes are reproducible', async () => {
  await fc.assert(
    fc.asyncProperty(images, async (image) => {
      const png = await encodePng(image)
      expect(await encodePng(image)).toEqual(png)
      const back = await decodePng(png)
      expect({ ...back, pixels: [...back.pixels] }).toEqual({
        ...image,
        pixels: [...image.pixels],
      })
    }),
    { numRuns: 60 },
  )
})

test('the Poseidon digest is the chain that its documentation says', () => {
  const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * 7) & 255)
  const limbs: bigint[] = []
  for (let i = 0; i < pixels.length; i += 31)
    limbs.push(BigInt(`0x${Buffer.from(pixels.slice(i, i + 31)).toString('hex')}`))
  while (limbs.length % 15 !== 0) limbs.push(0n)
  let state = (16n << 64n) + (16n << 32n) + 3n
  for (let i = 0; i < limbs.length; i += 15) state = poseidon16([state, ...limbs.slice(i, i + 15)])
  expect(poseidonDigest({ height: 16, width: 16, channels: 3, pixels })).toBe(state)
})

test('images of equal bytes and different shape have different digests', () => {
  const pixels = new Uint8Array(12)
  const shapes = [
    { height: 4, width: 3, channels: 1 },
    { height: 3, width: 4, channels: 1 },
    { height: 2, width: 2, channels: 3 },
  ] as const
  expect(new Set(shapes.map((shape) => poseidonDigest({ ...shape, pixels }))).size).toBe(3)
})

test('any altered pixel changes every pixel hash', () => {
  fc.assert(
    fc.property(images, fc.nat(), fc.integer({ min: 1, max: 255 }), (image, at, delta) => {
      const pixels = image.pixels.slice()
      const index = at % pixels.length
      pixels[index] = (pixels[index]! + delta) & 255
      const before = pixelHashes(image)
      const after = pixelHashes({ ...image, pixels })
      expect(after.poseidon).not.toBe(before.poseidon)
      expect(after.keccak256).not.toBe(before.keccak256)
    }),
    { numRuns: 30 },
  )
})

test('file hashes: SHA-256 as Node computes it, and the CID of a known file', () => {
  const bytes = new TextEncoder().encode('hello world')
  const { sha256, cid } = fileHashes(bytes)
  expect(sha256).toBe(`0x${createHash('sha256').update(bytes).digest('hex')}`)
  // base32 of 0x01551220 and the SHA-256: the CIDv1 of "hello world" as a raw leaf.
  expect(cid).toBe('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
})

test.each([
  ['empty', new Uint8Array()],
  ['text', new TextEncoder().encode('not an image')],
  ['a bare PNG signature', Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10)],
])('a broken PNG is a clear error: %s', async (_, bytes) => {
  await expect(decodePng(bytes)).rejects.toThrow('The file is not a readable PNG.')
})

test('a truncated PNG is refused', async () => {
  const pixels = Uint8Array.from({ length: 48 }, (_, i) => (i * 97) & 255)
  const png = await encodePng({ height: 4, width: 4, channels: 3, pixels })
  for (const length of [png.length - 1, png.length - 20, 30])
    await expect(decodePng(png.slice(0, length))).rejects.toThrow()
})
