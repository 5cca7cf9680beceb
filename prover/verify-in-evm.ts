import { encodeFunctionData, hexToBytes } from 'viem'
import type { Plate } from '../model-export/plate.js'
import { type Progress, silent } from '../model-export/progress.js'
import { compileVerifier } from '../verifier-contracts/compile-verifier.js'
import { type EvmGas, openLocalEvm } from '../verifier-contracts/local-evm.js'
import { conditionedVerifierAbi, verifierAbi } from '../verifier-contracts/platemark-abi.js'
import { findBackend } from './backends.js'
import type { Bundle } from './bundle.js'
import { onChainImage } from './on-chain-image.js'
import { contextHash } from './statement.js'
import type { Check } from './verification.js'

/** What a chain would say to a bundle's proof. */
export type EvmVerification = {
  readonly check: Check
  readonly gas: EvmGas
  /** Size of the verifier's code on chain. */
  readonly codeBytes: number
}

/** The chain id that contracts see when the proof is for no chain. */
const NO_CHAIN = 31337n

/**
 * Runs the generated verifier contract on a bundle's proof in an EVM in this process, with the chain id
 * that the proof is for: the same code, verdict and gas as on a chain.
 *
 * @param plate - the compiled model, from which the contract is generated
 * @param options.imagePath - the image, where the contract is given its pixels
 * @throws {PlatemarkError} without compiler or EVM, without keys, and without the image where it is needed.
 */
export async function verifyInEvm(
  bundle: Bundle,
  bundlePath: string,
  plate: Plate,
  options: { readonly imagePath?: string } = {},
  progress: Progress = silent,
): Promise<EvmVerification> {
  const { statement, proof } = bundle
  const image = await onChainImage(bundle, bundlePath, options.imagePath)
  progress({ step: 'compiling the verifier contract' })
  const files = await findBackend(bundle.backend).solidity(plate, { allowInsecureSetup: true })
  const { verifier, engine } = await compileVerifier(files)
  const chainId = statement.context.chainId === 0n ? NO_CHAIN : statement.context.chainId
  const evm = await openLocalEvm({ chainId })
  const address = await evm.deploy(verifier, engine === undefined ? [] : [await evm.deploy(engine)])
  progress({ step: 'running the verifier contract' })
  const context = contextHash(statement.context, statement.modelId)
  const result = await evm.call(
    address,
    statement.conditions === undefined
      ? encodeFunctionData({
          abi: verifierAbi,
          functionName: 'verifyImage',
          args: [statement.seed, image, context, proof],
        })
      : encodeFunctionData({
          abi: conditionedVerifierAbi,
          functionName: 'verifyConditionedImage',
          args: [statement.seed, statement.conditions, image, context, proof],
        }),
    [...verifier.abi, ...(engine?.abi ?? [])],
  )
  const number = (value: bigint) => value.toLocaleString('en-US')
  const { gas } = result
  const cost = `${number(gas.transaction)} gas as a transaction: execution ${number(gas.execution)}, calldata ${number(gas.calldata)}`
  const accepted = result.success && result.output === statement.imageHash
  const verdict = result.success
    ? accepted
      ? 'accepts'
      : `accepts image ${result.output}, not the statement’s`
    : `reverts with ${result.reason}`
  return {
    check: {
      name: 'contract',
      result: accepted ? 'passed' : 'failed',
      detail: `${verifier.name} ${verdict}; ${cost}`,
    },
    gas,
    codeBytes: hexToBytes(verifier.deployedBytecode).length,
  }
}
