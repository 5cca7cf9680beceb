import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Address, type Hex, hexToBytes } from 'viem'
import type { DemoModel } from '../cli/demo-models.js'
import { type DemoResult, runDemo } from '../cli/run-demo.js'
import { openTerminal } from '../cli/terminal.js'
import { auditToken } from '../prover/audit-token.js'
import { findBackend } from '../prover/backends.js'
import { circuitHash } from '../prover/circuit-hash.js'
import { onChainImage } from '../prover/on-chain-image.js'
import { startAnvil } from '../verifier-contracts/anvil.js'
import { type ChainWriter, connectWithKey } from '../verifier-contracts/connect.js'
import { type DeployedCollection, deployCollection } from '../verifier-contracts/deploy.js'
import { type MintOptions, mint } from '../verifier-contracts/mint.js'

/** The whole flow, run once, and a second chain on which its proof can be misused. */
export type Pipeline = {
  readonly folder: string
  readonly demo: DemoResult
  readonly rpcUrl: string
  readonly chain: ChainWriter
  readonly deployed: DeployedCollection
  /** What mints; each test changes something. */
  readonly honest: MintOptions
  readonly deploy: (on: ChainWriter) => Promise<DeployedCollection>
  readonly close: () => Promise<void>
}

/**
 * Runs the demo with a fixture's real circuit and a real proof. Addresses on a fresh anvil depend on the
 * deployer and its nonce only, so that proof is also for the contract that is deployed here.
 */
export async function openPipeline(model: DemoModel): Promise<Pipeline> {
  const folder = await mkdtemp(join(tmpdir(), 'platemark-pipeline-'))
  const quiet = { write: () => true }
  const demo = await runDemo(model, folder, openTerminal(true, { out: quiet, err: quiet }))
  const { plate, bundle, bundlePath } = demo
  const backend = findBackend(bundle.backend)
  const deploy = async (on: ChainWriter) =>
    deployCollection(on, {
      verifierFiles: await backend.solidity(plate, { allowInsecureSetup: true }),
      modelId: plate.modelId,
      circuitHash: await circuitHash(plate, backend),
      insecure: true,
      collection: model.collection,
    })
  const anvil = await startAnvil()
  const chain = await connectWithKey({ rpcUrl: anvil.rpcUrl, privateKey: anvil.privateKeys[0]! })
  const deployed = await deploy(chain)
  const { statement, proof } = bundle
  return {
    folder,
    demo,
    rpcUrl: anvil.rpcUrl,
    chain,
    deployed,
    honest: {
      collection: deployed.collection.address,
      recipient: statement.context.recipient,
      modelId: statement.modelId,
      seed: statement.seed,
      ...(statement.conditions === undefined ? {} : { conditions: statement.conditions }),
      image: await onChainImage(bundle, bundlePath),
      proof: hexToBytes(proof),
      insecure: true,
    },
    deploy,
    close: async () => {
      await anvil.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Expects that the chain refuses the honest transaction with these changes, for this reason. */
export async function refused(
  { chain, honest }: Pipeline,
  changes: Partial<MintOptions>,
  reason: RegExp,
): Promise<void> {
  await expect(mint(chain, { ...honest, ...changes })).rejects.toThrow(reason)
}

/** Runs something on a fresh chain with the same contracts at the same addresses. */
export async function onFreshChain(
  { honest, deploy }: Pipeline,
  chainId: bigint,
  run: (chain: ChainWriter) => Promise<void>,
): Promise<void> {
  const anvil = await startAnvil({ chainId })
  try {
    const chain = await connectWithKey({ rpcUrl: anvil.rpcUrl, privateKey: anvil.privateKeys[0]! })
    const { collection } = await deploy(chain)
    expect(collection.address).toBe(honest.collection)
    await run(chain)
  } finally {
    await anvil.stop()
  }
}

/** Changes the code of each contract in turn and gives the checks that the audit then fails. */
export async function auditsOfAlteredCode(
  { demo, chain, rpcUrl, honest }: Pipeline,
  contracts: Readonly<Record<string, Address>>,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const failed = async () =>
    (await auditToken(demo.bundle, demo.plate, { rpcUrl }))
      .filter(({ result }) => result !== 'passed')
      .map(({ name }) => name)
  await mint(chain, honest).catch(() => 'minted before')
  const found: Record<string, readonly string[]> = { untouched: await failed() }
  for (const [name, address] of Object.entries(contracts)) {
    const code = await chain.publicClient.getCode({ address })
    const setCode = (to: Hex) =>
      chain.publicClient.request<{
        Method: 'anvil_setCode'
        Parameters: [Address, Hex]
        ReturnType: null
      }>({ method: 'anvil_setCode', params: [address, to] })
    await setCode(`${code!}00`)
    found[name] = await failed()
    await setCode(code!)
  }
  return found
}

/** 32 bytes of a number. */
export function hex32(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`
}

/** A proof in which the 32 bytes at an offset are changed as a number. */
export function withWord(
  proof: Uint8Array,
  offset: number,
  change: (word: bigint) => bigint,
): Uint8Array {
  const changed = proof.slice()
  const word = BigInt(`0x${Buffer.from(proof.slice(offset, offset + 32)).toString('hex')}`)
  changed.set(hexToBytes(hex32(change(word))), offset)
  return changed
}
