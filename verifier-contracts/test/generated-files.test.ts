import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bn254 } from '@noble/curves/bn254.js'
import { hexToBigInt, sliceHex } from 'viem'
import { g1Point, g2Point } from '../../prover/groth16/verifying-key.js'
import { packageRoot } from '../package-root.js'
import { generatedFiles } from './generated-files.js'
import { knownKey } from './known-key.js'

const folder = join(packageRoot(), 'verifier-contracts/test/generated')
const files = generatedFiles()

// UPDATE_GENERATED=1 writes the files instead of comparing them.
if (process.env.UPDATE_GENERATED === '1') {
  mkdirSync(folder, { recursive: true })
  for (const { path, source } of files) writeFileSync(join(folder, path), source)
}

test.each(files.map(({ path, source }) => [path, source]))(
  '%s is what the generator writes',
  (path, source) => {
    expect(readFileSync(join(folder, path), 'utf8')).toBe(source)
  },
)

test('nothing else is in the folder', () => {
  expect(readdirSync(folder).sort()).toEqual(files.map(({ path }) => path).sort())
})

test('the proofs among the vectors satisfy the pairing equation of an independent library', () => {
  const { proofs } = JSON.parse(files.at(-1)!.source)
  const [{ inputs, proof }] = proofs
  const words = Array.from({ length: 8 }, (_, i) => sliceHex(proof, 32 * i, 32 * i + 32))
  const { verifyingKey: key } = knownKey(inputs.length)
  const combined = key.ic
    .slice(1)
    .reduce(
      (sum, point, i) => sum.add(g1Point(point).multiply(hexToBigInt(inputs[i]))),
      g1Point(key.ic[0]!),
    )
  const product = bn254.pairingBatch([
    {
      g1: g1Point([words[0]!, words[1]!]).negate(),
      g2: g2Point([
        [words[3]!, words[2]!],
        [words[5]!, words[4]!],
      ]),
    },
    { g1: g1Point(key.alpha1), g2: g2Point(key.beta2) },
    { g1: combined, g2: g2Point(key.gamma2) },
    { g1: g1Point([words[6]!, words[7]!]), g2: g2Point(key.delta2) },
  ])
  expect(bn254.fields.Fp12.eql(product, bn254.fields.Fp12.ONE)).toBe(true)
})
