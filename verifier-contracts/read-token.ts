import { type Address, type Hex, keccak256 } from 'viem'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { withChainErrors } from './chain-error.js'
import type { ChainReader } from './connect.js'
import {
  collectionAbi,
  engineVerifierAbi,
  generatedVerifierAbi,
  registryAbi,
  verifierAbi,
} from './platemark-abi.js'

/** Everything that a chain says about a token. */
export type TokenOnChain = {
  readonly chainId: bigint
  readonly collection: Address
  readonly collectionName: string
  readonly tokenId: bigint
  readonly owner: Address
  readonly modelId: Hex
  readonly seed: bigint
  /** What was chosen besides the seed; 0x where there is none. */
  readonly conditions: Hex
  readonly imageHash: Hex
  readonly tokenUri: string
  /** The JSON in `tokenUri`. */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly registry: Address
  readonly registryId: bigint
  readonly deprecated: boolean
  readonly commitment: {
    readonly modelHash: Hex
    readonly circuitHash: Hex
    readonly vkHash: Hex
    readonly proofSystemId: Hex
    readonly uri: string
  }
  readonly verifier: {
    readonly address: Address
    readonly modelId: Hex
    readonly verifyingKeyHash: Hex
    readonly proofSystem: Hex
    /** What the contract says of itself; undefined when it does not say. */
    readonly insecureSetup: boolean | undefined
    /** The contract that it runs on, by its own word; undefined when it does not name one. */
    readonly engine: Address | undefined
    /** keccak256 of the code on chain, to compare with the compiled source. */
    readonly codeHash: Hex
  }
}

/**
 * Reads a token and what stands behind it. Nothing is taken on trust but the chain's answers, and an
 * auditor compares those with a local model: ids, image hash, and the verifier's code.
 *
 * @throws {PlatemarkError} when there is no such token, the contract is not one of ours, or its metadata
 * is not what `PlatemarkNFT` writes.
 * @example
 * const token = await readToken(chain, { collection, tokenId })
 */
export async function readToken(
  chain: ChainReader,
  options: { readonly collection: Address; readonly tokenId: bigint },
): Promise<TokenOnChain> {
  const { collection, tokenId } = options
  const { publicClient } = chain
  return withChainErrors('read the token', async () => {
    const onCollection = { address: collection, abi: collectionAbi } as const
    const [owner, statement, conditions, tokenUri, collectionName, registry] = await Promise.all([
      publicClient.readContract({ ...onCollection, functionName: 'ownerOf', args: [tokenId] }),
      publicClient.readContract({ ...onCollection, functionName: 'statementOf', args: [tokenId] }),
      publicClient.readContract({ ...onCollection, functionName: 'conditionsOf', args: [tokenId] }),
      publicClient.readContract({ ...onCollection, functionName: 'tokenURI', args: [tokenId] }),
      publicClient.readContract({ ...onCollection, functionName: 'name' }),
      publicClient.readContract({ ...onCollection, functionName: 'REGISTRY' }),
    ])
    const registryId = await publicClient.readContract({
      ...onCollection,
      functionName: 'registryIdOf',
      args: [statement.modelId],
    })
    const onRegistry = { address: registry, abi: registryAbi, args: [registryId] } as const
    const [[commitment, deprecated], [verifier]] = await Promise.all([
      publicClient.readContract({ ...onRegistry, functionName: 'getModel' }),
      publicClient.readContract({ ...onRegistry, functionName: 'verifierOf' }),
    ])
    return {
      chainId: chain.chainId,
      collection,
      collectionName,
      tokenId,
      owner,
      modelId: statement.modelId,
      seed: statement.seed,
      conditions,
      imageHash: statement.imageHash,
      tokenUri,
      metadata: parseDataUri(tokenUri),
      registry,
      registryId,
      deprecated,
      commitment,
      verifier: await readVerifier(chain, verifier),
    }
  })
}

async function readVerifier(
  { publicClient }: ChainReader,
  address: Address,
): Promise<TokenOnChain['verifier']> {
  const on = { address, abi: verifierAbi } as const
  const [modelId, verifyingKeyHash, proofSystem, insecureSetup, engine, code] = await Promise.all([
    publicClient.readContract({ ...on, functionName: 'modelId' }),
    publicClient.readContract({ ...on, functionName: 'verifyingKeyHash' }),
    publicClient.readContract({ ...on, functionName: 'proofSystem' }),
    // Verifiers that we did not generate need not have these.
    publicClient
      .readContract({ address, abi: generatedVerifierAbi, functionName: 'INSECURE_SETUP' })
      .catch(() => undefined),
    publicClient
      .readContract({ address, abi: engineVerifierAbi, functionName: 'ENGINE' })
      .catch(() => undefined),
    publicClient.getCode({ address }),
  ])
  return {
    address,
    modelId,
    verifyingKeyHash,
    proofSystem,
    insecureSetup,
    engine,
    codeHash: keccak256(code ?? '0x'),
  }
}

function parseDataUri(uri: string): Readonly<Record<string, unknown>> {
  const start = 'data:application/json;base64,'
  const problem = (found: string, cause?: unknown) =>
    new PlatemarkError('The token has no readable metadata.', {
      expected: `${start}… holding a JSON object`,
      found,
      ...(cause === undefined ? {} : { cause }),
    })
  if (!uri.startsWith(start)) throw problem(JSON.stringify(uri.slice(0, 60)))
  const text = Buffer.from(uri.slice(start.length), 'base64').toString('utf8')
  const value = (() => {
    try {
      return JSON.parse(text) as unknown
    } catch (error) {
      throw problem(JSON.stringify(text.slice(0, 60)), error)
    }
  })()
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw problem(JSON.stringify(text.slice(0, 60)))
  return value as Readonly<Record<string, unknown>>
}
