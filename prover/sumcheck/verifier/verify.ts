import { concatBytes, equalBytes } from '@noble/curves/utils.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import canonicalizeModule from 'canonicalize'
import { affineClaims } from './affine.js'
import { mergeClaims } from './claims.js'
import { columnWeights } from './columns.js'
import { commitmentHash, imageClaim, packPixels } from './image.js'
import { lookupClaims, lookupSum } from './lookups.js'
import { checkOpening } from './opening.js'
import { publicTensors } from './public-tensors.js'
import { readKey, type VerifierKey } from './read-key.js'
import { type Rounds, readProof } from './read-proof.js'
import { blockBits, publicBlocks } from './regions.js'
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
  /** The pixels, row-major height × width × channels, or the 32-byte image hash of a commitment. */
  readonly image: Uint8Array
  /** The seed's expansion, one byte a dimension. */
  readonly latent: Uint8Array
  /** What was chosen besides the seed, where the key has conditions (§3.5). */
  readonly conditions?: Uint8Array
  readonly proof: Uint8Array
}

/**
 * Verifies a sumcheck proof after `docs/protocol.md`, with @noble/curves and nothing of the prover's.
 * Runs in Node and in browsers.
 *
 * @returns undefined when the proof is valid, else the check that failed
 * @example
 * verifySumcheck({ key, seed, context, image, latent, proof }) // undefined
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
  const { height, width, channels, binding } = key.image
  ensure(request.seed.length === 32 && request.context.length === 32, 'public inputs: 32 bytes')
  if (binding === 'pixels') sized(request.image, height * width * channels, 'pixel')
  else sized(request.image, 32, 'image hash')
  sized(request.latent, key.latent.dimensions, 'latent')
  const conditions = request.conditions ?? new Uint8Array(0)
  const publics = publicTensors(key, request.latent, conditions)
  const proof = readProof(key, request.proof)
  const imageHash = binding === 'pixels' ? keccak_256(request.image) : request.image
  if (binding === 'commitment') {
    const point = proof.first.bytes.subarray(64 * key.columns.first)
    ensure(equalBytes(commitmentHash(key, point), imageHash), 'image hash')
  }

  const transcript = new Transcript()
  const inputs = [keyDigest(request.key), request.seed, request.context, imageHash]
  if (key.conditions !== undefined) inputs.push(keccak_256(conditions))
  const [beta, alpha] = transcript.step(concatBytes(...inputs, proof.first.bytes), 2)
  const rBits = outputBits(key)
  const lookupBits = proof.lookups.length
  const drawn = transcript.step(proof.second.bytes, rBits + lookupBits + 3)
  const [gamma, z, ...rest] = drawn.slice(rBits) as [bigint, bigint, ...bigint[]]
  const tau = rest.slice(0, lookupBits)
  const lambda = rest[lookupBits]!
  transcript.one(proof.sums.bytes)
  const [affineSum, imageValue] = proof.sums.values as [bigint, bigint?]
  const one = plainRounds(proof.phaseOne, affineSum, transcript)
  const eta = transcript.one(proof.contracted.bytes)
  const sum = proof.contracted.values.reduceRight((total, v) => mod(total * eta + v), 0n)
  const two = plainRounds(proof.phaseTwo, sum, transcript)
  const zero = eqRounds(proof.lookups, tau, lookupSum(key, tau, lambda), transcript)
  const nu = transcript.one(proof.inverses.bytes)

  const affine = affineClaims(key, affineSum, proof.contracted.values, publics, {
    r: drawn.slice(0, rBits),
    gamma,
    a: one.point,
    eta,
    b: two.point,
    e1: one.claim,
    e2: two.claim,
  })
  const lookups = lookupClaims(key, proof.inverses.values, {
    beta: beta!,
    alpha: alpha!,
    lambda,
    s: zero.point,
    e3: zero.claim,
  })
  const image = imageClaim(key, z, imageValue ?? packPixels(key, request.image, z))
  const merged = mergeClaims(
    [...affine, lookups.sums, lookups.zero, image, ...lookups.inverses],
    nu,
  )
  const last = plainRounds(proof.merge, merged.value, transcript)
  const mu = transcript.one(proof.columns.bytes)
  const weights = columnWeights(key, merged.weights, last.point)
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
  const { first } = key.columns
  checkOpening(
    key.tau,
    [...proof.first.values.slice(0, first), ...proof.second.values, ...key.points],
    scalars,
    last.point,
    value,
    proof.openingPoints,
    proof.openingScalars,
    imageValue === undefined
      ? undefined
      : { commitment: proof.first.values[first]!, z, value: imageValue },
    transcript,
  )
}

/** Entries of r: bits of the largest block that a node fills. */
function outputBits(key: VerifierKey): number {
  return key.blocks
    .slice(publicBlocks(key))
    .reduce((most, block) => Math.max(most, blockBits(block)), 0)
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
