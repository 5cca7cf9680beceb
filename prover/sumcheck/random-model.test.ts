import { randomModel } from './random-model.js'
import { proveWith, testProver, verdicts } from './test-prover.js'

/** 12 by default; RANDOM_MODELS=200 for the whole property. */
const COUNT = Number(process.env.RANDOM_MODELS ?? 12)
const FIRST = Number(process.env.RANDOM_FIRST ?? 0)

test(`honest proofs of ${COUNT} random models verify in Rust and in TypeScript`, async () => {
  for (let i = FIRST; i < FIRST + COUNT; i++) {
    const prover = await testProver(randomModel(i), BigInt(i))
    const proof = await proveWith(prover, {}, true)
    const verdict = await verdicts({ ...prover.request, proof })
    expect([i, verdict]).toEqual([i, { rust: undefined, typescript: undefined }])
  }
}, 600_000)
