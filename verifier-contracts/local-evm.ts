import type { EVM } from '@ethereumjs/evm'
import {
  type Abi,
  type Address,
  bytesToHex,
  decodeErrorResult,
  encodeDeployData,
  type Hex,
  hexToBytes,
} from 'viem'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { CompiledContract } from './compile-solidity.js'

/** What a call costs. */
export type EvmGas = {
  /** What the code itself uses. */
  readonly execution: bigint
  /** 4 gas a zero byte, 16 gas any other. */
  readonly calldata: bigint
  /** Of a transaction that does just this call: 21,000 and both, or EIP-7623's least price of its calldata. */
  readonly transaction: bigint
}

/** What came of a call. */
export type EvmResult = { readonly gas: EvmGas } & (
  | { readonly success: true; readonly output: Hex }
  /** `reason` is the custom error with its arguments, or what the machine says. */
  | { readonly success: false; readonly reason: string }
)

/** An Ethereum Virtual Machine in this process, with a state of its own and no chain. */
export type LocalEvm = {
  /** Deploys a contract and gives its address. */
  readonly deploy: (contract: CompiledContract, args?: readonly unknown[]) => Promise<Address>
  /** Calls a contract; `abi` names the errors. */
  readonly call: (to: Address, data: Hex, abi: Abi) => Promise<EvmResult>
}

/** The most that a transaction may use (EIP-7825). */
const TRANSACTION_GAS_LIMIT = 1n << 24n

/** The precompiles of this hardfork are warm from the start of a transaction (EIP-2929), p256Verify included. */
const PRECOMPILES = [...Array.from({ length: 0x11 }, (_, i) => i + 1), 0x100]

/**
 * Opens a local EVM with the rules of Ethereum's Osaka hardfork.
 *
 * @param options.chainId - what contracts see as the chain's id; 31337 unless given
 * @throws {PlatemarkError} when the optional package is not installed.
 * @example
 * const evm = await openLocalEvm()
 * const address = await evm.deploy(await compileSolidity(files))
 * const { gas } = await evm.call(address, encodeFunctionData({ abi, functionName: 'modelId' }), abi)
 */
export async function openLocalEvm(options: { readonly chainId?: bigint } = {}): Promise<LocalEvm> {
  const { evm, createAddressFromString } = await createEvm(Number(options.chainId ?? 31337n))
  const sender = createAddressFromString(`0x${'5e'.repeat(20)}`)

  const run = async (to: Address | undefined, data: Hex) => {
    // Each run is a transaction of its own: only precompiles, sender and recipient are warm.
    await evm.journal.cleanup()
    for (const precompile of PRECOMPILES) evm.journal.addAlwaysWarmAddress(padded(precompile))
    evm.journal.addAlwaysWarmAddress(sender.toString().slice(2))
    if (to !== undefined) evm.journal.addAlwaysWarmAddress(to.slice(2).toLowerCase())
    return evm.runCall({
      caller: sender,
      origin: sender,
      data: hexToBytes(data),
      gasLimit: TRANSACTION_GAS_LIMIT,
      ...(to === undefined ? {} : { to: createAddressFromString(to) }),
    })
  }

  return {
    deploy: async ({ name, abi, bytecode }, args = []) => {
      const data = encodeDeployData({ abi, bytecode, args: [...args] })
      const { createdAddress, execResult } = await run(undefined, data)
      if (execResult.exceptionError !== undefined || createdAddress === undefined)
        throw new PlatemarkError(`The contract ${name} does not deploy.`, {
          found: reasonOf(execResult, abi),
        })
      return createdAddress.toString() as Address
    },
    call: async (to, data, abi) => {
      const { execResult } = await run(to, data)
      const gas = gasOf(hexToBytes(data), execResult.executionGasUsed)
      return execResult.exceptionError === undefined
        ? { success: true, output: bytesToHex(execResult.returnValue), gas }
        : { success: false, reason: reasonOf(execResult, abi), gas }
    },
  }
}

async function createEvm(chainId: number) {
  const { createEVM, common, util } = await load()
  const evm: EVM = await createEVM({
    common: common.createCustomCommon({ chainId }, common.Mainnet, {
      hardfork: common.Hardfork.Osaka,
    }),
  })
  return { evm, createAddressFromString: util.createAddressFromString }
}

async function load() {
  try {
    const { createEVM } = await import('@ethereumjs/evm')
    const common = await import('@ethereumjs/common')
    const util = await import('@ethereumjs/util')
    return { createEVM, common, util }
  } catch (cause) {
    throw new PlatemarkError('The local EVM does not run.', {
      expected: 'the optional dependency "@ethereumjs/evm"',
      found: cause instanceof Error ? cause.message : String(cause),
      fix: 'Run npm ci without --omit=optional, or npm install @ethereumjs/evm@10.1.3.',
      cause,
    })
  }
}

function padded(address: number): string {
  return address.toString(16).padStart(40, '0')
}

/** EIP-7623: a transaction pays at least 10 gas a token, a byte being four tokens and a zero one. */
function gasOf(data: Uint8Array, execution: bigint): EvmGas {
  const zeros = data.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0)
  const tokens = BigInt(zeros + 4 * (data.length - zeros))
  const calldata = 4n * tokens
  const floor = 10n * tokens
  const used = calldata + execution
  return { execution, calldata, transaction: 21_000n + (used > floor ? used : floor) }
}

type Execution = Awaited<ReturnType<EVM['runCall']>>['execResult']

function reasonOf({ exceptionError, returnValue }: Execution, abi: Abi): string {
  if (returnValue.length >= 4)
    try {
      const { errorName, args } = decodeErrorResult({ abi, data: bytesToHex(returnValue) })
      return `${errorName}(${(args ?? []).map(String).join(', ')})`
    } catch {
      return `error ${bytesToHex(returnValue.subarray(0, 4))}`
    }
  return exceptionError?.error ?? 'no reason given'
}
