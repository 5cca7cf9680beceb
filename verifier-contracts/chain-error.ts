import {
  BaseError,
  ChainMismatchError,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  HttpRequestError,
  InsufficientFundsError,
  TimeoutError,
} from 'viem'
import { PlatemarkError } from '../model-export/platemark-error.js'

/** What to do about a revert, by the name of the contract's custom error. */
const FIXES: Readonly<Record<string, string>> = {
  ProofInvalid:
    'Make the proof for this very chain id, contract and recipient, and pass the seed and image it is for.',
  ClaimMismatch:
    'Make the proof for this very chain id, contract and recipient, and pass the seed and image it is for.',
  OpeningInvalid: 'The proof was altered, or is of another key; prove again.',
  InverseInvalid: 'The proof was altered, or is of another statement; prove again.',
  AlreadyMinted: 'This seed of this model is taken; choose another seed.',
  ModelNotAdmitted: 'The collection does not know this model; its owner can admit it.',
  ModelDeprecated: 'The model was deprecated by who registered it; use another model.',
  InsecureSetup:
    'The verifier is from a development setup and works on local chains only; make keys with a ceremony.',
  ProofLengthInvalid: 'The proof is truncated or of another backend; prove again.',
  ImageLengthInvalid:
    'Pass what the verifier takes for the image: its pixels, or the 32-byte image hash.',
  PixelsNotComparable:
    'This model’s proofs are not about pixels, so none can be kept; mint without --keep-pixels.',
  PixelsTooLarge: 'Mint without --keep-pixels.',
  PixelsAlreadyKept: 'Nothing is left to do.',
  InsufficientGas: 'Raise the gas limit.',
  ModelAlreadyRegistered: 'This account has registered this model with this verifier before.',
  ERC721NonexistentToken: 'Check token id and contract address; the token was never minted here.',
  ERC721InvalidReceiver: 'The recipient is a contract that cannot hold ERC-721 tokens.',
}

/**
 * Runs something that talks to a chain, and turns what users can do something about into
 * `PlatemarkError`: no connection, no funds, wrong chain, no contract, reverts by their error's name.
 *
 * @param action - what was tried, for the message: 'mint the token'
 * @throws {PlatemarkError} for those; other errors pass unchanged.
 * @example
 * await withChainErrors('read the token', () => client.readContract(…))
 */
export async function withChainErrors<T>(action: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw explain(action, error)
  }
}

function explain(action: string, error: unknown): unknown {
  if (!(error instanceof BaseError)) return error
  const failed = `Could not ${action}`
  const find = <E>(type: new (...args: never[]) => E): E | undefined =>
    (error.walk((inner) => inner instanceof type) as E | null) ?? undefined

  const reverted = find(ContractFunctionRevertedError)
  if (reverted !== undefined) {
    const name = reverted.data?.errorName
    const reason =
      name === undefined
        ? (reverted.signature ?? reverted.reason ?? 'no reason given')
        : `${name}(${(reverted.data?.args ?? []).map(String).join(', ')})`
    const fix = name === undefined ? undefined : FIXES[name]
    return new PlatemarkError(`${failed}: the contract refused.`, {
      found: reason,
      ...(fix === undefined ? {} : { fix }),
      cause: error,
    })
  }
  if (find(ContractFunctionZeroDataError) !== undefined)
    return new PlatemarkError(`${failed}: the contract does not answer.`, {
      expected: 'the address of a contract of this toolkit on this chain',
      found: error.shortMessage,
      fix: 'Check address and RPC URL.',
      cause: error,
    })
  if (find(InsufficientFundsError) !== undefined)
    return new PlatemarkError(`${failed}: the account cannot pay for the transaction.`, {
      found: error.shortMessage,
      fix: 'Send funds to the account or use another.',
      cause: error,
    })
  if (find(ChainMismatchError) !== undefined)
    return new PlatemarkError(`${failed}: this is another chain.`, {
      found: error.shortMessage,
      fix: 'Check the RPC URL and the chain id.',
      cause: error,
    })
  if (find(HttpRequestError) !== undefined || find(TimeoutError) !== undefined)
    return new PlatemarkError(`${failed}: the RPC endpoint does not answer.`, {
      found: (find(HttpRequestError) ?? find(TimeoutError))?.shortMessage ?? error.shortMessage,
      fix: 'Check the RPC URL and that the node runs.',
      cause: error,
    })
  return new PlatemarkError(`${failed}.`, { found: error.shortMessage, cause: error })
}
