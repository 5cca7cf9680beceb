import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import type { Hex } from 'viem'
import { type Image, poseidonDigest } from './image-digest.js'

/** Multihash code of SHA2-256. */
const SHA2_256 = 0x12

/** Hashes of the pixels: they depend on nothing but the image. */
export type PixelHashes = {
  /** Poseidon digest of size and 31-byte limbs (`image-digest.ts`), 32 bytes big-endian. */
  readonly poseidon: Hex
  /** keccak-256 of the height × width × channels bytes. */
  readonly keccak256: Hex
}

/** Hashes of a file's bytes: they depend on the PNG encoder as well. */
export type FileHashes = {
  readonly sha256: Hex
  /** CIDv1, raw codec, SHA2-256, base32: what IPFS gives a file of at most 1 MiB (profile `unixfs-v1-2025`). */
  readonly cid: string
}

/**
 * Every hash that the toolkit binds of the pixels.
 *
 * @example
 * pixelHashes({ height: 1, width: 1, channels: 1, pixels: Uint8Array.of(7) }).keccak256
 */
export function pixelHashes(image: Image): PixelHashes {
  return {
    poseidon: `0x${poseidonDigest(image).toString(16).padStart(64, '0')}`,
    keccak256: `0x${bytesToHex(keccak_256(image.pixels))}`,
  }
}

/** SHA-256 and IPFS CID of a file's bytes. */
export function fileHashes(bytes: Uint8Array): FileHashes {
  const digest = sha256(bytes)
  return {
    sha256: `0x${bytesToHex(digest)}`,
    cid: CID.createV1(raw.code, Digest.create(SHA2_256, digest)).toString(),
  }
}
