import { encodeAbiParameters, type Hex, hexToBigInt, keccak256 } from 'viem'

/**
 * The token of a model, a seed and conditions, in every collection: keccak256 of the ERC-7007 prompt, which is
 * abi.encode(modelId, seed), or abi.encode(modelId, seed, conditions) where there are any.
 *
 * @example
 * tokenIdOf(modelId, 42n)
 */
export function tokenIdOf(modelId: Hex, seed: bigint, conditions?: Hex): bigint {
  const start = [{ type: 'bytes32' }, { type: 'uint256' }] as const
  const prompt =
    conditions === undefined
      ? encodeAbiParameters(start, [modelId, seed])
      : encodeAbiParameters([...start, { type: 'bytes' }], [modelId, seed, conditions])
  return hexToBigInt(keccak256(prompt))
}
