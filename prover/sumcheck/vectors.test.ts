import { readFileSync } from 'node:fs'
import { verdicts } from './test-prover.js'
import { requestOfVector, type Vectors } from './vectors.js'

const { positive, negative } = JSON.parse(
  readFileSync(new URL('../../fixtures/sumcheck/vectors.json', import.meta.url), 'utf8'),
) as Vectors

test('golden proofs are accepted by both verifiers', async () => {
  expect(positive.length).toBeGreaterThan(3)
  for (const vector of positive)
    expect([vector.name, await verdicts(requestOfVector(vector))]).toEqual([vector.name, {}])
})

test('every negative vector is rejected by both verifiers for its reason', async () => {
  expect(negative.length).toBeGreaterThan(200)
  for (const change of negative) {
    const { rust, typescript } = await verdicts(requestOfVector(positive[change.base]!, change))
    const { name, reason } = change
    expect([name, rust, typescript]).toEqual([name, reason, reason])
  }
}, 240_000)
