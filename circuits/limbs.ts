import { LIMB_BYTES } from './seed-expansion.js'

/**
 * Bytes as field elements: consecutive groups of 31, each a big-endian integer; the last group is
 * the big-endian integer of the bytes that are left. Injective for a known length.
 *
 * @example
 * toLimbs(Uint8Array.of(1, 2)) // [0x0102n]
 */
export function toLimbs(bytes: Uint8Array): readonly bigint[] {
  const limbs: bigint[] = []
  for (let start = 0; start < bytes.length; start += LIMB_BYTES) {
    let limb = 0n
    for (const byte of bytes.subarray(start, start + LIMB_BYTES)) limb = (limb << 8n) | BigInt(byte)
    limbs.push(limb)
  }
  return limbs
}
