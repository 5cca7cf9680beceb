import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesToHex, encodeAbiParameters, type Hex, parseAbi, slice } from 'viem'
import { labelGenerator } from '../model-export/conditional-specs.js'
import { buildOnnx } from '../model-export/onnx/build-onnx.js'
import { silent } from '../model-export/progress.js'
import { auditBundle } from '../prover/audit.js'
import { auditToken } from '../prover/audit-token.js'
import { findBackend } from '../prover/backends.js'
import { onChainImage } from '../prover/on-chain-image.js'
import { verifyBundle, writeProvenance } from '../prover/provenance.js'
import { choice } from '../prover/sumcheck/conditional-models.js'
import { verifyInEvm } from '../prover/verify-in-evm.js'
import { mint } from '../verifier-contracts/mint.js'
import { tokenIdOf } from '../verifier-contracts/token-id.js'
import { openPipeline, type Pipeline, refused } from './pipeline.js'

/*
 * The whole flow with a model that takes a label and a style: ONNX, proof, contracts, tokens, audit.
 */

const STYLE = [200, 17, 130, 90]
const hex = (label: number, ...style: readonly number[]) => bytesToHex(choice(label, ...style))
let folder: string
let pipeline: Pipeline

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'platemark-styled-'))
  const onnx = join(folder, 'styled.onnx')
  await writeFile(onnx, buildOnnx(labelGenerator('gather', true)))
  pipeline = await openPipeline({
    name: 'styled',
    onnx,
    backend: 'sumcheck',
    profile: 'fidelity',
    inputs: new Map([
      ['z', { kind: 'latent' }],
      ['style', { kind: 'vector', values: [-2, 2] }],
    ]),
    seed: 7n,
    conditions: choice(3, ...STYLE),
    collection: { name: 'Styled', symbol: 'STY' },
  })
}, 900_000)

afterAll(async () => {
  await pipeline?.close()
  await rm(folder, { recursive: true, force: true })
})

const collectionAbi = parseAbi([
  'function prompt(uint256 id) view returns (bytes)',
  'function tokenId(bytes prompt) view returns (uint256)',
  'function verify(bytes prompt, bytes aigcData, bytes proof) view returns (bool)',
  'error PromptInvalid(uint256 length)',
])

test('the demo mints with its conditions, and its audit passes every check', () => {
  const { audited, bundle, token } = pipeline.demo
  expect(audited.checks.filter(({ result }) => result !== 'passed')).toEqual([])
  const names = audited.checks.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['conditions', 'token conditions']))
  const conditions = hex(3, ...STYLE)
  expect(bundle.statement.conditions).toBe(conditions)
  expect(token.conditions).toBe(conditions)
  expect(token.metadata.name).toBe(`Styled 7-${conditions}`)
  expect(token.metadata.attributes).toContainEqual({ trait_type: 'Conditions', value: conditions })
})

test('the chain refuses other conditions, none, and what is no spelling of any', async () => {
  const { honest } = pipeline
  await refused(pipeline, { conditions: hex(4, ...STYLE) }, /ClaimMismatch/)
  await refused(pipeline, { conditions: hex(3, ...STYLE.with(2, 131)) }, /ClaimMismatch/)
  await refused(pipeline, { conditions: hex(5, ...STYLE) }, /LabelInvalid/)
  await refused(pipeline, { conditions: hex(0x103, ...STYLE) }, /LabelInvalid/)
  await refused(pipeline, { conditions: hex(3, ...STYLE, 0) }, /ConditionsLengthInvalid/)
  await refused(pipeline, { conditions: '0x03' }, /ConditionsLengthInvalid/)
  await refused(pipeline, { conditions: '0x' }, /ConditionsRequired/)
  const { conditions: _, ...plain } = honest
  await expect(mint(pipeline.chain, plain)).rejects.toThrow(/ConditionsRequired/)
})

test('every class of a seed is a token of its own', async () => {
  const { chain, honest, demo, rpcUrl } = pipeline
  const { plate, bundle } = demo
  const { statement } = bundle
  const first = await mint(chain, { ...honest, keepPixels: true })
  expect(first.tokenId).toBe(tokenIdOf(honest.modelId, 7n, hex(3, ...STYLE)))
  await refused(pipeline, {}, /AlreadyMinted/)
  const path = join(pipeline.folder, 'other.provenance.json')
  const other = await writeProvenance(
    plate,
    findBackend('sumcheck'),
    { seed: 7n, conditions: choice(4, ...STYLE), context: statement.context },
    path,
    '0',
    silent,
  )
  const conditions = other.bundle.statement.conditions!
  const second = await mint(chain, {
    ...honest,
    conditions,
    image: await onChainImage(other.bundle, path),
    proof: other.proved.proof,
  })
  expect(second.tokenId).not.toBe(first.tokenId)
  const checks = await auditToken(other.bundle, plate, { rpcUrl })
  expect(checks.filter(({ result }) => result !== 'passed')).toEqual([])
  // The audit of one bundle against the other's token.
  const wrong = await auditToken(other.bundle, plate, { rpcUrl, tokenId: first.tokenId })
  expect(wrong.filter(({ result }) => result === 'failed').map(({ name }) => name)).toEqual(
    expect.arrayContaining(['token id', 'token conditions', 'token image']),
  )
})

test('prompts have one encoding, and hold the conditions', async () => {
  const { chain, honest } = pipeline
  const on = { address: honest.collection, abi: collectionAbi } as const
  const promptOf = (conditions: Hex) =>
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'uint256' }, { type: 'bytes' }],
      [honest.modelId, honest.seed, conditions],
    )
  const prompt = promptOf(honest.conditions!)
  const id = tokenIdOf(honest.modelId, honest.seed, honest.conditions)
  const ask = (text: Hex) =>
    chain.publicClient.readContract({ ...on, functionName: 'tokenId', args: [text] })
  expect(await ask(prompt)).toBe(id)
  expect(await chain.publicClient.readContract({ ...on, functionName: 'prompt', args: [id] })).toBe(
    prompt,
  )
  const proof: Hex = `0x${honest.recipient.slice(2)}${bytesToHex(honest.proof).slice(2)}`
  const verify = (text: Hex) =>
    chain.publicClient.readContract({
      ...on,
      functionName: 'verify',
      args: [text, honest.image, proof],
    })
  expect(await verify(prompt)).toBe(true)
  expect(await verify(promptOf(hex(4, ...STYLE)))).toBe(false)
  expect(await verify(slice(prompt, 0, 64))).toBe(false)
  const padding = `${prompt.slice(0, -2)}01` as Hex
  const offset = `${slice(prompt, 0, 64)}${'00'.repeat(31)}80${slice(prompt, 96).slice(2)}` as Hex
  const malformed = [
    padding,
    offset,
    promptOf('0x'),
    slice(prompt, 0, 96),
    slice(prompt, 0, 128),
    slice(prompt, 0, 63),
    `${prompt}00` as Hex,
    `${prompt}${'00'.repeat(32)}` as Hex,
  ]
  for (const text of malformed) {
    expect([text, await verify(text)]).toEqual([text, false])
    await expect(ask(text)).rejects.toThrow(/PromptInvalid/)
  }
})

test('the local EVM and the verifier here say what the chain says', async () => {
  const { bundle, bundlePath, plate } = pipeline.demo
  const { check } = await verifyInEvm(bundle, bundlePath, plate)
  expect(check).toMatchObject({ name: 'contract', result: 'passed' })
  const { statement } = bundle
  const { conditions: _, ...without } = statement
  for (const changed of [
    { ...statement, conditions: hex(4, ...STYLE) },
    { ...statement, conditions: hex(5, ...STYLE) },
    without,
  ]) {
    const lie = { ...bundle, statement: changed }
    expect((await verifyBundle(lie, bundlePath, { plate })).valid).toBe(false)
    expect((await auditBundle(lie, bundlePath, plate)).valid).toBe(false)
    expect((await verifyInEvm(lie, bundlePath, plate)).check.result).toBe('failed')
  }
})
