import fc from 'fast-check'
import { decodePng, encodePng } from './png.js'
import { displayFlaw } from './png-display.js'

const image = { height: 4, width: 4, channels: 3 as const, pixels: new Uint8Array(48).fill(7) }

const CRC_TABLE = Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c >>> 0
})

function chunk(type: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + data.length)
  bytes.writeUInt32BE(data.length, 0)
  bytes.write(type, 4, 'latin1')
  bytes.set(data, 8)
  let crc = 0xffffffff
  for (const byte of bytes.subarray(4, 8 + data.length))
    crc = CRC_TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8)
  bytes.writeUInt32BE((crc ^ 0xffffffff) >>> 0, 8 + data.length)
  return bytes
}

/** The PNG with a chunk after its header, 33 bytes from the start. */
const withChunk = (png: Uint8Array, type: string, data: Uint8Array) =>
  Buffer.concat([png.subarray(0, 33), chunk(type, data), png.subarray(33)])

test('what we encode shows its samples', async () => {
  expect(displayFlaw(await encodePng(image))).toBeUndefined()
})

test.each([
  ['acTL', Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0)],
  ['gAMA', Uint8Array.of(0, 15, 66, 64)],
  ['eXIf', Buffer.from('4d4d002a00000008000101120003000000010003000000000000', 'hex')],
])('a chunk %s, which leaves the decoded pixels as they are, is a flaw', async (type, data) => {
  const png = withChunk(await encodePng(image), type, data)
  expect((await decodePng(png)).pixels).toEqual(image.pixels)
  expect(displayFlaw(png)).toContain(type)
})

test('a comment is none', async () => {
  const png = withChunk(await encodePng(image), 'tEXt', Buffer.from('a\0b'))
  expect(displayFlaw(png)).toBeUndefined()
})

test('data after the end is a flaw', async () => {
  const png = await encodePng(image)
  const end = png.subarray(png.length - 12)
  expect(displayFlaw(Buffer.concat([png, Buffer.from('more'), end]))).toBe('data after the image')
})

test('arbitrary bytes never crash the reader', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      displayFlaw(bytes)
    }),
  )
})
