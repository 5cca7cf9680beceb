import { bn254 } from '@noble/curves/bn254.js'
import fc from 'fast-check'
import { numberToHex } from 'viem'
import {
  type Groth16VerifyingKey,
  g2Coordinates,
  verifyingKeyHash,
} from '../prover/groth16/verifying-key.js'
import { compileSolidity } from './compile-solidity.js'
import {
  type GenerateGroth16VerifierOptions,
  generateGroth16Verifier,
  groth16VerifierName,
} from './generate-groth16-verifier.js'
import { TEST_MODEL_ID } from './test/generated-files.js'
import { knownKey } from './test/known-key.js'

const { verifyingKey } = knownKey(3)

function options(
  changes: Partial<GenerateGroth16VerifierOptions> = {},
): GenerateGroth16VerifierOptions {
  return {
    name: 'sprites',
    modelId: TEST_MODEL_ID,
    latentDimensions: 16,
    verifyingKey,
    verifyingKeyHash: verifyingKeyHash(verifyingKey),
    insecure: false,
    note: 'a ceremony of three',
    toolVersion: '0.1.0',
    ...changes,
  }
}

function withKey(changes: Partial<Groth16VerifyingKey>): GenerateGroth16VerifierOptions {
  return options({ verifyingKey: { ...verifyingKey, ...changes } })
}

test('one file, named after its contract, with the constants of the model', () => {
  const files = generateGroth16Verifier(options())
  expect(files.map(({ path }) => path)).toEqual(['SpritesGroth16Verifier.sol'])
  const source = files[0]!.source
  expect(source).toContain('contract SpritesGroth16Verifier is Groth16ImageVerifier {')
  expect(source).toContain(TEST_MODEL_ID)
  expect(source).toContain(verifyingKeyHash(verifyingKey))
  expect(source).toContain('LATENT_DIMENSIONS = 16;')
  expect(source).not.toMatch(/^import/m)
  expect(source.match(/SPDX-License-Identifier: MIT/g)).toHaveLength(1)
  expect(source.match(/^pragma/gm)).toHaveLength(1)
})

test('an insecure key is refused unless allowed by name, and then says so everywhere', () => {
  expect(() => generateGroth16Verifier(options({ insecure: true }))).toThrow('insecure setup')
  const [file] = generateGroth16Verifier(options({ insecure: true, allowInsecureSetup: true }))
  expect(file!.path).toBe('SpritesInsecureDevelopmentGroth16Verifier.sol')
  expect(file!.path).toBe(`${groth16VerifierName('sprites', true)}.sol`)
  expect(file!.source).toContain('INSECURE DEVELOPMENT SETUP')
  expect(file!.source).toContain('INSECURE_SETUP = true;')
  expect(file!.source).toContain('block.chainid == 31337 || block.chainid == 1337;')
  const [secure] = generateGroth16Verifier(options())
  expect(secure!.source).not.toMatch(/chainid == /)
})

test('an insecure verifier can be let onto a test network, never onto mainnet', () => {
  const insecure = { insecure: true, allowInsecureSetup: true }
  const [file] = generateGroth16Verifier(options({ ...insecure, insecureChainIds: [11155111n] }))
  expect(file!.source).toContain('|| block.chainid == 11155111;')
  expect(() => generateGroth16Verifier(options({ ...insecure, insecureChainIds: [1n] }))).toThrow(
    'mainnet',
  )
})

const generator = g2Coordinates(bn254.G2.Point.BASE)
const zero = numberToHex(0, { size: 32 })
const q = bn254.fields.Fp.ORDER
const plusQ = (value: `0x${string}`) => numberToHex(BigInt(value) + q, { size: 32 })

test.each([
  ['delta equal to gamma', withKey({ delta2: verifyingKey.gamma2 }), 'Anyone can forge'],
  ['delta the generator', withKey({ delta2: generator }), 'Anyone can forge'],
  [
    'delta the negated generator',
    withKey({ delta2: g2Coordinates(bn254.G2.Point.BASE.negate()) }),
    'Anyone can forge',
  ],
  ['alpha at infinity', withKey({ alpha1: [zero, zero] }), 'alpha1'],
  [
    'beta at infinity',
    withKey({
      beta2: [
        [zero, zero],
        [zero, zero],
      ],
    }),
    'beta2',
  ],
  [
    'an IC point at infinity',
    withKey({ ic: [...verifyingKey.ic.slice(1), [zero, zero]] }),
    'ic[3]',
  ],
  [
    'alpha off the curve',
    withKey({ alpha1: [verifyingKey.alpha1[0], verifyingKey.ic[0]![1]] }),
    'alpha1',
  ],
  [
    'real and imaginary parts swapped',
    withKey({ gamma2: verifyingKey.gamma2.map(([a, b]) => [b, a]) as never }),
    'gamma2',
  ],
  [
    'a coordinate that is not canonical',
    withKey({ alpha1: [plusQ(verifyingKey.alpha1[0]), verifyingKey.alpha1[1]] }),
    'alpha1',
  ],
  ['text instead of a word', withKey({ alpha1: ['0x1; } contract', zero] as never }), 'alpha1'],
  ['too few IC points', withKey({ ic: verifyingKey.ic.slice(1) }), 'does not fit'],
  ['more latent dimensions', options({ latentDimensions: 32 }), 'does not fit'],
  ['no latent dimensions', options({ latentDimensions: 0 }), 'latent dimensions'],
  ['a model id that is code', options({ modelId: '0x00; } contract Evil {' }), 'model id'],
  ['a hash that is code', options({ verifyingKeyHash: '0x"' }), 'key hash'],
])('refuses %s', (_, bad, message) => {
  expect(() => generateGroth16Verifier(bad)).toThrow(message)
})

test('no name, note or version adds a line or leaves its place', () => {
  const [plain] = generateGroth16Verifier(options())
  const lines = plain!.source.split('\n')
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      (name, note, toolVersion) => {
        const [file] = generateGroth16Verifier(options({ name, note, toolVersion }))
        const differing = file!.source
          .split('\n')
          .filter((line, i) => line !== lines[i])
          .map((line) => line.trim())
        for (const line of differing)
          expect(line).toMatch(
            /^(\/\/ Generated by [ -~]*|\/\/\/ [ -~]*|contract [A-Za-z0-9]+ is Groth16ImageVerifier \{|string public constant VERSION = "[^"\\]*";)$/,
          )
        expect(file!.source.split('\n')).toHaveLength(lines.length)
      },
    ),
    { numRuns: 50 },
  )
})

test('a hostile name, note and version still compile to one verifier', async () => {
  const hostile = '*/ } contract Evil { /* @title \n\u2028 "; \\'
  const { name, abi, deployedBytecode } = await compileSolidity(
    generateGroth16Verifier(options({ name: hostile, note: hostile, toolVersion: hostile })),
  )
  expect(name).toBe('ContractEvilTitleGroth16Verifier')
  expect(abi.flatMap((item) => (item.type === 'function' ? [item.name] : [])).sort()).toEqual([
    'INSECURE_SETUP',
    'LATENT_DIMENSIONS',
    'MODEL_ID',
    'PROOF_SYSTEM',
    'VERIFYING_KEY_HASH',
    'VERSION',
    'modelId',
    'proofSystem',
    'verify',
    'verifyImage',
    'verifyProof',
    'verifyingKeyHash',
  ])
  expect((deployedBytecode.length - 2) / 2).toBeLessThan(6_000)
})
