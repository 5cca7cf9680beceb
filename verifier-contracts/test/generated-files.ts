import { readFileSync } from 'node:fs'
import { bytesToHex, type Hex, keccak256, numberToHex, stringToBytes, zeroAddress } from 'viem'
import { toLimbs } from '../../circuits/limbs.js'
import { expandSeed } from '../../circuits/seed-expansion.js'
import type { SolidityFile } from '../../prover/backend.js'
import { verifyingKeyHash } from '../../prover/groth16/verifying-key.js'
import { type Context, contextHash } from '../../prover/statement.js'
import { keyDigest } from '../../prover/sumcheck/verifier/verify.js'
import { encodeSumcheckKey, type SumcheckKeyFile } from '../encode-sumcheck-key.js'
import { generateGroth16Verifier } from '../generate-groth16-verifier.js'
import { knownKey, pointOffSubgroup } from './known-key.js'

/** Model id of everything generated here. */
export const TEST_MODEL_ID: Hex = keccak256(stringToBytes('platemark test model'))

/** Latent dimensions of the two test models: one limb, and four of which the last is not full. */
export const NARROW = 16
export const WIDE = 100

/** Public inputs of a statement, as the contract computes them. */
export function publicInputs(
  digest: bigint,
  seed: bigint,
  dimensions: number,
  context: Hex,
): readonly bigint[] {
  return [digest, ...toLimbs(expandSeed(seed, dimensions)), BigInt(context) >> 3n]
}

/**
 * The files that the Foundry tests need from TypeScript: generated verifiers, the known key as
 * Solidity constants, and vectors. `generated-files.test.ts` keeps the committed ones the same.
 */
export function generatedFiles(): readonly SolidityFile[] {
  const verifier = (name: string, dimensions: number, insecure: boolean) => {
    const { verifyingKey } = knownKey(Math.ceil(dimensions / 31) + 2)
    return generateGroth16Verifier({
      name,
      modelId: TEST_MODEL_ID,
      latentDimensions: dimensions,
      verifyingKey,
      verifyingKeyHash: verifyingKeyHash(verifyingKey),
      insecure,
      note: 'for tests only: anybody can forge proofs, the toxic waste is in known-key.ts',
      toolVersion: '0.0.0-test',
      allowInsecureSetup: insecure,
    })
  }
  return [
    ...verifier('known toxic waste', NARROW, false),
    ...verifier('known toxic waste', NARROW, true),
    ...verifier('known toxic waste wide', WIDE, false),
    { path: 'KnownKey.sol', source: knownKeySource() },
    { path: 'sumcheck-models.json', source: `${JSON.stringify(sumcheckModels(), null, 1)}\n` },
    { path: 'vectors.json', source: `${JSON.stringify(vectors(), null, 2)}\n` },
  ]
}

function vectors() {
  const seeds = [0n, 1n, 42n, 2n ** 64n - 1n, 2n ** 255n + 7n, 2n ** 256n - 1n]
  const word = (value: bigint) => numberToHex(value, { size: 32 })
  return {
    expansions: [NARROW, 31, 32, 62, WIDE].flatMap((dimensions) =>
      seeds.map((seed) => ({
        dimensions,
        limbs: toLimbs(expandSeed(seed, dimensions)).map(word),
        seed: word(seed),
      })),
    ),
    contexts: contexts().map((context) => ({
      chainId: Number(context.chainId),
      contractAddress: context.contract,
      hash: contextHash(context, TEST_MODEL_ID),
      recipient: context.recipient,
    })),
    proofs: [NARROW, WIDE].flatMap((dimensions) =>
      seeds.map((seed, i) => {
        const context = contextHash(contexts()[1]!, TEST_MODEL_ID)
        const digest = BigInt(keccak256(stringToBytes(`image ${i}`))) >> 3n
        const inputs = publicInputs(digest, seed, dimensions, context)
        return {
          context,
          dimensions,
          image: word(digest),
          inputs: inputs.map(word),
          proof: bytesToHex(
            knownKey(inputs.length).prove(inputs, BigInt(1000 + i), BigInt(2000 + i)),
          ),
          seed: word(seed),
        }
      }),
    ),
  }
}

/** Proofs of real models (`fixtures/sumcheck/models.json`), their keys as the engine reads them. */
function sumcheckModels() {
  const file = new URL('../../fixtures/sumcheck/models.json', import.meta.url)
  const { models } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly models: readonly (Readonly<
      Record<'context' | 'image' | 'name' | 'proof' | 'seed', string>
    > & {
      readonly key: SumcheckKeyFile
    })[]
  }
  return models.map(({ key, ...rest }) => ({
    ...rest,
    key: bytesToHex(encodeSumcheckKey(key, keyDigest(key))),
  }))
}

function contexts(): readonly Context[] {
  return [
    { chainId: 0n, contract: zeroAddress, recipient: zeroAddress },
    {
      chainId: 31337n,
      contract: '0x00000000000000000000000000000000000c0ffe',
      recipient: '0x00000000000000000000000000000000000a11ce',
    },
  ]
}

function knownKeySource(): string {
  const { scalars, proofB } = knownKey(Math.ceil(WIDE / 31) + 2)
  const constant = (name: string, value: bigint) =>
    `    uint256 internal constant ${name} =
        ${numberToHex(value, { size: 32 })};`
  const point = (name: string, words: readonly bigint[]) =>
    words.map((value, i) => constant(`${name}_${i}`, value)).join('\n')
  return `// SPDX-License-Identifier: MIT
// Generated by generated-files.ts. Do not edit.
pragma solidity ^0.8.28;

/// @title The toxic waste of the test verifiers
/// @dev With it anybody makes a valid proof of anything: for tests only.
library KnownKey {
    bytes32 internal constant MODEL_ID =
        ${TEST_MODEL_ID};
    uint256 internal constant NARROW = ${NARROW};
    uint256 internal constant WIDE = ${WIDE};
${constant('ALPHA_BETA', scalars.alphaBeta)}
${constant('GAMMA', scalars.gamma)}
${constant('DELTA_INVERSE', scalars.deltaInverse)}
${constant('B_LOGARITHM', scalars.b)}
    // Points of G2 as x.imaginary, x.real, y.imaginary, y.real.
${point('B', proofB)}
${point('B_OFF_SUBGROUP', pointOffSubgroup())}

    /// @dev Logarithms of the IC points.
    function ic(uint256 index) internal pure returns (uint256) {
        uint256[${scalars.ic.length}] memory logarithms = [
${scalars.ic.map((value) => `            ${numberToHex(value, { size: 32 })}`).join(',\n')}
        ];
        return logarithms[index];
    }
}
`
}
