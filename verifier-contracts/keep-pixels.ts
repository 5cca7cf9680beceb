import { type Address, type Hex, parseEventLogs } from 'viem'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { withChainErrors } from './chain-error.js'
import type { ChainWriter } from './connect.js'
import { collectionAbi } from './platemark-abi.js'

export type KeptPixels = {
  /** The contract whose code the pixels are. */
  readonly pointer: Address
  readonly transactionHash: Hex
  readonly gas: bigint
}

/**
 * Keeps the pixels of a minted image on chain: `tokenURI` holds the picture itself from then on. Anybody
 * can do that; the contract takes no pixels but the proven ones.
 *
 * @throws {PlatemarkError} with the contract's reason when it refuses.
 * @example
 * await keepPixels(chain, { collection, tokenId, pixels: await onChainImage(bundle, path) })
 */
export async function keepPixels(
  chain: ChainWriter,
  options: { readonly collection: Address; readonly tokenId: bigint; readonly pixels: Hex },
): Promise<KeptPixels> {
  const { collection, tokenId, pixels } = options
  return withChainErrors('keep the pixels', async () => {
    const { request } = await chain.publicClient.simulateContract({
      account: chain.walletClient.account,
      address: collection,
      abi: collectionAbi,
      functionName: 'keepPixels',
      args: [tokenId, pixels],
    })
    const transactionHash = await chain.walletClient.writeContract(request)
    const receipt = await chain.publicClient.waitForTransactionReceipt({ hash: transactionHash })
    const [event] = parseEventLogs({
      abi: collectionAbi,
      eventName: 'PixelsKept',
      logs: receipt.logs,
    })
    if (event === undefined)
      throw new PlatemarkError('The pixels were not kept although the simulation went well.', {
        found: `transaction ${transactionHash}`,
        fix: 'Somebody may have kept them in the meantime; look at the transaction.',
      })
    return { pointer: event.args.pointer, transactionHash, gas: receipt.gasUsed }
  })
}
