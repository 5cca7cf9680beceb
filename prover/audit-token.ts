import { type Address, keccak256 } from 'viem'
import { decodePng } from '../circuits/png.js'
import type { Plate } from '../model-export/plate.js'
import { hasCode } from '../verifier-contracts/compare-code.js'
import {
  type CompiledContract,
  compilePackageContract,
} from '../verifier-contracts/compile-solidity.js'
import { compileVerifier } from '../verifier-contracts/compile-verifier.js'
import { type ChainReader, connect } from '../verifier-contracts/connect.js'
import { readToken, type TokenOnChain } from '../verifier-contracts/read-token.js'
import { tokenIdOf } from '../verifier-contracts/token-id.js'
import { findBackend } from './backends.js'
import type { Bundle } from './bundle.js'
import { circuitHash } from './circuit-hash.js'
import { type Check, equality } from './verification.js'

export type TokenReference = {
  readonly rpcUrl: string
  /** Default: the contract that the bundle's proof is bound to. */
  readonly contract?: Address
  /** Default: the token of the bundle's model and seed. */
  readonly tokenId?: bigint
}

/**
 * Reads a token from its chain and compares all that it and its verifier say with a bundle, and the
 * code of verifier, engine, registry and collection with what this version compiles: a contract can say
 * anything. Where the token's pixels are kept on chain, its picture is compared too. That the node tells the truth about its chain is assumed.
 *
 * @throws {PlatemarkError} when the chain does not answer or there is no such token.
 */
export async function auditToken(
  bundle: Bundle,
  plate: Plate,
  { rpcUrl, ...reference }: TokenReference,
): Promise<readonly Check[]> {
  const { statement, setup } = bundle
  const expectedId = tokenIdOf(statement.modelId, statement.seed, statement.conditions)
  const chain = await connect({ rpcUrl })
  const token = await readToken(chain, {
    collection: reference.contract ?? statement.context.contract,
    tokenId: reference.tokenId ?? expectedId,
  })
  const backend = findBackend(bundle.backend)
  return [
    equality(
      'token id',
      String(expectedId),
      String(token.tokenId),
      'is of this model, seed and conditions',
    ),
    equality('token model', statement.modelId, token.modelId, token.modelId),
    equality('token seed', String(statement.seed), String(token.seed), String(token.seed)),
    ...(statement.conditions === undefined && token.conditions === '0x'
      ? []
      : [
          equality(
            'token conditions',
            statement.conditions ?? 'none',
            token.conditions,
            token.conditions,
          ),
        ]),
    equality('token image', statement.imageHash, token.imageHash, token.imageHash),
    ...checkContext(bundle, token),
    equality(
      'on-chain verifier model',
      statement.modelId,
      token.verifier.modelId,
      `verifier ${token.verifier.address}`,
    ),
    equality(
      'on-chain verifying key',
      setup.verifyingKeyHash,
      token.verifier.verifyingKeyHash,
      token.verifier.verifyingKeyHash,
    ),
    equality(
      'registry',
      `${statement.modelId} ${setup.verifyingKeyHash} ${await circuitHash(plate, backend)}`,
      `${token.commitment.modelHash} ${token.commitment.vkHash} ${token.commitment.circuitHash}`,
      `model ${token.registryId} of ${token.registry}${token.deprecated ? ', deprecated' : ''}`,
    ),
    ...(await checkPicture(bundle, token)),
    ...(await checkCode(bundle, plate, chain, token)),
  ]
}

async function checkCode(
  bundle: Bundle,
  plate: Plate,
  chain: ChainReader,
  token: TokenOnChain,
): Promise<readonly Check[]> {
  const files = await findBackend(bundle.backend).solidity(plate, { allowInsecureSetup: true })
  const { verifier, engine } = await compileVerifier(files)
  const contracts: readonly (readonly [string, Address | undefined, CompiledContract])[] = [
    ['verifier code', token.verifier.address, verifier],
    // The verifier's code is ours, so it runs on the engine that it names.
    ...(engine === undefined ? [] : [['engine code', token.verifier.engine, engine] as const]),
    ['registry code', token.registry, await compilePackageContract('ModelRegistry')],
    ['collection code', token.collection, await compilePackageContract('PlatemarkNFT')],
  ]
  return Promise.all(
    contracts.map(async ([name, address, compiled]): Promise<Check> => {
      const same = address !== undefined && (await hasCode(chain, address, compiled))
      return {
        name,
        result: same ? 'passed' : 'failed',
        detail: same
          ? `${address} runs the compiled source`
          : `${address ?? 'no contract'} does not run what this version of platemark compiles; what it says proves nothing`,
      }
    }),
  )
}

/** The picture in the metadata, where the collection makes it from kept pixels. */
async function checkPicture(
  { image }: Bundle,
  { metadata }: TokenOnChain,
): Promise<readonly Check[]> {
  const start = 'data:image/png;base64,'
  const uri = metadata.image
  if (typeof uri !== 'string' || !uri.startsWith(start)) return []
  const { pixels } = await decodePng(Buffer.from(uri.slice(start.length), 'base64'))
  return [
    equality(
      'token picture',
      image.keccak256,
      keccak256(pixels),
      'is made on chain, of exactly these pixels',
    ),
  ]
}

/** The token was minted with a proof for its own chain and contract; tokens may change hands later. */
function checkContext({ statement }: Bundle, token: TokenOnChain): readonly Check[] {
  const { context } = statement
  const owner = token.owner.toLowerCase()
  return [
    equality('chain', String(context.chainId), String(token.chainId), String(token.chainId)),
    equality(
      'contract',
      context.contract,
      token.collection.toLowerCase(),
      `${token.collectionName}, ${token.collection}`,
    ),
    {
      name: 'owner',
      result: 'passed',
      detail:
        owner === context.recipient
          ? `${owner}, the recipient of the proof`
          : `${owner} now; the proof was for ${context.recipient}`,
    },
  ]
}
