import { SCALAR_FIELD } from '../../circuits/field.js'
import { toLimbs } from '../../circuits/limbs.js'
import { expandSeed, LIMB_BYTES } from '../../circuits/seed-expansion.js'
import { contextHash, type Statement } from '../statement.js'

/** Order q of the field that curve points have their coordinates in. */
export const BASE_FIELD =
  21888242871839275222246405745257275088696311157297823662689037894645226208583n

/** Bytes of a proof, always. */
export const PROOF_BYTES = 256

/**
 * A Groth16 proof in affine coordinates. Bytes: A.x A.y B.x.c1 B.x.c0 B.y.c1 B.y.c0 C.x C.y, each 32
 * bytes big-endian: the order of EIP-197, imaginary part (c1) first. The point at infinity has no
 * encoding here.
 */
export type Groth16Proof = {
  readonly a: Affine<bigint>
  readonly b: Affine<Complex>
  readonly c: Affine<bigint>
}

export type Affine<T> = { readonly x: T; readonly y: T }

/** c0 + c1·i in the quadratic extension, as @noble/curves writes it. */
export type Complex = { readonly c0: bigint; readonly c1: bigint }

/** The 256 bytes of a proof. */
export function encodeProof({ a, b, c }: Groth16Proof): Uint8Array {
  const words = [a.x, a.y, b.x.c1, b.x.c0, b.y.c1, b.y.c0, c.x, c.y]
  const bytes = new Uint8Array(PROOF_BYTES)
  words.forEach((word, i) => {
    let rest = word
    for (let at = 32 * i + 31; at >= 32 * i; at--) {
      bytes[at] = Number(rest & 0xffn)
      rest >>= 8n
    }
  })
  return bytes
}

/**
 * Reads the bytes of a proof, or says in words why they are none. Whether the points are on the curve
 * is another check.
 */
export function decodeProof(bytes: Uint8Array): Groth16Proof | string {
  if (bytes.length !== PROOF_BYTES)
    return `proof length: ${bytes.length} bytes instead of ${PROOF_BYTES}`
  const words = Array.from({ length: 8 }, (_, i) => {
    let value = 0n
    for (const byte of bytes.subarray(32 * i, 32 * i + 32)) value = (value << 8n) | BigInt(byte)
    return value
  })
  const large = words.findIndex((word) => word >= BASE_FIELD)
  if (large >= 0) return `proof encoding: coordinate ${large} is not below q`
  const [ax, ay, bx1, bx0, by1, by0, cx, cy] = words as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ]
  return {
    a: { x: ax, y: ay },
    b: { x: { c0: bx0, c1: bx1 }, y: { c0: by0, c1: by1 } },
    c: { x: cx, y: cy },
  }
}

/** A context hash as a field element: its upper 253 bits. */
export function contextSignal(statement: Statement): bigint {
  return BigInt(contextHash(statement.context, statement.modelId)) >> 3n
}

/** Latent bytes of a seed as the circuit's public inputs. */
export function latentSignals(seed: bigint, latentDimensions: number): readonly bigint[] {
  return toLimbs(expandSeed(seed, latentDimensions))
}

/** Public signals of a model: image digest, a limb for 31 latent bytes, context. */
export function publicSignalCount(latentDimensions: number): number {
  return 2 + Math.ceil(latentDimensions / LIMB_BYTES)
}

/**
 * The public signals of a statement, in the circuit's order: image digest, latent limbs, context.
 * None is taken from a prover: limbs and context are computed from the statement.
 *
 * @returns the signals, or in words why the statement has none
 */
export function publicSignals(
  statement: Statement,
  latentDimensions: number,
): readonly bigint[] | string {
  if (!/^0x[0-9a-fA-F]{64}$/.test(statement.imageHash)) return 'image hash: not 32 bytes'
  const digest = BigInt(statement.imageHash)
  if (digest >= SCALAR_FIELD) return 'image hash: not below r, so it is no Poseidon digest'
  try {
    return [digest, ...latentSignals(statement.seed, latentDimensions), contextSignal(statement)]
  } catch (error) {
    return `statement: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`
  }
}
