import { type Address, type Hex, hexToBytes } from 'viem'
import { withChainErrors } from './chain-error.js'
import type { CompiledContract } from './compile-solidity.js'
import type { ChainReader } from './connect.js'

/**
 * Whether the code at an address is a compiled contract's, byte for byte but for its immutables. What a
 * contract says of itself proves nothing; its code does.
 *
 * @throws {PlatemarkError} when the chain does not answer.
 * @example
 * await hasCode(chain, token.registry, await compilePackageContract('ModelRegistry'))
 */
export async function hasCode(
  { publicClient }: ChainReader,
  address: Address,
  contract: CompiledContract,
): Promise<boolean> {
  const code = await withChainErrors('read the code', () => publicClient.getCode({ address }))
  return code !== undefined && isCode(code, contract)
}

/** Whether code on chain is a compiled contract's, whatever its immutables are. */
export function isCode(code: Hex, { deployedBytecode, immutables }: CompiledContract): boolean {
  const [found, expected] = [hexToBytes(code), hexToBytes(deployedBytecode)]
  for (const { start, length } of immutables)
    for (const bytes of [found, expected]) bytes.fill(0, start, start + length)
  return Buffer.compare(found, expected) === 0
}
