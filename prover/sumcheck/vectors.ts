import type { SumcheckVerification } from './verifier/verify.js'

/*
 * The content of `fixtures/sumcheck/vectors.json`, and of `conditions.json` for models with a label or a
 * vector: proofs that every verifier accepts, and changes to
 * them that every verifier rejects for the reason given. Bytes are 0x-hex.
 */

/** A statement and a proof of it. */
export type Vector = {
  readonly name: string
  /** Content of the key file. */
  readonly key: Readonly<Record<string, unknown>>
  readonly seed: string
  readonly context: string
  /** The pixels, or the image hash where `key.image.binding` is "commitment". */
  readonly image: string
  readonly latent: string
  /** Where the key has conditions. */
  readonly conditions?: string
  readonly proof: string
}

/** A change to the positive vector of index `base`: members replaced, then bytes of the proof. */
export type NegativeVector = {
  readonly name: string
  readonly base: number
  /** Replaced members of the key. */
  readonly key?: Readonly<Record<string, unknown>>
  readonly seed?: string
  readonly context?: string
  readonly image?: string
  readonly latent?: string
  readonly conditions?: string
  readonly proof?: string
  readonly patches?: readonly { readonly offset: number; readonly bytes: string }[]
  /** What verifiers say. */
  readonly reason: string
}

export type Vectors = {
  readonly format: 'platemark-sumcheck-vectors'
  readonly version: 2
  readonly positive: readonly Vector[]
  readonly negative: readonly NegativeVector[]
}

/** What verifiers are asked. */
export function requestOfVector(
  vector: Vector,
  change: Omit<NegativeVector, 'name' | 'base' | 'reason'> = {},
): SumcheckVerification {
  const { key, patches = [], ...members } = change
  const changed = { ...vector, ...members }
  const proof = bytes(changed.proof)
  for (const { offset, bytes: text } of patches) proof.set(bytes(text), offset)
  return {
    key: { ...vector.key, ...key },
    seed: bytes(changed.seed),
    context: bytes(changed.context),
    image: bytes(changed.image),
    latent: bytes(changed.latent),
    ...(changed.conditions === undefined ? {} : { conditions: bytes(changed.conditions) }),
    proof,
  }
}

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.slice(2), 'hex'))
}
