import { readFileSync } from 'node:fs'
import { verdicts } from './test-prover.js'
import { requestOfVector, type Vectors } from './vectors.js'

const read = (file: string) =>
  JSON.parse(
    readFileSync(new URL(`../../fixtures/sumcheck/${file}`, import.meta.url), 'utf8'),
  ) as Vectors

describe.each([
  ['vectors.json', 3, 200],
  ['conditions.json', 1, 100],
] as const)('%s', (file, positives, negatives) => {
  const { positive, negative } = read(file)

  test('golden proofs are accepted by both verifiers', async () => {
    expect(positive.length).toBeGreaterThan(positives)
    for (const vector of positive)
      expect([vector.name, await verdicts(requestOfVector(vector))]).toEqual([vector.name, {}])
  })

  test('every negative vector is rejected by both verifiers for its reason', async () => {
    expect(negative.length).toBeGreaterThan(negatives)
    for (const change of negative) {
      const { rust, typescript } = await verdicts(requestOfVector(positive[change.base]!, change))
      const { name, reason } = change
      expect([name, rust, typescript]).toEqual([name, reason, reason])
    }
  }, 240_000)
})
