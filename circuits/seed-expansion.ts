import { keccak_256 } from '@noble/hashes/sha3.js'
import { PlatemarkError } from '../model-export/platemark-error.js'

/**
 * Seed to latent bytes, the same in TypeScript, circuit inputs and Solidity (`SeedExpansion.sol`):
 *
 *     block_i = keccak256(SEED_DOMAIN ‖ seed ‖ i)     32-byte domain, seed and i big-endian 32 bytes
 *     byte_j  = block_{⌊j/31⌋}[j mod 31]              the 32nd byte of each block is not used
 *
 * 31 bytes a block, so that a block shifted right by 8 bits is one field element: the `limb` that a
 * circuit has as public input and a contract computes with one shift.
 */
const SEED_DOMAIN = keccak_256(new TextEncoder().encode('platemark.seed.v1'))

/** Bytes in one limb. */
export const LIMB_BYTES = 31

/** Seeds are integers in [0, 2^256). */
export const SEED_LIMIT = 1n << 256n

const canonicalSeed = /^(0|[1-9][0-9]*)$/

/**
 * Reads the one text form of a seed: decimal, no sign, no leading zeros, below 2^256.
 *
 * @throws {PlatemarkError} for any other text.
 * @example
 * parseSeed('42') // 42n
 */
export function parseSeed(text: string): bigint {
  if (!canonicalSeed.test(text) || text.length > 78 || BigInt(text) >= SEED_LIMIT)
    throw new PlatemarkError('The seed is not canonical.', {
      expected: 'a decimal integer from 0 to 2^256 − 1, without sign, spaces or leading zeros',
      found: JSON.stringify(text.slice(0, 100)),
      fix: 'Write it like 42.',
    })
  return BigInt(text)
}

/**
 * The latent bytes of a seed.
 *
 * @param seed - integer in [0, 2^256)
 * @param dimensions - number of latent dimensions, one byte each
 * @throws {PlatemarkError} for a seed out of range.
 * @example
 * expandSeed(42n, 16).length // 16
 */
export function expandSeed(seed: bigint, dimensions: number): Uint8Array {
  if (seed < 0n || seed >= SEED_LIMIT)
    throw new PlatemarkError('The seed is out of range.', {
      expected: '0 ≤ seed < 2^256',
      found: String(seed),
    })
  const message = new Uint8Array(96)
  message.set(SEED_DOMAIN, 0)
  writeBigEndian(message, 32, seed)
  const bytes = new Uint8Array(dimensions)
  for (let block = 0; block * LIMB_BYTES < dimensions; block++) {
    writeBigEndian(message, 64, BigInt(block))
    const start = block * LIMB_BYTES
    bytes.set(keccak_256(message).subarray(0, Math.min(LIMB_BYTES, dimensions - start)), start)
  }
  return bytes
}

function writeBigEndian(target: Uint8Array, offset: number, value: bigint): void {
  let rest = value
  for (let i = 31; i >= 0; i--) {
    target[offset + i] = Number(rest & 0xffn)
    rest >>= 8n
  }
}
