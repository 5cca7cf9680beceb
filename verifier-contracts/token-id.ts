import { encodeAbiParameters, type Hex, hexToBigInt, keccak256 } from 'viem'

/**
 * The token of a model and a seed, in every collection: keccak256 of the ERC-7007 prompt
 * abi.encode(modelId, seed).
 *
 * @example
 * tokenIdOf(modelId, 42n)
 */
export function tokenIdOf(modelId: Hex, seed: bigint): bigint {
  return hexToBigInt(
    keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'uint256' }], [modelId, seed])),
  )
}
