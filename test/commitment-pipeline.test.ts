import { readdir } from 'node:fs/promises'
import { type Hex, keccak256 } from 'viem'
import type { DemoModel } from '../cli/demo-models.js'
import { fixturePath } from '../fixtures/golden.js'
import { verifyInEvm } from '../prover/verify-in-evm.js'
import { keepPixels } from '../verifier-contracts/keep-pixels.js'
import { mint } from '../verifier-contracts/mint.js'
import { hex32, onFreshChain, openPipeline, type Pipeline, refused } from './pipeline.js'

/*
 * The whole flow with a sumcheck proof about a commitment to the image, of which a chain sees 32 bytes.
 */

const SPRITES: DemoModel = {
  name: 'sprites',
  onnx: fixturePath('sprites/sprites.onnx'),
  backend: 'sumcheck',
  profile: 'fidelity',
  imageBinding: 'commitment',
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

test('the demo mints from the image hash alone, and its audit passes every check', async () => {
  const { audited, bundle } = pipeline.demo
  expect(audited.checks.filter(({ result }) => result !== 'passed')).toEqual([])
  expect(pipeline.honest.image).toBe(bundle.statement.imageHash)
  expect(bundle.statement.imageHash).toMatch(/^0x01/)
  expect(await readdir(pipeline.folder)).not.toContain('sprites-42.from-chain.png')
})

test('the chain refuses another hash, the pixels’ own hash, and other statements', async () => {
  const { honest, demo } = pipeline
  const altered = hex32(BigInt(honest.image) ^ 1n)
  await refused(pipeline, { image: altered }, /ImageHashMismatch/)
  const pixelHash: Hex = demo.bundle.image.keccak256
  await refused(pipeline, { image: pixelHash }, /ImageHashMismatch/)
  await refused(pipeline, { image: '0x12' }, /ImageLengthInvalid/)
  await refused(pipeline, { seed: 43n }, /ClaimMismatch/)
  const recipient = `0x${keccak256(honest.recipient).slice(26)}` as const
  await refused(pipeline, { recipient }, /ClaimMismatch/)
})

test('the proof is refused on another chain', () =>
  onFreshChain(pipeline, 1337n, async (chain) => {
    await expect(mint(chain, pipeline.honest)).rejects.toThrow(/ClaimMismatch/)
  }))

test('no pixels can be kept: a contract cannot compare them with a commitment', async () => {
  const { chain, honest } = pipeline
  await refused(pipeline, { keepPixels: true }, /PixelsNotComparable/)
  const { tokenId } = await mint(chain, honest)
  const { collection } = honest
  await expect(keepPixels(chain, { collection, tokenId, pixels: '0x1234' })).rejects.toThrow(
    /PixelsNotComparable/,
  )
})

test('the local EVM says what the chain says', async () => {
  const { bundle, bundlePath, plate } = pipeline.demo
  const { check, gas } = await verifyInEvm(bundle, bundlePath, plate)
  expect(check).toMatchObject({ name: 'contract', result: 'passed' })
  expect(gas.transaction).toBeLessThan(600_000n)
})
