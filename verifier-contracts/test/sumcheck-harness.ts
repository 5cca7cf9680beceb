import {
  type Address,
  bytesToHex,
  decodeFunctionResult,
  encodeFunctionData,
  hexToBigInt,
} from 'viem'
import { keyDigest, type SumcheckVerification } from '../../prover/sumcheck/verifier/verify.js'
import { compilePackageSource } from '../compile-solidity.js'
import { encodeSumcheckKey, type SumcheckKeyFile } from '../encode-sumcheck-key.js'
import { openLocalEvm } from '../local-evm.js'

/** Parts of the engine as functions of a contract, to be compared with those of the other verifiers. */
const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {loadModulus} from "./SumcheckField.sol";
import {Run} from "./SumcheckRun.sol";
import {SumcheckTranscript} from "./SumcheckTranscript.sol";
import {SumcheckWiring} from "./SumcheckWiring.sol";

contract SumcheckHarness {
    function wire(bytes calldata key, uint256[] calldata challenges)
        external
        pure
        returns (uint256 value, uint256 read)
    {
        loadModulus();
        Run memory run;
        run.slots = SumcheckTranscript.allocate(challenges.length);
        uint256 slots = run.slots;
        uint256 at;
        uint256 scratch;
        assembly ("memory-safe") {
            calldatacopy(slots, challenges.offset, mul(32, challenges.length))
            at := key.offset
            scratch := mload(0x40)
        }
        (value, read) = SumcheckWiring.term(run, at, scratch);
        read -= at;
    }

    function challenges(
        bytes calldata key,
        uint256 seed,
        bytes32 context,
        bytes32 imageHash,
        bytes calldata proof
    ) external pure returns (uint256[] memory drawn, uint256[13] memory others) {
        loadModulus();
        Run memory run = SumcheckTranscript.open(key, proof);
        SumcheckTranscript.read(run, seed, context, imageHash);
        drawn = new uint256[]((run.tau - run.slots) / 32 + run.lookups);
        for (uint256 i = 0; i < drawn.length; ++i) {
            uint256 at = run.slots + 32 * i;
            uint256 challenge;
            assembly ("memory-safe") {
                challenge := mload(at)
            }
            drawn[i] = challenge;
        }
        others = [
            run.beta, run.alpha, run.gamma, run.z, run.lambda, run.eta, run.nu,
            run.mu, run.chi, run.theta, run.zeta, run.delta, run.w
        ];
    }
}
`

export type SumcheckHarness = {
  /** A term's wire as `writeWire` encodes it, and the bytes that were read of the encoding. */
  readonly wire: (
    encoded: Uint8Array,
    challenges: readonly bigint[],
  ) => Promise<{ readonly value: bigint; readonly read: bigint }>
  /** r ‖ a ‖ b ‖ s ‖ (zeros) ‖ ρ ‖ 0 ‖ τ, and β α γ z λ η ν μ χ θ ζ δ w. */
  readonly challenges: (
    request: Omit<SumcheckVerification, 'image' | 'latent'>,
    imageHash: Uint8Array,
  ) => Promise<{ readonly drawn: readonly bigint[]; readonly others: readonly bigint[] }>
}

export async function openSumcheckHarness(): Promise<SumcheckHarness> {
  const contract = await compilePackageSource({ path: 'SumcheckHarness.sol', source: SOURCE })
  const evm = await openLocalEvm()
  const address: Address = await evm.deploy(contract)
  const { abi } = contract
  const ask = async (functionName: string, args: readonly unknown[]) => {
    const result = await evm.call(address, encodeFunctionData({ abi, functionName, args }), abi)
    if (!result.success) throw new Error(`${functionName}: ${result.reason}`)
    return decodeFunctionResult({ abi, functionName, data: result.output })
  }
  return {
    wire: async (encoded, challenges) => {
      const [value, read] = (await ask('wire', [bytesToHex(encoded), challenges])) as bigint[]
      return { value: value!, read: read! }
    },
    challenges: async ({ key, seed, context, proof }, imageHash) => {
      const encoded = encodeSumcheckKey(key as SumcheckKeyFile, keyDigest(key))
      const [drawn, others] = (await ask('challenges', [
        bytesToHex(encoded),
        hexToBigInt(bytesToHex(seed)),
        bytesToHex(context),
        bytesToHex(imageHash),
        bytesToHex(proof),
      ])) as bigint[][]
      return { drawn: drawn!, others: others! }
    },
  }
}
