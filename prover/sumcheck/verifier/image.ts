import { bytesToNumberBE, concatBytes, numberToBytesBE } from '@noble/curves/utils.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { SumcheckDescriptor } from '../../../circuits/sumcheck/descriptor.js'
import type { Claim } from './columns.js'
import { blockIn, regionsOf } from './regions.js'
import { mod, multiply, power } from './scalar-field.js'
import { compositeEq } from './wiring.js'

const WORD_BYTES = 16

/** Image hash of a commitment's 64 bytes, `docs/protocol.md` §3.5. */
export function commitmentHash({ image }: SumcheckDescriptor, commitment: Uint8Array): Uint8Array {
  const sizes = [image.height, image.width, image.channels].map((n) => numberToBytesBE(n, 32))
  const tag = keccak_256(new TextEncoder().encode('platemark.image.kzg.v1'))
  const hash = keccak_256(concatBytes(tag, ...sizes, commitment))
  hash[0] = 1
  return hash
}

/** Σ z^i · P_i over 16-byte words of pixel rows (§6.5), by Horner from the last word. */
export function packPixels({ image }: SumcheckDescriptor, pixels: Uint8Array, z: bigint): bigint {
  const row = image.width * image.channels
  const words = Math.ceil(row / WORD_BYTES)
  const padded = new Uint8Array(words * WORD_BYTES)
  let sum = 0n
  for (let y = image.height - 1; y >= 0; y--) {
    padded.set(pixels.subarray(y * row, (y + 1) * row))
    for (let word = words - 1; word >= 0; word--) {
      const bytes = padded.subarray(word * WORD_BYTES, (word + 1) * WORD_BYTES)
      sum = mod(sum * z + bytesToNumberBE(bytes))
    }
  }
  return sum
}

/** Claim 5 without its power of ν: the weighted sum of the image's cells is `value`. */
export function imageClaim(key: SumcheckDescriptor, z: bigint, value: bigint): Claim {
  const block = key.blocks[key.image.block]!
  const { output, copy } = regionsOf(key)
  const region = blockIn(block.space === 'copy' ? copy! : output, block)
  return { value, weights: [{ region, at: (point) => imageWeight(key, z, point) }] }
}

/** The weights' multilinear extension at a point of the image block. */
function imageWeight(key: SumcheckDescriptor, z: bigint, point: readonly bigint[]): bigint {
  const { image } = key
  const block = key.blocks[image.block]!
  const row = image.width * image.channels
  const packed = image.binding === 'pixels'
  const rowStep = power(z, packed ? Math.ceil(row / WORD_BYTES) : row)
  const rows = horner(compositeEq(block, image.rowAxes, point), rowStep)
  const channels = compositeEq(block, image.channelAxes, point)
  const cells = compositeEq(block, image.columnAxes, point).flatMap((x) =>
    channels.map((c) => multiply(x, c)),
  )
  if (!packed) return multiply(rows, horner(cells, z))
  const words = Array.from({ length: Math.ceil(row / WORD_BYTES) }, (_, word) => {
    const own = cells.slice(word * WORD_BYTES, (word + 1) * WORD_BYTES)
    return own.reduce((sum, e, i) => sum + (e << BigInt(8 * (WORD_BYTES - 1 - i))), 0n)
  })
  return multiply(rows, horner(words, z))
}

/** Σ values[i]·x^i. */
function horner(values: readonly bigint[], x: bigint): bigint {
  return values.reduceRight((sum, value) => mod(sum * x + value), 0n)
}
