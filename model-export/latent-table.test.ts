import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { latentTable, sampleLatent } from './latent-table.js'

const digest = (values: readonly number[]) =>
  bytesToHex(keccak_256(new TextEncoder().encode(values.join()))).slice(0, 16)

test('normal values are quantiles of the standard normal distribution', () => {
  const table = latentTable('normal', 2 ** -12)
  // Φ⁻¹ of 128.5/256, 154.5/256, 243.5/256 and 255.5/256, from tables.
  for (const [byte, quantile] of [
    [128, 0.0048957],
    [154, 0.2623047],
    [243, 1.6563387],
    [255, 2.8856349],
  ] as const)
    expect(Math.abs(table[byte]! / 4096 - quantile)).toBeLessThan(2e-4)
  const variance = table.reduce((sum, value) => sum + (value / 4096) ** 2, 0) / 256
  expect(variance).toBeGreaterThan(0.98)
  expect(variance).toBeLessThan(1)
})

test('uniform values are the middles of 256 equal intervals of (−1, 1)', () => {
  expect(latentTable('uniform', 2 ** -8)).toEqual(
    Array.from({ length: 256 }, (_, byte) => 2 * byte - 255),
  )
})

test('tables are odd, increasing and without repetition at every scale in use', () => {
  for (const bits of [7, 10, 12]) {
    const table = latentTable('normal', 2 ** -bits)
    table.forEach((value, byte) => {
      expect(value).toBe(-table[255 - byte]!)
      if (byte > 0) expect(value).toBeGreaterThan(table[byte - 1]!)
    })
  }
})

test('tables are these, to the bit, on every machine', () => {
  expect([7, 10, 12].map((bits) => digest(latentTable('normal', 2 ** -bits)))).toEqual([
    '15209f7a8187feed',
    'befbac73c1dfc134',
    '0acab2e150ca9a28',
  ])
})

test('sampled latents are fixed, differ between seeds and use all bytes', () => {
  expect(sampleLatent(3, 8)).toEqual(sampleLatent(3, 8))
  expect(sampleLatent(3, 8)).not.toEqual(sampleLatent(4, 8))
  const seen = new Set(Array.from({ length: 64 }, (_, seed) => [...sampleLatent(seed, 64)]).flat())
  expect(seen.size).toBe(256)
})
