import { type Abi, type Address, type Hex, parseEventLogs, zeroAddress } from 'viem'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { type Progress, silent } from '../model-export/progress.js'
import type { SolidityFile } from '../prover/backend.js'
import { withChainErrors } from './chain-error.js'
import { hasCode } from './compare-code.js'
import { type CompiledContract, compilePackageContract } from './compile-solidity.js'
import { compileVerifier } from './compile-verifier.js'
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
  /** An engine to use instead of a new one, for verifiers that run on one. */
  readonly engine?: Address
  /** `SetupRecord.insecure` of the key in the verifier. */
  readonly insecure: boolean
  /** Deploy an insecure verifier to a chain that is not local. */
  readonly allowInsecureSetup?: boolean
}

/** A contract that may have been there before, and then cost nothing. */
type Present = { readonly address: Address } & Partial<Deployment>

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
  /** What the verifier runs on; absent for proof systems without. Without cost when it was there before. */
  readonly engine?: Present
  /** Without cost when the registry was there before. */
  readonly registry: Present
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
 * another model, a registry or engine with other code than ours, and refusals of the chain.
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
  const [code, registryCode, collectionCode] = await Promise.all([
    compileVerifier(options.verifierFiles),
    compilePackageContract('ModelRegistry'),
    compilePackageContract('PlatemarkNFT'),
  ])
  await requireCode(chain, 'registry', options.registry, registryCode)
  await requireCode(chain, 'engine', options.engine, code.engine)

  progress({ step: 'deploy the verifier', done: 1, total: 4 })
  const engine =
    code.engine === undefined ? undefined : await deployUnless(chain, options.engine, code.engine)
  const verifier = await deploy(chain, code.verifier, engine === undefined ? [] : [engine.address])
  const says = await readVerifier(chain, verifier.address)
  if (says.modelId !== options.modelId)
    throw new PlatemarkError('The verifier is for another model.', {
      expected: `model id ${options.modelId}`,
      found: says.modelId,
      fix: 'Write the verifier again from this compiled model.',
    })

  progress({ step: 'register the model', done: 2, total: 4 })
  const registry = await deployUnless(chain, options.registry, registryCode)
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
    ...(engine === undefined ? {} : { engine }),
    registry,
    registration,
    collection,
    totalGas: [verifier, engine, registry, registration, collection].reduce(
      (sum, part) => sum + (part?.gas ?? 0n),
      0n,
    ),
  }
}

/** A contract that somebody else deployed is used only if its code is ours. */
async function requireCode(
  chain: ChainWriter,
  role: 'registry' | 'engine',
  address: Address | undefined,
  code: CompiledContract | undefined,
): Promise<void> {
  if (address === undefined) return
  if (code === undefined)
    throw new PlatemarkError('This verifier runs on no engine.', {
      found: address,
      fix: 'Leave the engine out.',
    })
  if (await hasCode(chain, address, code)) return
  throw new PlatemarkError(`The ${role} is not a ${code.name} of this version.`, {
    expected: `the code of ${code.name}: other code may accept anything`,
    found: `other code, or none, at ${address}`,
    fix: `Leave the ${role} out to deploy a new one.`,
  })
}

async function deployUnless(
  chain: ChainWriter,
  address: Address | undefined,
  code: CompiledContract,
): Promise<Present> {
  return address === undefined ? deploy(chain, code, []) : { address }
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
