import { type Abi, type Address, type Hex, parseEventLogs, zeroAddress } from 'viem'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { type Progress, silent } from '../model-export/progress.js'
import type { SolidityFile } from '../prover/backend.js'
import { withChainErrors } from './chain-error.js'
import { hasCode } from './compare-code.js'
import {
  type CompiledContract,
  compilePackageContract,
  compileSolidity,
} from './compile-solidity.js'
import type { ChainWriter } from './connect.js'
import { refuseInsecureSetup } from './insecure-setup.js'
import { registryAbi, verifierAbi } from './platemark-abi.js'

/** How a collection presents itself. */
export type CollectionOptions = {
  readonly name: string
  readonly symbol: string
  readonly description?: string
  /** Pictures are at `<imageBaseUri><modelId>/<seed>.png`; without it the metadata has a card. */
  readonly imageBaseUri?: string
  /** Admits models and sets royalties; the deployer by default. */
  readonly owner?: Address
  /** No royalties by default. */
  readonly royalty?: { readonly receiver: Address; readonly basisPoints: number }
}

export type DeployCollectionOptions = {
  /** The verifier's sources, as `generateGroth16Verifier` or `Backend.solidity` writes them. */
  readonly verifierFiles: readonly SolidityFile[]
  /** The model that the verifier must say it is for. */
  readonly modelId: Hex
  /** Hash of the circuit, for the registry. */
  readonly circuitHash: Hex
  /** Where to read about the model, for the registry. */
  readonly modelUri?: string
  readonly collection: CollectionOptions
  /** A registry to use instead of a new one. */
  readonly registry?: Address
  /** `SetupRecord.insecure` of the key in the verifier. */
  readonly insecure: boolean
  /** Deploy an insecure verifier to a chain that is not local. */
  readonly allowInsecureSetup?: boolean
}

/** A deployed contract and what it cost. */
export type Deployment = {
  readonly address: Address
  readonly transactionHash: Hex
  readonly gas: bigint
  readonly codeBytes: number
}

export type DeployedCollection = {
  readonly chainId: bigint
  readonly deployer: Address
  readonly modelId: Hex
  readonly verifyingKeyHash: Hex
  readonly verifier: Deployment
  /** Without cost when the registry was there before. */
  readonly registry: { readonly address: Address } & Partial<Deployment>
  readonly registration: {
    readonly registryId: bigint
    readonly transactionHash: Hex
    readonly gas: bigint
  }
  readonly collection: Deployment
  readonly totalGas: bigint
}

/**
 * Deploys a verifier, a registry and a collection, and registers the model: everything that minting
 * needs.
 *
 * @param chain - where, and the account that pays and owns the registration
 * @throws {PlatemarkError} for insecure setups on chains that are not local, missing funds, a verifier of
 * another model, a registry that is not our `ModelRegistry`, and refusals of the chain.
 * @example
 * const { collection } = await deployCollection(chain, {
 *   verifierFiles, modelId, circuitHash, insecure: true,
 *   collection: { name: 'Sprites', symbol: 'SPR' },
 * })
 */
export async function deployCollection(
  chain: ChainWriter,
  options: DeployCollectionOptions,
  progress: Progress = silent,
): Promise<DeployedCollection> {
  refuseInsecureSetup({ chainId: chain.chainId, ...options })
  progress({ step: 'compile contracts', done: 0, total: 4 })
  const [verifierCode, registryCode, collectionCode] = await Promise.all([
    compileSolidity(options.verifierFiles),
    compilePackageContract('ModelRegistry'),
    compilePackageContract('PlatemarkNFT'),
  ])

  if (options.registry !== undefined && !(await hasCode(chain, options.registry, registryCode)))
    throw new PlatemarkError('The registry is not a ModelRegistry of this version.', {
      expected: 'the code of ModelRegistry: another registry could replace verifiers later',
      found: `other code, or none, at ${options.registry}`,
      fix: 'Leave the registry out to deploy a new one.',
    })

  progress({ step: 'deploy the verifier', done: 1, total: 4 })
  const verifier = await deploy(chain, verifierCode, [])
  const says = await readVerifier(chain, verifier.address)
  if (says.modelId !== options.modelId)
    throw new PlatemarkError('The verifier is for another model.', {
      expected: `model id ${options.modelId}`,
      found: says.modelId,
      fix: 'Write the verifier again from this compiled model.',
    })

  progress({ step: 'register the model', done: 2, total: 4 })
  const registry =
    options.registry === undefined
      ? await deploy(chain, registryCode, [])
      : { address: options.registry }
  const registration = await register(chain, registry.address, verifier.address, {
    modelHash: says.modelId,
    circuitHash: options.circuitHash,
    vkHash: says.verifyingKeyHash,
    proofSystemId: says.proofSystem,
    uri: options.modelUri ?? '',
  })

  progress({ step: 'deploy the collection', done: 3, total: 4 })
  const deployer = chain.walletClient.account.address
  const collection = await deploy(chain, collectionCode, [
    registry.address,
    collectionArguments(options.collection, deployer),
    [registration.registryId],
  ])
  progress({ step: 'deploy the collection', done: 4, total: 4 })
  return {
    chainId: chain.chainId,
    deployer,
    modelId: says.modelId,
    verifyingKeyHash: says.verifyingKeyHash,
    verifier,
    registry,
    registration,
    collection,
    totalGas:
      verifier.gas + ('gas' in registry ? registry.gas : 0n) + registration.gas + collection.gas,
  }
}

function collectionArguments(options: CollectionOptions, deployer: Address) {
  return {
    name: options.name,
    symbol: options.symbol,
    description: options.description ?? '',
    imageBaseUri: options.imageBaseUri ?? '',
    owner: options.owner ?? deployer,
    royaltyReceiver: options.royalty?.receiver ?? zeroAddress,
    royaltyBasisPoints: BigInt(options.royalty?.basisPoints ?? 0),
  }
}

async function deploy(
  chain: ChainWriter,
  contract: CompiledContract,
  args: readonly unknown[],
): Promise<Deployment> {
  return withChainErrors(`deploy ${contract.name}`, async () => {
    const transactionHash = await chain.walletClient.deployContract({
      abi: contract.abi as Abi,
      bytecode: contract.bytecode,
      args,
    })
    const receipt = await chain.publicClient.waitForTransactionReceipt({ hash: transactionHash })
    const address = receipt.contractAddress
    if (receipt.status !== 'success' || address === null || address === undefined)
      throw new PlatemarkError(`The deployment of ${contract.name} failed on chain.`, {
        found: `transaction ${transactionHash}`,
      })
    return {
      address,
      transactionHash,
      gas: receipt.gasUsed,
      codeBytes: (contract.deployedBytecode.length - 2) / 2,
    }
  })
}

async function readVerifier(chain: ChainWriter, address: Address) {
  const read = <N extends 'modelId' | 'verifyingKeyHash' | 'proofSystem'>(functionName: N) =>
    withChainErrors('read the verifier', () =>
      chain.publicClient.readContract({ address, abi: verifierAbi, functionName }),
    )
  return {
    modelId: await read('modelId'),
    verifyingKeyHash: await read('verifyingKeyHash'),
    proofSystem: await read('proofSystem'),
  }
}

type ModelCommitment = {
  readonly modelHash: Hex
  readonly circuitHash: Hex
  readonly vkHash: Hex
  readonly proofSystemId: Hex
  readonly uri: string
}

async function register(
  chain: ChainWriter,
  registry: Address,
  verifier: Address,
  commitment: ModelCommitment,
): Promise<DeployedCollection['registration']> {
  return withChainErrors('register the model', async () => {
    const { request } = await chain.publicClient.simulateContract({
      account: chain.walletClient.account,
      address: registry,
      abi: registryAbi,
      functionName: 'registerModel',
      args: [commitment, verifier],
    })
    const transactionHash = await chain.walletClient.writeContract(request)
    const receipt = await chain.publicClient.waitForTransactionReceipt({ hash: transactionHash })
    const [event] = parseEventLogs({
      abi: registryAbi,
      eventName: 'ModelRegistered',
      logs: receipt.logs,
    })
    if (event === undefined)
      throw new PlatemarkError('The registration of the model failed on chain.', {
        found: `transaction ${transactionHash}`,
      })
    return { registryId: event.args.modelId, transactionHash, gas: receipt.gasUsed }
  })
}
