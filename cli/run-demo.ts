import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Address } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { generateImage } from '../circuits/generate-image.js'
import { readGolden, SPRITES_OPTIONS, spritesOnnx } from '../fixtures/golden.js'
import { writeDirectoryAtomic } from '../model-export/atomic-write.js'
import { compileModel } from '../model-export/compile-model.js'
import { readJsonFile } from '../model-export/json-fields.js'
import { modelId, type Plate, readPlate, writePlate } from '../model-export/plate.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { auditBundle } from '../prover/audit.js'
import { auditToken } from '../prover/audit-token.js'
import type { Backend, SetupRecord } from '../prover/backend.js'
import { findBackend } from '../prover/backends.js'
import type { Bundle } from '../prover/bundle.js'
import { circuitHash } from '../prover/circuit-hash.js'
import { verifyBundle, writeProvenance } from '../prover/provenance.js'
import { parseSetupRecord } from '../prover/setup-record.js'
import type { Verification } from '../prover/verification.js'
import { startAnvil } from '../verifier-contracts/anvil.js'
import { type ChainWriter, connectWithKey } from '../verifier-contracts/connect.js'
import { type DeployedCollection, deployCollection } from '../verifier-contracts/deploy.js'
import { type Minted, mint } from '../verifier-contracts/mint.js'
import { readToken } from '../verifier-contracts/read-token.js'
import { halfBlocks } from './half-blocks.js'
import { bytes, type Terminal } from './terminal.js'
import { toolVersion } from './version.js'

const SEED = 42n

/** One row of the closing table. */
type Step = { readonly name: string; readonly seconds: number; readonly result: string }

export type DemoResult = {
  readonly plate: Plate
  readonly bundle: Bundle
  readonly bundlePath: string
  readonly deployed: DeployedCollection
  readonly minted: Minted
  readonly audited: Verification
  readonly steps: readonly Step[]
  /** The table for a person. */
  readonly lines: readonly string[]
}

/**
 * The main job, end to end: compile the sprite fixture, make a development key, prove seed 42's image
 * for an account on a local chain, deploy, mint with the proof, read the token back, audit it. Compiled
 * model and key are kept in `folder` and used again while fixture and tool are the same.
 *
 * @throws {PlatemarkError} when a step fails; nothing is left running.
 */
export async function runDemo(folder: string, terminal: Terminal): Promise<DemoResult> {
  const steps: Step[] = []
  const timed = async <T>(name: string, action: () => Promise<T>, say: (value: T) => string) => {
    terminal.remark(`• ${name}`)
    const began = performance.now()
    const value = await action()
    steps.push({ name, seconds: (performance.now() - began) / 1000, result: say(value) })
    return value
  }
  const { progress } = terminal
  const backend = findBackend('groth16')
  const plate = await timed(
    'compile the model',
    () => preparePlate(join(folder, 'sprites.plate'), backend, terminal),
    ({ model }) =>
      `${backend.estimate(model).counts.constraints?.toLocaleString('en-US')} constraints`,
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
      'deploy verifier, registry, NFT',
      () => deployFixture(chain, plate, backend, terminal),
      ({ totalGas }) => `${totalGas.toLocaleString('en-US')} gas`,
    )
    const contract = deployed.collection.address.toLowerCase() as Address
    const bundlePath = join(folder, `sprite-${SEED}.provenance.json`)
    const { bundle } = await timed(
      `prove seed ${SEED}’s image`,
      () =>
        writeProvenance(
          plate,
          backend,
          { seed: SEED, context: { chainId: anvil.chainId, contract, recipient } },
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
    const minted = await timed(
      'mint with the proof',
      () => mintFixture(chain, bundle),
      ({ gas }) => `${gas.toLocaleString('en-US')} gas`,
    )
    await timed(
      'read tokenURI back',
      () => readToken(chain, { collection: contract, tokenId: minted.tokenId }),
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
    const lines = summary(plate, bundle, bundlePath, steps, setup.note)
    return { plate, bundle, bundlePath, deployed, minted, audited, steps, lines }
  } finally {
    await anvil.stop()
  }
}

/** The compiled fixture in `directory`, compiled again unless it is the golden model with its circuit. */
async function preparePlate(
  directory: string,
  backend: Backend,
  { progress }: Terminal,
): Promise<Plate> {
  if (existsSync(join(directory, backend.name, backend.circuitFile))) {
    const kept = await readPlate(directory)
    if (kept.modelId === (await readGolden()).modelId) return kept
  }
  const options = { ...SPRITES_OPTIONS, toolVersion }
  const { model, report } = await compileModel(await spritesOnnx(), 'sprites', options, progress)
  await writeDirectoryAtomic(directory, async (partial) => {
    await writePlate(partial, model, report)
    await backend.compile({ directory: partial, model, modelId: modelId(model) }, progress)
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
    collection: { name: 'Sprites', symbol: 'SPRITE' },
  }
  return deployCollection(chain, options, progress)
}

function mintFixture(chain: ChainWriter, { statement, proof }: Bundle): Promise<Minted> {
  return mint(chain, {
    collection: statement.context.contract,
    recipient: statement.context.recipient,
    modelId: statement.modelId,
    seed: statement.seed,
    image: statement.imageHash,
    proof: new Uint8Array(Buffer.from(proof.slice(2), 'hex')),
    insecure: true,
  })
}

function accepted(verification: Verification): Verification {
  if (verification.valid) return verification
  throw new PlatemarkError('The demo’s own proof was refused.', {
    found: verification.reason ?? 'no reason',
    fix: 'Delete the folder demo/ and run it again; if that does not help, it is our bug.',
  })
}

function summary(
  plate: Plate,
  bundle: Bundle,
  bundlePath: string,
  steps: readonly Step[],
  note: string,
): readonly string[] {
  const picture = process.stdout.isTTY
    ? (halfBlocks(generateImage(plate.model, bundle.statement.seed)) ?? [])
    : []
  const width = Math.max(...steps.map(({ name }) => name.length))
  const total = steps.reduce((sum, { seconds }) => sum + seconds, 0)
  const row = (name: string, seconds: number, result: string) =>
    `${name.padEnd(width)}  ${seconds.toFixed(1).padStart(6)} s  ${result}`.trimEnd()
  return [
    '',
    ...picture,
    ...steps.map(({ name, seconds, result }) => row(name, seconds, result)),
    row('total', total, ''),
    '',
    `image   ${bundlePath.replace(/\.provenance\.json$/, '.png')}`,
    `bundle  ${bundlePath}`,
    `warning: ${note}`,
  ]
}

function short(hex: string): string {
  return `${hex.slice(0, 10)}…`
}
