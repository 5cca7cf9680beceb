import { readdir } from 'node:fs/promises'
import { type Hex, hexToBytes } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { demoModels } from '../cli/demo-models.js'
import { verifyBundle } from '../prover/provenance.js'
import { verifyInEvm } from '../prover/verify-in-evm.js'
import { type MintOptions, mint } from '../verifier-contracts/mint.js'
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
 * The whole flow with a groth16 proof, once; then every way to misuse that proof on a chain.
 */

const SCALAR_MODULUS = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001n
const BASE_MODULUS = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47n

let pipeline: Pipeline

beforeAll(async () => {
  pipeline = await openPipeline(demoModels.find(({ backend }) => backend === 'groth16')!)
}, 600_000)

afterAll(async () => {
  await pipeline?.close()
})

test('the demo mints seed 42 and its audit passes every check', () => {
  const { audited, minted, bundle } = pipeline.demo
  expect(audited.valid).toBe(true)
  expect(audited.checks.filter(({ result }) => result !== 'passed')).toEqual([])
  expect(bundle.statement.seed).toBe(42n)
  expect(minted.imageHash).toBe(bundle.statement.imageHash)
})

test('the demo leaves its artefacts and nothing half-written', async () => {
  expect((await readdir(pipeline.folder)).sort()).toEqual([
    'sprites-42.png',
    'sprites-42.provenance.json',
    'sprites.plate',
  ])
})

test('the contract that is deployed here is the one that the proof is for', () => {
  const { honest, demo } = pipeline
  expect(honest.collection.toLowerCase()).toBe(demo.bundle.statement.context.contract)
})

describe('the chain refuses', () => {
  const refuses = (changes: (honest: MintOptions) => Partial<MintOptions>, reason: RegExp) => () =>
    refused(pipeline, changes(pipeline.honest), reason)
  const word = (index: number, change: (word: bigint) => bigint) => (honest: MintOptions) => ({
    proof: withWord(honest.proof, 32 * index, change),
  })
  const altered = ({ image }: MintOptions) => ({ image: hex32(BigInt(image) ^ 1n) })
  const aliased = ({ image }: MintOptions) => ({ image: hex32(BigInt(image) + SCALAR_MODULUS) })
  const frontRunner = privateKeyToAccount(hex32(5n)).address

  test('another image', refuses(altered, /ProofInvalid/))
  test(
    'another seed',
    refuses(() => ({ seed: 43n }), /ProofInvalid/),
  )
  test(
    'another recipient',
    refuses(() => ({ recipient: frontRunner }), /ProofInvalid/),
  )
  test(
    'another model',
    refuses(() => ({ modelId: hex32(7n) }), /ModelNotAdmitted/),
  )
  test('the digest plus the scalar modulus', refuses(aliased, /PublicInputNotCanonical/))
  for (const index of [0, 1, 2, 3, 4, 5, 6, 7]) {
    const plusModulus = word(index, (value) => value + BASE_MODULUS)
    test(
      `coordinate ${index} plus the base modulus`,
      refuses(plusModulus, /CoordinateNotCanonical/),
    )
    const plusOne = word(index, (value) => value + 1n)
    test(`coordinate ${index} plus one`, refuses(plusOne, /PointNotOnCurve/))
  }
  test(
    'a truncated proof',
    refuses(({ proof }) => ({ proof: proof.slice(0, 255) }), /ProofLengthInvalid/),
  )
  test(
    'an extended proof',
    refuses(({ proof }) => ({ proof: Uint8Array.of(...proof, 0) }), /ProofLengthInvalid/),
  )
  test(
    'an empty proof',
    refuses(() => ({ proof: new Uint8Array() }), /ProofLengthInvalid/),
  )
  test(
    'an image that is no digest',
    refuses(() => ({ image: '0x1234' }), /ImageLengthInvalid/),
  )
  test(
    'pixels to keep',
    refuses(() => ({ keepPixels: true }), /PixelsNotComparable/),
  )

  test('the proof in another contract', async () => {
    const { collection } = await pipeline.deploy(pipeline.chain)
    await refused(pipeline, { collection: collection.address }, /ProofInvalid/)
  })

  test('the proof on another chain', () =>
    onFreshChain(pipeline, 1337n, async (chain) => {
      await expect(mint(chain, pipeline.honest)).rejects.toThrow(/ProofInvalid/)
    }))

  test('a second token of the same model and seed', async () => {
    await mint(pipeline.chain, pipeline.honest)
    await refused(pipeline, {}, /AlreadyMinted/)
  })
})

test('every altered byte of the proof is refused locally', async () => {
  const { bundle, bundlePath } = pipeline.demo
  const proof = hexToBytes(bundle.proof)
  for (let at = 0; at < proof.length; at += 17) {
    const altered = proof.slice()
    altered[at] = altered[at]! ^ 0x20
    const forged = { ...bundle, proof: `0x${Buffer.from(altered).toString('hex')}` as Hex }
    expect((await verifyBundle(forged, bundlePath)).valid).toBe(false)
  }
})

test('the local EVM says what the chain says', async () => {
  const { bundle, bundlePath, plate } = pipeline.demo
  const { check, gas } = await verifyInEvm(bundle, bundlePath, plate)
  expect(check).toMatchObject({ name: 'contract', result: 'passed' })
  expect(gas.transaction).toBeLessThan(250_000n)
  const forged = { ...bundle, statement: { ...bundle.statement, seed: 43n } }
  const refusal = await verifyInEvm(forged, bundlePath, plate)
  expect(refusal.check.result).toBe('failed')
  expect(refusal.check.detail).toContain('reverts with ProofInvalid()')
})

test('an audit compares the contracts’ code, not what they say', async () => {
  const { verifier, registry, collection } = pipeline.deployed
  const found = await auditsOfAlteredCode(pipeline, {
    'verifier code': verifier.address,
    'registry code': registry.address,
    'collection code': collection.address,
  })
  expect(found).toEqual({
    untouched: [],
    'verifier code': ['verifier code'],
    'registry code': ['registry code'],
    'collection code': ['collection code'],
  })
})
