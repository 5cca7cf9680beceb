import { keccak_256 } from '@noble/hashes/sha3.js'
import { loadAddon } from './native-addon.js'

/** Bytes from which on native code is worth loading. */
const LARGE = 2 ** 20

/**
 * Keccak-256; of megabytes in native code where it is built.
 *
 * @returns 32 bytes
 */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return (bytes.length < LARGE ? undefined : nativeKeccak()?.(bytes)) ?? keccak_256(bytes)
}

function nativeKeccak(): ((bytes: Uint8Array) => Uint8Array) | undefined {
  try {
    return (loadAddon() as { readonly keccak256?: (bytes: Uint8Array) => Uint8Array }).keccak256
  } catch {
    return undefined
  }
}
