import {
  type Address,
  bytesToHex,
  encodeAbiParameters,
  type Hex,
  hexToBytes,
  keccak256,
  stringToBytes,
} from 'viem'
import { NO_CONDITIONS } from '../model-export/conditions.js'

/** Who may use the proof, and where. All zero for a proof that is not meant for a chain. */
export type Context = {
  readonly chainId: bigint
  readonly contract: Address
  readonly recipient: Address
}

/**
 * What is proven: under the model with id `modelId`, `seed` and `conditions` generate exactly the image whose hash
 * under the backend's scheme is `imageHash`, and the proof was made for `context`.
 */
export type Statement = {
  readonly modelId: Hex
  /** 0 ≤ seed < 2^256. */
  readonly seed: bigint
  /** What was chosen besides the seed (`model-export/conditions.ts`); absent for a model without conditions. */
  readonly conditions?: Hex
  /** 32 bytes, scheme named by the backend (groth16: Poseidon over 31-byte limbs). */
  readonly imageHash: Hex
  readonly context: Context
}

/** Domain separator of `contextHash`; `PlatemarkContext.sol` holds the same. */
export const CONTEXT_DOMAIN: Hex = keccak256(stringToBytes('platemark.context.v1'))

const ZERO_ADDRESS: Address = '0x0000000000000000000000000000000000000000'

/** The context of a proof that is bound to no chain. */
export const LOCAL_CONTEXT: Context = {
  chainId: 0n,
  contract: ZERO_ADDRESS,
  recipient: ZERO_ADDRESS,
}

/**
 * keccak256(abi.encode(CONTEXT_DOMAIN, chainId, contract, recipient, modelId)): 32 bytes. A backend
 * whose public inputs are field elements uses it shifted right by 3 bits (253 bits).
 *
 * @example
 * contextHash(LOCAL_CONTEXT, `0x${'00'.repeat(32)}`)
 */
export function contextHash(context: Context, modelId: Hex): Hex {
  return keccak256(
    encodeAbiParameters(
      [
        { type: 'bytes32' },
        { type: 'uint256' },
        { type: 'address' },
        { type: 'address' },
        { type: 'bytes32' },
      ],
      [CONTEXT_DOMAIN, context.chainId, context.contract, context.recipient, modelId],
    ),
  )
}

/** The conditions of a statement as bytes: none where it has none. */
export function conditionsOfStatement({ conditions }: Pick<Statement, 'conditions'>): Uint8Array {
  return conditions === undefined ? NO_CONDITIONS : hexToBytes(conditions)
}

/** The member of a statement that says what was chosen: none where nothing was. */
export function statementConditions(conditions: Uint8Array): Pick<Statement, 'conditions'> {
  return conditions.length === 0 ? {} : { conditions: bytesToHex(conditions) }
}
