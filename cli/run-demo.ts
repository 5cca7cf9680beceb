import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Address } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { decodePng } from '../circuits/png.js'
import { writeDirectoryAtomic, writeFileAtomic } from '../model-export/atomic-write.js'
import { compileModel } from '../model-export/compile-model.js'
import { NO_CONDITIONS } from '../model-export/conditions.js'
import { readJsonFile } from '../model-export/json-fields.js'
import { modelId, type Plate, readPlate, writePlate } from '../model-export/plate.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { auditBundle } from '../prover/audit.js'
import { auditToken } from '../prover/audit-token.js'
import type { Backend, SetupRecord } from '../prover/backend.js'
import { findBackend } from '../prover/backends.js'
import type { Bundle } from '../prover/bundle.js'
import { circuitHash } from '../prover/circuit-hash.js'
import { bindsPixels, onChainImage } from '../prover/on-chain-image.js'
import { verifyBundle, writeProvenance } from '../prover/provenance.js'
import { parseSetupRecord } from '../prover/setup-record.js'
import { statementConditions } from '../prover/statement.js'
import { type Verification, verdictOf } from '../prover/verification.js'
import { verifyInEvm } from '../prover/verify-in-evm.js'
import { startAnvil } from '../verifier-contracts/anvil.js'
import { compilePackageContract } from '../verifier-contracts/compile-solidity.js'
import { type ChainWriter, connectWithKey } from '../verifier-contracts/connect.js'
import { type DeployedCollection, deployCollection } from '../verifier-contracts/deploy.js'
import { keepPixels } from '../verifier-contracts/keep-pixels.js'
import { type Minted, mint } from '../verifier-contracts/mint.js'
import { readToken, type TokenOnChain } from '../verifier-contracts/read-token.js'
import type { DemoModel } from './demo-models.js'
import { halfBlocks } from './half-blocks.js'
import { bytes, type Terminal } from './terminal.js'
import { toolVersion } from './version.js'

/** One row of the closing table. */
type Step = { readonly name: string; readonly seconds: number; readonly result: string }

export type DemoResult = {
  readonly plate: Plate
  readonly bundle: Bundle
  readonly bundlePath: string
  readonly deployed: DeployedCollection
  readonly minted: Minted
  readonly token: TokenOnChain
  readonly audited: Verification
  readonly steps: readonly Step[]
  /** The table for a person. */
  readonly lines: readonly string[]
}

/**
 * The main job, end to end: compile a fixture, make a development key, prove an image for an account on
 * a local chain, deploy, mint with the proof, keep the pixels on chain, read the token back, audit it.
 * Compiled model and key are kept in `folder` and used again while fixture and tool are the same.
 *
 * @throws {PlatemarkError} when a step fails; nothing is left running.
 */
export async function runDemo(
  demo: DemoModel,
  folder: string,
  terminal: Terminal,
): Promise<DemoResult> {
  const steps: Step[] = []
  const timed = async <T>(name: string, action: () => Promise<T>, say: (value: T) => string) => {
    terminal.remark(`• ${name}`)
    const began = performance.now()
    const value = await action()
    steps.push({ name, seconds: (performance.now() - began) / 1000, result: say(value) })
    return value
  }
  const { progress } = terminal
  const backend = findBackend(demo.backend)
  void compileContractsAhead(demo)
  const plate = await timed(
    'compile the model',
    () => preparePlate(demo, join(folder, `${demo.name}.plate`), terminal),
    ({ model }) => counts(backend, model),
  )
  const setup = await timed(
    'make a development key',
    () => prepareKeys(plate, backend, terminal),
    ({ verifyingKeyHash }) => `INSECURE, ${short(verifyingKeyHash)}`,
  )

  const anvil = await timed('start a local chain', startAnvil, ({ chainId }) => `id ${chainId}`)
  try {
    const privateKey = anvil.privateKeys[0]!
    const recipient = privateKeyToAccount(anvil.privateKeys[1]!).address.toLowerCase() as Address
    const chain = await connectWithKey({ rpcUrl: anvil.rpcUrl, privateKey })
    const deployed = await timed(
      'deploy the contracts',
      () => deployFixture(demo, chain, plate, backend, terminal),
      ({ totalGas }) => gasText(totalGas),
    )
    const contract = deployed.collection.address.toLowerCase() as Address
    const bundlePath = join(folder, `${demo.name}-${demo.seed}.provenance.json`)
    const { bundle } = await timed(
      `prove seed ${demo.seed}’s image`,
      () =>
        writeProvenance(
          plate,
          backend,
          {
            seed: demo.seed,
            ...(demo.conditions === undefined ? {} : { conditions: demo.conditions }),
            context: { chainId: anvil.chainId, contract, recipient },
          },
          bundlePath,
          toolVersion,
          progress,
        ),
      ({ proved }) => `${proved.proof.length} bytes, peak ${bytes(proved.peakMemoryBytes)}`,
    )
    await timed(
      'verify locally',
      async () => accepted(await verifyBundle(bundle, bundlePath, { plate })),
      ({ checks }) => `valid, ${checks.length} checks`,
    )
    await timed(
      'run the contract in a local EVM',
      async () => {
        const evm = await verifyInEvm(bundle, bundlePath, plate, {}, progress)
        accepted(verdictOf([evm.check]))
        return evm
      },
      ({ gas }) => gasText(gas.transaction),
    )
    const image = await onChainImage(bundle, bundlePath)
    const minted = await timed(
      'mint with the proof',
      () =>
        mint(chain, {
          collection: contract,
          recipient,
          modelId: plate.modelId,
          seed: demo.seed,
          ...statementConditions(demo.conditions ?? NO_CONDITIONS),
          image,
          proof: new Uint8Array(Buffer.from(bundle.proof.slice(2), 'hex')),
          insecure: true,
        }),
      ({ gas }) => gasText(gas),
    )
    const { tokenId } = minted
    if (bindsPixels(bundle))
      await timed(
        'keep the pixels on chain',
        () => keepPixels(chain, { collection: contract, tokenId, pixels: image }),
        ({ gas }) => gasText(gas),
      )
    const token = await timed(
      'read tokenURI back',
      () => readToken(chain, { collection: contract, tokenId }),
      ({ metadata, owner }) => `${String(metadata.name)}, owner ${short(owner)}`,
    )
    const audited = await timed(
      'audit image, proof and token',
      async () =>
        accepted(
          await auditBundle(bundle, bundlePath, plate, {
            extra: await auditToken(bundle, plate, { rpcUrl: anvil.rpcUrl }),
          }),
        ),
      ({ checks }) => `${checks.length} checks passed`,
    )
    const lines = [
      '',
      ...(await picture(bundlePath)),
      ...table(steps),
      '',
      ...(await writeFiles(bundlePath, token)),
      `warning: ${setup.note}`,
    ]
    return { plate, bundle, bundlePath, deployed, minted, token, audited, steps, lines }
  } finally {
    await anvil.stop()
  }
}

/**
 * Contracts that do not depend on the model compile while the model does, one after the other on the
 * core that it leaves idle. A failure is met again when they are deployed.
 */
async function compileContractsAhead({ backend }: DemoModel): Promise<void> {
  const engine = backend === 'sumcheck' ? (['SumcheckVerifier'] as const) : []
  try {
    for (const name of [...engine, 'PlatemarkNFT', 'ModelRegistry'] as const)
      await compilePackageContract(name)
  } catch {}
}

/** The compiled fixture in `directory`, compiled again unless it is of this fixture and this tool. */
async function preparePlate(
  demo: DemoModel,
  directory: string,
  { progress }: Terminal,
): Promise<Plate> {
  const backend = findBackend(demo.backend)
  const onnx = await readFile(demo.onnx)
  const options = {
    profile: demo.profile,
    latent: 'normal',
    toolVersion,
    seeds: 8,
    ...(demo.inputs === undefined ? {} : { inputs: demo.inputs }),
  } as const
  if (existsSync(join(directory, backend.name, backend.circuitFile))) {
    const kept = await readPlate(directory)
    const { source } = kept.model
    if (source.onnxSha256 === `0x${bytesToHex(sha256(onnx))}` && source.toolVersion === toolVersion)
      return kept
  }
  const { model, report } = await compileModel(onnx, demo.name, options, progress)
  await writeDirectoryAtomic(directory, async (partial) => {
    await writePlate(partial, model, report)
    const { imageBinding } = demo
    await backend.compile(
      { directory: partial, model, modelId: modelId(model) },
      progress,
      imageBinding === undefined ? {} : { imageBinding },
    )
  })
  return readPlate(directory)
}

async function prepareKeys(
  plate: Plate,
  backend: Backend,
  { progress }: Terminal,
): Promise<SetupRecord> {
  const path = join(plate.directory, backend.name, 'setup.json')
  if (existsSync(path)) return parseSetupRecord(await readJsonFile(path, 'setup record'))
  return backend.setup(plate, { kind: 'development' }, progress)
}

async function deployFixture(
  demo: DemoModel,
  chain: ChainWriter,
  plate: Plate,
  backend: Backend,
  { progress }: Terminal,
): Promise<DeployedCollection> {
  const options = {
    verifierFiles: await backend.solidity(plate, { allowInsecureSetup: true }),
    modelId: plate.modelId,
    circuitHash: await circuitHash(plate, backend),
    insecure: true,
    collection: demo.collection,
  }
  return deployCollection(chain, options, progress)
}

function accepted(verification: Verification): Verification {
  if (verification.valid) return verification
  throw new PlatemarkError('The demo’s own proof was refused.', {
    found: verification.reason ?? 'no reason',
    fix: 'Delete the folder demo/ and run it again; if that does not help, it is our bug.',
  })
}

/** The image as terminal text, where a terminal shows it. */
async function picture(bundlePath: string): Promise<readonly string[]> {
  if (!process.stdout.isTTY) return []
  return halfBlocks(await decodePng(await readFile(imagePath(bundlePath)))) ?? []
}

function table(steps: readonly Step[]): readonly string[] {
  const width = Math.max(...steps.map(({ name }) => name.length))
  const total = steps.reduce((sum, { seconds }) => sum + seconds, 0)
  const row = (name: string, seconds: number, result: string) =>
    `${name.padEnd(width)}  ${seconds.toFixed(1).padStart(6)} s  ${result}`.trimEnd()
  return [
    ...steps.map(({ name, seconds, result }) => row(name, seconds, result)),
    row('total', total, ''),
  ]
}

/** Says what lies where, after writing the picture that the contract made, where it made one. */
async function writeFiles(
  bundlePath: string,
  { metadata }: TokenOnChain,
): Promise<readonly string[]> {
  const start = 'data:image/png;base64,'
  const uri = String(metadata.image)
  const image = imagePath(bundlePath)
  const fromChain = image.replace(/\.png$/, '.from-chain.png')
  if (uri.startsWith(start))
    await writeFileAtomic(fromChain, Buffer.from(uri.slice(start.length), 'base64'))
  return [
    `image   ${image}`,
    ...(uri.startsWith(start) ? [`        ${fromChain}, made by the contract`] : []),
    `bundle  ${bundlePath}`,
  ]
}

function imagePath(bundlePath: string): string {
  return bundlePath.replace(/\.provenance\.json$/, '.png')
}

function counts(backend: Backend, model: Plate['model']): string {
  const [[name, value] = ['', 0]] = Object.entries(backend.estimate(model).counts)
  return `${value.toLocaleString('en-US')} ${name}`
}

function gasText(gas: bigint): string {
  return `${gas.toLocaleString('en-US')} gas`
}

function short(hex: string): string {
  return `${hex.slice(0, 10)}…`
}
