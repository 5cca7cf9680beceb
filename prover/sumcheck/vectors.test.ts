import { readFileSync } from 'node:fs'
import { verdicts } from './test-prover.js'
import type { SumcheckVerification } from './verifier/verify.js'

type Statement = {
  readonly seed: string
  readonly context: string
  readonly pixels: string
  readonly latent: string
}
type Vector = Statement & { readonly name: string; readonly key: unknown; readonly proof: string }
type Change = {
  readonly name: string
  readonly reason: string
  readonly statement?: Statement
  readonly proof?: string
  readonly patches?: readonly { readonly offset: number; readonly bytes: string }[]
}
const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/sumcheck/vectors.json', import.meta.url), 'utf8'),
) as {
  readonly positive: readonly Vector[]
  readonly base: Vector
  readonly negative: readonly Change[]
}

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex.slice(2), 'hex'))

function request(vector: Vector, change?: Change): SumcheckVerification {
  const statement = change?.statement ?? vector
  const proof = bytes(change?.proof ?? vector.proof)
  for (const { offset, bytes: text } of change?.patches ?? []) proof.set(bytes(text), offset)
  return {
    key: vector.key,
    seed: bytes(statement.seed),
    context: bytes(statement.context),
    pixels: bytes(statement.pixels),
    latent: bytes(statement.latent),
    proof,
  }
}

test('golden proofs are accepted by both verifiers', async () => {
  expect(vectors.positive.length).toBeGreaterThan(3)
  for (const vector of vectors.positive) expect(await verdicts(request(vector))).toEqual({})
})

test('every negative vector is rejected by both verifiers for its reason', async () => {
  expect(vectors.negative.length).toBeGreaterThan(30)
  for (const change of vectors.negative) {
    const verdict = await verdicts(request(vectors.base, change))
    expect([change.name, verdict]).toEqual([
      change.name,
      { rust: change.reason, typescript: change.reason },
    ])
  }
})
