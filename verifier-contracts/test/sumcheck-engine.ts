import { type Abi, type Address, bytesToHex, encodeFunctionData, type Hex, hexToBigInt } from 'viem'
import type { SumcheckVerification } from '../../prover/sumcheck/verifier/verify.js'
import { keyDigest } from '../../prover/sumcheck/verifier/verify.js'
import { compilePackageContract } from '../compile-solidity.js'
import { encodeSumcheckKey, type SumcheckKeyFile } from '../encode-sumcheck-key.js'
import { type EvmResult, type LocalEvm, openLocalEvm } from '../local-evm.js'

/** A deployed engine, asked what the other verifiers are asked. */
export type TestEngine = {
  readonly evm: LocalEvm
  readonly address: Address
  readonly abi: Abi
  /** The request's latent is not handed over: the contract expands the seed. */
  readonly ask: (request: SumcheckVerification) => Promise<EvmResult>
}

export async function testEngine(): Promise<TestEngine> {
  const contract = await compilePackageContract('SumcheckVerifier')
  const evm = await openLocalEvm()
  const address = await evm.deploy(contract)
  const { abi } = contract
  return {
    evm,
    address,
    abi,
    ask: (request) => evm.call(address, engineCall(abi, request), abi),
  }
}

/** Calldata for `SumcheckVerifier.verify`, or for another function of its arguments. */
export function engineCall(
  abi: Abi,
  { key, seed, conditions, image, context, proof }: SumcheckVerification,
  functionName = 'verify',
): Hex {
  const encoded = encodeSumcheckKey(key as SumcheckKeyFile, keyDigest(key))
  const args = [conditions ?? new Uint8Array(0), image, context, proof].map((bytes) =>
    bytesToHex(bytes),
  )
  return encodeFunctionData({
    abi,
    functionName,
    args: [bytesToHex(encoded), hexToBigInt(bytesToHex(seed)), ...args],
  })
}
