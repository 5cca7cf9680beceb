import fc from 'fast-check'
import { encodeAbiParameters, hexToBytes, keccak256, stringToBytes } from 'viem'
import { toLimbs } from './limbs.js'
import { expandSeed, parseSeed } from './seed-expansion.js'

test('latent bytes are the first 31 bytes of each keccak block', () => {
  const domain = keccak256(stringToBytes('platemark.seed.v1'))
  const block = (seed: bigint, index: bigint) =>
    hexToBytes(
      keccak256(
        encodeAbiParameters(
          [{ type: 'bytes32' }, { type: 'uint256' }, { type: 'uint256' }],
          [domain, seed, index],
        ),
      ),
    )
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }), (seed) => {
      const expected = [
        ...block(seed, 0n).slice(0, 31),
        ...block(seed, 1n).slice(0, 31),
        ...block(seed, 2n).slice(0, 31),
        ...block(seed, 3n).slice(0, 7),
      ]
      expect([...expandSeed(seed, 100)]).toEqual(expected)
      expect(toLimbs(expandSeed(seed, 100))[0]).toBe(
        BigInt(
          keccak256(
            encodeAbiParameters(
              [{ type: 'bytes32' }, { type: 'uint256' }, { type: 'uint256' }],
              [domain, seed, 0n],
            ),
          ),
        ) >> 8n,
      )
    }),
    { numRuns: 50 },
  )
})

test.each(['', '-1', '+1', '01', '1.0', '1e3', ' 1', '0x2a', '9'.repeat(79), String(1n << 256n)])(
  'a seed has one spelling: %j is refused',
  (text) => {
    expect(() => parseSeed(text)).toThrow('The seed is not canonical.')
  },
)

test('the smallest and the largest seed are accepted', () => {
  expect(parseSeed('0')).toBe(0n)
  expect(parseSeed(String((1n << 256n) - 1n))).toBe((1n << 256n) - 1n)
  expect(() => expandSeed(1n << 256n, 1)).toThrow('out of range')
})
