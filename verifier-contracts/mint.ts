import { type Address, bytesToHex, type Hex, parseEventLogs } from 'viem'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { withChainErrors } from './chain-error.js'
import type { ChainWriter } from './connect.js'
import { refuseInsecureSetup } from './insecure-setup.js'
import { collectionAbi, collectionAndVerifierAbi } from './platemark-abi.js'

export type MintOptions = {
  /** The `PlatemarkNFT` contract. */
  readonly collection: Address
  /** For whom the proof was made. */
  readonly recipient: Address
  readonly modelId: Hex
  readonly seed: bigint
  /** What was chosen besides the seed, for a model that takes conditions. */
  readonly conditions?: Hex
  /** What stands for the image: its pixels, or the 32-byte image hash (`onChainImage`). */
  readonly image: Hex
  readonly proof: Uint8Array
  /** Also keep the pixels on chain, where `image` is the pixels. */
  readonly keepPixels?: boolean
  /** `SetupRecord.insecure` of the key that the proof was made with. */
  readonly insecure: boolean
  /** Mint with an insecure key on a chain that is not local. */
  readonly allowInsecureSetup?: boolean
}

export type Minted = {
  readonly tokenId: bigint
  readonly imageHash: Hex
  readonly transactionHash: Hex
  readonly blockNumber: bigint
  readonly gas: bigint
}

/** Simulates the transaction and, where that goes well, sends it. */
async function send(chain: ChainWriter, options: MintOptions): Promise<Hex> {
  const { conditions, keepPixels = false } = options
  const { recipient, modelId, seed, image } = options
  const proof = bytesToHex(options.proof)
  const call = {
    account: chain.walletClient.account,
    address: options.collection,
    abi: collectionAndVerifierAbi,
  } as const
  if (conditions !== undefined) {
    const { request } = await chain.publicClient.simulateContract({
      ...call,
      functionName: 'mintConditioned',
      args: [recipient, modelId, seed, conditions, image, proof, keepPixels],
    })
    return chain.walletClient.writeContract(request)
  }
  const { request } = await chain.publicClient.simulateContract({
    ...call,
    functionName: keepPixels ? 'mintAndKeepPixels' : 'mint',
    args: [recipient, modelId, seed, image, proof],
  })
  return chain.walletClient.writeContract(request)
}

/**
 * Mints the token of a proven image. The transaction is simulated first, so a proof that the contract
 * refuses costs nothing.
 *
 * @throws {PlatemarkError} with the contract's reason when it refuses; for insecure setups on chains that
 * are not local, missing funds and unreachable chains.
 * @example
 * const { tokenId } = await mint(chain, {
 *   collection, recipient, modelId, seed: 42n, image: statement.imageHash, proof, insecure: true,
 * })
 */
export async function mint(chain: ChainWriter, options: MintOptions): Promise<Minted> {
  refuseInsecureSetup({ chainId: chain.chainId, ...options })
  return withChainErrors('mint the token', async () => {
    const transactionHash = await send(chain, options)
    const receipt = await chain.publicClient.waitForTransactionReceipt({ hash: transactionHash })
    const event = parseEventLogs({
      abi: collectionAbi,
      eventName: 'ImageMinted',
      logs: receipt.logs,
    }).find(({ address }) => address.toLowerCase() === options.collection.toLowerCase())
    if (receipt.status !== 'success' || event === undefined)
      throw new PlatemarkError('The mint failed on chain although its simulation went well.', {
        found: `transaction ${transactionHash}`,
        fix: 'Somebody may have minted this seed in the meantime; look at the transaction.',
      })
    return {
      tokenId: event.args.tokenId,
      imageHash: event.args.imageHash,
      transactionHash,
      blockNumber: receipt.blockNumber,
      gas: receipt.gasUsed,
    }
  })
}
