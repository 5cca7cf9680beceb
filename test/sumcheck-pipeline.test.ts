import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesToHex, type Hex, hexToBytes, keccak256, parseAbi } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { decodePng } from '../circuits/png.js'
import type { DemoModel } from '../cli/demo-models.js'
import { fixturePath } from '../fixtures/golden.js'
import { compileModel } from '../model-export/compile-model.js'
import { modelId, type Plate, readPlate, writePlate } from '../model-export/plate.js'
import { silent } from '../model-export/progress.js'
import { findBackend } from '../prover/backends.js'
import { circuitHash } from '../prover/circuit-hash.js'
import { contextHash } from '../prover/statement.js'
import { verifyInEvm } from '../prover/verify-in-evm.js'
import { deployCollection } from '../verifier-contracts/deploy.js'
import { keepPixels } from '../verifier-contracts/keep-pixels.js'
import { type MintOptions, mint } from '../verifier-contracts/mint.js'
import { engineAbi, verifierAbi } from '../verifier-contracts/platemark-abi.js'
import { readToken } from '../verifier-contracts/read-token.js'
import {
  auditsOfAlteredCode,
  hex32,
  onFreshChain,
  openPipeline,
  type Pipeline,
  refused,
  withWord,
} from './pipeline.js'

/*
 * The whole flow with a sumcheck proof about pixels, once; then every way to misuse that proof on a chain.
 */

const SCALAR_MODULUS = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001n

const SPRITES: DemoModel = {
  name: 'sprites',
  onnx: fixturePath('sprites/sprites.onnx'),
  backend: 'sumcheck',
  profile: 'fidelity',
  seed: 42n,
  collection: { name: 'Sprites', symbol: 'SPRITE' },
}

let pipeline: Pipeline

beforeAll(async () => {
  pipeline = await openPipeline(SPRITES)
}, 600_000)

afterAll(async () => {
  await pipeline?.close()
})

test('the demo mints, and its audit passes every check', () => {
  const { audited, minted, bundle } = pipeline.demo
  expect(audited.valid).toBe(true)
  expect(audited.checks.filter(({ result }) => result !== 'passed')).toEqual([])
  expect(audited.checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['engine code', 'token picture']),
  )
  expect(minted.imageHash).toBe(bundle.statement.imageHash)
})

test('the demo leaves its artefacts and nothing half-written', async () => {
  expect((await readdir(pipeline.folder)).sort()).toEqual([
    'sprites-42.from-chain.png',
    'sprites-42.png',
    'sprites-42.provenance.json',
    'sprites.plate',
  ])
})

test('the metadata holds a PNG of exactly the proven pixels, made by the contract', async () => {
  const { metadata } = pipeline.demo.token
  const { height, width, channels, keccak256: hash } = pipeline.demo.bundle.image
  const png = Buffer.from(String(metadata.image).split(',')[1]!, 'base64')
  const image = await decodePng(png)
  expect(image).toMatchObject({ height, width, channels })
  expect(keccak256(image.pixels)).toBe(hash)
  expect(bytesToHex(image.pixels)).toBe(pipeline.honest.image)
})

describe('the chain refuses', () => {
  const refuses = (changes: (honest: MintOptions) => Partial<MintOptions>, reason: RegExp) => () =>
    refused(pipeline, changes(pipeline.honest), reason)
  const proof = (change: (proof: Uint8Array) => Uint8Array) => (honest: MintOptions) => ({
    proof: change(honest.proof),
  })
  const image = (change: (pixels: Uint8Array) => Uint8Array) => (honest: MintOptions) => ({
    image: bytesToHex(change(hexToBytes(honest.image))),
  })
  const frontRunner = privateKeyToAccount(hex32(5n)).address

  test(
    'another seed',
    refuses(() => ({ seed: 43n }), /ClaimMismatch/),
  )
  test(
    'another recipient',
    refuses(() => ({ recipient: frontRunner }), /ClaimMismatch/),
  )
  test(
    'another model',
    refuses(() => ({ modelId: hex32(7n) }), /ModelNotAdmitted/),
  )
  for (const at of [0, 333, 767])
    test(
      `pixel byte ${at} altered`,
      refuses(
        image((pixels) => pixels.with(at, pixels[at]! ^ 1)),
        /ClaimMismatch/,
      ),
    )
  test(
    'a pixel too few',
    refuses(
      image((pixels) => pixels.slice(1)),
      /ImageLengthInvalid/,
    ),
  )
  test(
    'a pixel too many',
    refuses(
      image((pixels) => Uint8Array.of(...pixels, 0)),
      /ImageLengthInvalid/,
    ),
  )
  test(
    'the hash instead of the pixels',
    refuses(({ image }) => ({ image: keccak256(image) }), /ImageLengthInvalid/),
  )
  test(
    'a truncated proof',
    refuses(
      proof((bytes) => bytes.slice(0, -1)),
      /ProofLengthInvalid/,
    ),
  )
  test(
    'an extended proof',
    refuses(
      proof((bytes) => Uint8Array.of(...bytes, 0)),
      /ProofLengthInvalid/,
    ),
  )
  test(
    'an empty proof',
    refuses(() => ({ proof: new Uint8Array() }), /ProofLengthInvalid/),
  )
  test(
    'a coordinate that is off the curve',
    refuses(
      proof((bytes) => withWord(bytes, 0, (word) => word + 1n)),
      /PointNotOnCurve/,
    ),
  )
  test(
    'the last scalar plus the modulus',
    refuses(
      proof((bytes) => withWord(bytes, bytes.length - 32, (word) => word + SCALAR_MODULUS)),
      /ScalarNotCanonical/,
    ),
  )
  test(
    'the last scalar plus one',
    refuses(
      proof((bytes) => withWord(bytes, bytes.length - 32, (word) => word + 1n)),
      /InverseInvalid/,
    ),
  )

  test('the proof in another contract', async () => {
    const { collection } = await pipeline.deploy(pipeline.chain)
    await refused(pipeline, { collection: collection.address }, /ClaimMismatch/)
  })

  test('the proof on another chain', () =>
    onFreshChain(pipeline, 1337n, async (chain) => {
      await expect(mint(chain, pipeline.honest)).rejects.toThrow(/ClaimMismatch/)
    }))

  test('a second token of the same model and seed; pixels are kept later, once', async () => {
    const { chain, honest } = pipeline
    const { collection, image: pixels } = honest
    const { tokenId, gas } = await mint(chain, honest)
    expect(gas).toBeLessThan(900_000n)
    await refused(pipeline, {}, /AlreadyMinted/)
    const altered = bytesToHex(hexToBytes(pixels).with(5, 1))
    await expect(keepPixels(chain, { collection, tokenId, pixels: altered })).rejects.toThrow(
      /PixelsNotProven/,
    )
    await keepPixels(chain, { collection, tokenId, pixels })
    await expect(keepPixels(chain, { collection, tokenId, pixels })).rejects.toThrow(
      /PixelsAlreadyKept/,
    )
  })
})

test('minting can keep the pixels in the same transaction', () =>
  onFreshChain(pipeline, 31337n, async (chain) => {
    const { honest, demo } = pipeline
    const { tokenId } = await mint(chain, { ...honest, keepPixels: true })
    const { metadata } = await readToken(chain, { collection: honest.collection, tokenId })
    expect(metadata.image).toBe(demo.token.metadata.image)
  }))

test('the local EVM says what the chain says', async () => {
  const { bundle, bundlePath, plate } = pipeline.demo
  const { check, gas } = await verifyInEvm(bundle, bundlePath, plate)
  expect(check).toMatchObject({ name: 'contract', result: 'passed' })
  expect(gas.transaction).toBeLessThan(550_000n)
  const forged = { ...bundle, statement: { ...bundle.statement, seed: 43n } }
  const refusal = await verifyInEvm(forged, bundlePath, plate)
  expect(refusal.check.result).toBe('failed')
  expect(refusal.check.detail).toContain('reverts with ClaimMismatch()')
})

test('an audit compares the contracts’ code, that of the engine too', async () => {
  const { verifier, engine, registry, collection } = pipeline.deployed
  const found = await auditsOfAlteredCode(pipeline, {
    'verifier code': verifier.address,
    'engine code': engine!.address,
    'registry code': registry.address,
    'collection code': collection.address,
  })
  expect(found).toEqual({
    untouched: [],
    'verifier code': ['verifier code'],
    'engine code': ['engine code'],
    'registry code': ['registry code'],
    'collection code': ['collection code'],
  })
})

describe('two models', () => {
  const backend = findBackend('sumcheck')
  let other: Plate

  beforeAll(async () => {
    const directory = join(pipeline.folder, 'other.plate')
    other = await compileOther(directory)
    await backend.setup(other, { kind: 'development' }, silent)
  }, 120_000)

  async function compileOther(directory: string): Promise<Plate> {
    const onnx = await readFile(SPRITES.onnx)
    const options = { profile: 'compact', latent: 'normal', toolVersion: 'test', seeds: 2 } as const
    const { model, report } = await compileModel(onnx, 'other', options, silent)
    await mkdir(directory)
    await writePlate(directory, model, report)
    await backend.compile({ directory, model, modelId: modelId(model) }, silent)
    return readPlate(directory)
  }

  test('share engine and registry, and no proof of one mints an image of the other', async () => {
    const { chain, deployed, honest } = pipeline
    const there = await deployCollection(chain, {
      verifierFiles: await backend.solidity(other, { allowInsecureSetup: true }),
      modelId: other.modelId,
      circuitHash: await circuitHash(other, backend),
      insecure: true,
      engine: deployed.engine!.address,
      registry: deployed.registry.address,
      collection: { name: 'Others', symbol: 'OTHER' },
    })
    expect(there.engine).toEqual({ address: deployed.engine!.address })
    await chain.walletClient.writeContract({
      address: honest.collection,
      abi: parseAbi(['function admitModel(uint256 registryId)']),
      functionName: 'admitModel',
      args: [there.registration.registryId],
    })
    await refused(pipeline, { modelId: other.modelId }, /ClaimMismatch|ProofLengthInvalid/)

    // The same statement in the same context, once under each key.
    const { statement } = pipeline.demo.bundle
    const context = contextHash(statement.context, statement.modelId)
    const verify = (address: Hex) =>
      chain.publicClient.readContract({
        address,
        abi: [...verifierAbi, ...engineAbi],
        functionName: 'verifyImage',
        args: [honest.seed, honest.image, context, bytesToHex(honest.proof)],
      })
    expect(await verify(deployed.verifier.address)).toBe(statement.imageHash)
    await expect(verify(there.verifier.address)).rejects.toThrow(/ClaimMismatch|ProofLengthInvalid/)
  })

  test('a verifier with the key of another model is not generated', async () => {
    const { plate } = pipeline.demo
    for (const file of ['verifying-key.json', 'setup.json'])
      await copyFile(
        join(plate.directory, 'sumcheck', file),
        join(other.directory, 'sumcheck', file),
      )
    await expect(backend.solidity(other, { allowInsecureSetup: true })).rejects.toThrow(/model/)
  })
})

test('the proof’s bytes name nothing: the token is of model and seed', () => {
  const { minted, bundle } = pipeline.demo
  const id: Hex = hex32(minted.tokenId)
  expect(id).toBe(keccak256(`${bundle.statement.modelId}${hex32(42n).slice(2)}` as Hex))
})
