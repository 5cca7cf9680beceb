import { keccak_256 } from '@noble/hashes/sha3.js'
import { keccak256 } from './keccak.js'

test('native and portable code have the same hash, on both sides of the limit', () => {
  for (const length of [0, 1, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 137]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * i) >> 3)
    expect(Buffer.from(keccak256(bytes)).equals(Buffer.from(keccak_256(bytes)))).toBe(true)
  }
})
