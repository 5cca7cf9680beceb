import { type Abi, encodeFunctionData, type Hex } from 'viem'
import type { SolidityFile } from '../../prover/backend.js'
import { startAnvil } from '../../verifier-contracts/anvil.js'
import type { CompiledContract } from '../../verifier-contracts/compile-solidity.js'
import { compileVerifier } from '../../verifier-contracts/compile-verifier.js'
import { connectWithKey } from '../../verifier-contracts/connect.js'
import { verifierAbi } from '../../verifier-contracts/platemark-abi.js'

/** Arguments of `verifyImage`. */
export type OnChainProof = {
  readonly seed: bigint
  readonly image: Hex
  readonly context: Hex
  readonly proof: Uint8Array
}

/** Most gas of a transaction (EIP-7825). */
const GAS_LIMIT = 2n ** 24n

/**
 * Deploys a generated verifier on a local chain and sends it a proof.
 *
 * @returns gas of the whole transaction, and code on chain with that of contracts that it deployed
 * @throws where the proof is refused or the code is too large.
 */
export async function chainCost(
  files: readonly SolidityFile[],
  { seed, image, context, proof }: OnChainProof,
): Promise<{ readonly gas: number; readonly codeBytes: number }> {
  const { verifier, engine } = await compileVerifier(files)
  const args = [seed, image, context, `0x${Buffer.from(proof).toString('hex')}`] as const
  const data = encodeFunctionData({ abi: verifierAbi, functionName: 'verifyImage', args })
  return transactionCost(verifier, data, engine)
}

/** As `chainCost`, for any call of a contract whose constructor takes nothing but its engine's address. */
export async function transactionCost(
  contract: CompiledContract,
  data: Hex,
  engine?: CompiledContract,
): Promise<{ readonly gas: number; readonly codeBytes: number }> {
  const anvil = await startAnvil()
  try {
    const { rpcUrl, chainId, privateKeys } = anvil
    const chain = await connectWithKey({ rpcUrl, chainId, privateKey: privateKeys[0]! })
    const { publicClient, walletClient } = chain
    const deploy = async ({ abi, bytecode }: CompiledContract, args: readonly Hex[]) => {
      const hash = await walletClient.deployContract({ abi: abi as Abi, bytecode, args })
      return (await publicClient.waitForTransactionReceipt({ hash })).contractAddress!
    }
    const on = engine === undefined ? [] : [await deploy(engine, [])]
    const to = await deploy(contract, on)
    const receipt = await publicClient.waitForTransactionReceipt({
      hash: await walletClient.sendTransaction({ to, data, gas: GAS_LIMIT }),
    })
    if (receipt.status !== 'success') throw new Error('the transaction reverted')
    const inner = contract.abi.some((item) => 'name' in item && item.name === 'HALO2_VERIFIER')
      ? await publicClient.readContract({
          address: to,
          abi: contract.abi,
          functionName: 'HALO2_VERIFIER',
        })
      : undefined
    const sizes = [to, ...on, ...(inner === undefined ? [] : [inner as Hex])].map(
      async (address) => ((await publicClient.getCode({ address }))!.length - 2) / 2,
    )
    const codeBytes = (await Promise.all(sizes)).reduce((a, b) => a + b, 0)
    return { gas: Number(receipt.gasUsed), codeBytes }
  } finally {
    await anvil.stop()
  }
}
