import { bytesToHex } from '@noble/hashes/utils.js'
import canonicalizeModule from 'canonicalize'
import type { SumcheckDescriptor } from '../../circuits/sumcheck/descriptor.js'
import type { SumcheckLayout } from '../../circuits/sumcheck/layout.js'
import { sumcheckNative } from './native.js'

// The package's types do not fit its ESM form.
const canonicalize = canonicalizeModule as unknown as (value: unknown) => string

/** The key file's content: the descriptor with what setup made of it. */
export type SumcheckKey = SumcheckDescriptor & {
  /** 64 bytes a column, 0x-hex. */
  readonly commitments: { readonly table: readonly string[]; readonly weight: readonly string[] }
  /** τ·G₂, 128 bytes, 0x-hex. */
  readonly tauG2: string
}

/** The text whose keccak-256 is the key's digest: RFC 8785 JSON. */
export function keyText(key: unknown): string {
  return canonicalize(key)
}

/** Commits to a layout's tables and weights under given powers of tau. */
export async function makeKey(
  layout: SumcheckLayout,
  powers: Buffer,
  tauG2: Buffer,
): Promise<SumcheckKey> {
  const { descriptor } = layout
  const native = sumcheckNative()
  const commit = async (cells: Float64Array) => {
    const bytes = await native.sumcheckCommit(powers, descriptor.columnBits, cells)
    return Array.from(
      { length: bytes.length / 64 },
      (_, i) => `0x${bytesToHex(bytes.subarray(64 * i, 64 * (i + 1)))}`,
    )
  }
  return {
    ...descriptor,
    commitments: {
      table: await commit(Float64Array.from(layout.table)),
      weight: await commit(layout.weight),
    },
    tauG2: `0x${bytesToHex(tauG2)}`,
  }
}
