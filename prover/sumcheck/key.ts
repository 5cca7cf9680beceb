import { bytesToHex } from '@noble/hashes/utils.js'
import canonicalizeModule from 'canonicalize'
import type { SumcheckDescriptor } from '../../circuits/sumcheck/descriptor.js'
import type { SumcheckLayout } from '../../circuits/sumcheck/layout.js'
import { sumcheckNative } from './native.js'

// The package's types do not fit its ESM form.
const canonicalize = canonicalizeModule as unknown as (value: unknown) => string

/** The key file's content: the descriptor with what setup made of it. */
export type SumcheckKey = SumcheckDescriptor & {
  /** One a column of the key group, 64 bytes, 0x-hex. */
  readonly commitments: readonly string[]
  /** τ·G₂, 128 bytes, 0x-hex. */
  readonly tauG2: string
}

/** The text whose keccak-256 is the key's digest: RFC 8785 JSON. */
export function keyText(key: unknown): string {
  return canonicalize(key)
}

/**
 * Commits to a layout's weights and tables under given powers of tau: the same layout and the same
 * powers make the same key, which is how a stranger's key is checked.
 *
 * @param powers - τ^i·G₁, 64 bytes each, as many as a column has rows or more
 * @param tauG2 - 128 bytes
 */
export async function makeKey(
  { descriptor, keyCells }: SumcheckLayout,
  powers: Buffer,
  tauG2: Buffer,
): Promise<SumcheckKey> {
  const points = await sumcheckNative().sumcheckCommit(powers, descriptor.columnBits, keyCells)
  return {
    ...descriptor,
    commitments: Array.from(
      { length: points.length / 64 },
      (_, i) => `0x${bytesToHex(points.subarray(64 * i, 64 * (i + 1)))}`,
    ),
    tauG2: `0x${bytesToHex(tauG2)}`,
  }
}
