import {
  type Account,
  type Chain,
  createPublicClient,
  createWalletClient,
  defineChain,
  type Hex,
  http,
  type PublicClient,
  type Transport,
  type WalletClient,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { withChainErrors } from './chain-error.js'
import { LOCAL_CHAIN_IDS } from './insecure-setup.js'

/** A chain to read from. */
export type ChainReader = {
  readonly chainId: bigint
  readonly publicClient: PublicClient<Transport, Chain>
}

/** A chain to read from and an account to send transactions with. */
export type ChainWriter = ChainReader & {
  readonly walletClient: WalletClient<Transport, Chain, Account>
}

/** Where to connect, and what chain to expect there. */
export type ConnectOptions = {
  readonly rpcUrl: string
  /** Refuse to go on when the endpoint serves another chain. */
  readonly chainId?: bigint
}

/**
 * Connects to a JSON-RPC endpoint for reading.
 *
 * @throws {PlatemarkError} when the endpoint does not answer or serves another chain.
 * @example
 * const chain = await connect({ rpcUrl: 'http://127.0.0.1:8545' })
 */
export async function connect(options: ConnectOptions): Promise<ChainReader> {
  const { chainId, chain, transport } = await probe(options)
  return { chainId, publicClient: reader(chain, transport) }
}

/**
 * Connects to a JSON-RPC endpoint with an account whose key is at hand.
 *
 * @param options.privateKey - 32 bytes of hex
 * @throws {PlatemarkError} as {@link connect}, and for a malformed key, which it never repeats.
 * @example
 * const chain = await connectWithKey({ rpcUrl, privateKey, chainId: 31337n })
 */
export async function connectWithKey(
  options: ConnectOptions & { readonly privateKey: Hex },
): Promise<ChainWriter> {
  const account = (() => {
    try {
      return privateKeyToAccount(options.privateKey)
    } catch {
      throw new PlatemarkError('The private key is malformed.', {
        expected: '0x and 64 hex digits, a number from 1 to the order of secp256k1',
        found: `${options.privateKey.length} characters`,
      })
    }
  })()
  const { chainId, chain, transport } = await probe(options)
  return {
    chainId,
    publicClient: reader(chain, transport),
    walletClient: createWalletClient({ account, chain, transport }),
  }
}

async function probe({ rpcUrl, chainId: expected }: ConnectOptions) {
  if (!/^https?:\/\//.test(rpcUrl))
    throw new PlatemarkError('The RPC URL is malformed.', {
      expected: 'http://… or https://…',
      found: JSON.stringify(rpcUrl).slice(0, 100),
    })
  const transport = http(rpcUrl, { retryCount: 2, timeout: 20_000 })
  const id = await withChainErrors('read the chain id', () =>
    createPublicClient({ transport }).getChainId(),
  )
  const chainId = BigInt(id)
  if (expected !== undefined && expected !== chainId)
    throw new PlatemarkError('The RPC endpoint serves another chain.', {
      expected: `chain id ${expected}`,
      found: `chain id ${chainId}`,
      fix: 'Check the RPC URL.',
    })
  const chain = defineChain({
    id,
    name: `chain ${id}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  })
  return { chainId, chain, transport }
}

function reader(chain: Chain, transport: Transport): PublicClient<Transport, Chain> {
  // A local chain mines at once; there is nothing to wait for.
  const pollingInterval = LOCAL_CHAIN_IDS.includes(BigInt(chain.id)) ? 20 : 2_000
  return createPublicClient({ chain, transport, pollingInterval })
}
