import { concatBytes } from '@noble/curves/utils.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import canonicalizeModule from 'canonicalize'
import { latentValues, mergeClaims, outputBits } from './claims.js'
import { checkOpening } from './opening.js'
import { readKey } from './read-key.js'
import { type Rounds, readProof } from './read-proof.js'
import { ensure, Rejection } from './reject.js'
import { mod, multiply } from './scalar-field.js'
import { Transcript } from './transcript.js'

// The package's types do not fit its ESM form.
const canonicalize = canonicalizeModule as unknown as (value: unknown) => string

/** What a proof is about, and the proof. */
export type SumcheckVerification = {
  /** Content of the key file. */
  readonly key: unknown
  /** 32 bytes, big-endian. */
  readonly seed: Uint8Array
  /** 32 bytes. */
  readonly context: Uint8Array
  /** Row-major height × width × channels. */
  readonly pixels: Uint8Array
  /** The seed's expansion, one byte a dimension. */
  readonly latent: Uint8Array
  readonly proof: Uint8Array
}

/**
 * Verifies a sumcheck proof after `docs/protocol.md`, with @noble/curves and nothing of the prover's.
 * Runs in Node and in browsers.
 *
 * @returns undefined when the proof is valid, else the check that failed
 * @example
 * verifySumcheck({ key, seed, context, pixels, latent, proof }) // undefined
 */
export function verifySumcheck(request: SumcheckVerification): string | undefined {
  try {
    check(request)
    return undefined
  } catch (error) {
    if (error instanceof Rejection) return error.message
    throw error
  }
}

/** Keccak-256 of the key's RFC 8785 text. */
export function keyDigest(key: unknown): Uint8Array {
  return keccak_256(new TextEncoder().encode(canonicalize(key)))
}

function check(request: SumcheckVerification): void {
  const key = readKey(request.key)
  const { height, width, channels } = key.image
  ensure(request.seed.length === 32 && request.context.length === 32, 'public inputs: 32 bytes')
  sized(request.pixels, height * width * channels, 'pixel')
  sized(request.latent, key.latent.dimensions, 'latent')
  const proof = readProof(key, request.proof)
  const transcript = new Transcript()
  const [beta, alpha] = transcript.step(
    concatBytes(
      keyDigest(request.key),
      request.seed,
      request.context,
      keccak_256(request.pixels),
      proof.first.bytes,
    ),
    2,
  )
  const bits = outputBits(key)
  const n = key.columnBits
  const drawn = transcript.step(proof.second.bytes, bits + n + 3)
  const tau = drawn.slice(bits + 2, bits + 2 + n)
  const lambda = drawn[bits + 2 + n]!
  transcript.one(proof.affineSum.bytes)
  const one = plainRounds(proof.phaseOne, proof.affineSum.values[0]!, transcript)
  const eta = transcript.one(proof.contracted.bytes)
  const sum = proof.contracted.values.reduceRight((total, v) => mod(total * eta + v), 0n)
  const two = plainRounds(proof.phaseTwo, sum, transcript)
  let start = 0n
  let power = 1n
  for (let e = 0; e < (1 + key.limbs) * key.columns.activation; e++) {
    start = mod(start + power)
    power = multiply(power, lambda)
  }
  const zero = eqRounds(proof.lookups, tau, start, transcript)
  const nu = transcript.one(proof.inverses.bytes)
  const merged = mergeClaims(
    key,
    proof,
    {
      beta: beta!,
      alpha: alpha!,
      r: drawn.slice(0, bits),
      gamma: drawn[bits]!,
      z: drawn[bits + 1]!,
      lambda,
      a: one.point,
      eta,
      b: two.point,
      s: zero.point,
      nu,
      e1: one.claim,
      e2: two.claim,
      e3: zero.claim,
    },
    latentValues(key, request.latent),
    request.pixels,
  )
  const last = plainRounds(proof.merge, merged.value, transcript)
  const mu = transcript.one(proof.columns.bytes)
  const weights = merged.weightsAt(last.point)
  const explained = proof.columns.values.reduce((total, v, i) => total + v * weights[i]!, 0n)
  ensure(mod(explained) === last.claim, 'merged claim')
  const scalars: bigint[] = []
  let value = 0n
  let scale = 1n
  for (const column of proof.columns.values) {
    scalars.push(scale)
    value = mod(value + scale * column)
    scale = multiply(scale, mu)
  }
  checkOpening(
    key.tau,
    [...proof.first.values, ...proof.second.values, ...key.tablePoints, ...key.weightPoints],
    scalars,
    last.point,
    value,
    proof.openingPoints,
    proof.openingScalars,
    transcript,
  )
}

function sized(bytes: Uint8Array, count: number, what: string): void {
  ensure(
    bytes.length === count,
    `public inputs: expected ${count} ${what} bytes, found ${bytes.length}`,
  )
}

type Ended = { readonly claim: bigint; readonly point: readonly bigint[] }

/** Rounds that give c₀ and c₂ (§6). */
function plainRounds(rounds: Rounds, first: bigint, transcript: Transcript): Ended {
  let claim = first
  const point = rounds.map(({ bytes, values }) => {
    const x = transcript.one(bytes)
    const [c0, c2] = values as [bigint, bigint]
    claim = mod(c0 + x * mod(claim - 2n * c0 - c2 + x * c2))
    return x
  })
  return { claim, point }
}

/** Rounds that give c₁ and c₂, eq(τ, ·) divided out (§6). */
function eqRounds(
  rounds: Rounds,
  tau: readonly bigint[],
  first: bigint,
  transcript: Transcript,
): Ended {
  let claim = first
  const point = rounds.map(({ bytes, values }, i) => {
    const x = transcript.one(bytes)
    const [c1, c2] = values as [bigint, bigint]
    const c0 = claim - tau[i]! * (c1 + c2)
    claim = mod(c0 + x * mod(c1 + x * c2))
    return x
  })
  return { claim, point }
}
