import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Hex, keccak256 } from 'viem'
import { expandSeed } from '../../circuits/seed-expansion.js'
import type { VerifyRequest } from '../backend.js'
import { contextHash, LOCAL_CONTEXT, type Statement } from '../statement.js'
import { PYTHON_VARIABLE } from './installation.js'
import { publicInstance, verifyEzkl } from './verify.js'
import { type EzklKey, keyHash, parseKey, serializeKey } from './verifying-key.js'

/** Stands in for ezkl: keeps the proof file that it was given and says yes, or no to a proof of zeros. */
const DOUBLE = `#!/usr/bin/env node
import { copyFileSync, readFileSync, writeSync } from 'node:fs'
const { version, calls } = JSON.parse(readFileSync(0, 'utf8'))
if (version !== '23.0.5') { console.error('this is ezkl 23.0.5'); process.exit(4) }
const { proof_path } = calls[0].arguments
copyFileSync(proof_path, process.env.PLATEMARK_TEST_KEEP)
if (JSON.parse(readFileSync(proof_path)).proof.every((byte) => byte === 0)) {
  console.error('The constraint system is not satisfied'); process.exit(1)
}
writeSync(3, JSON.stringify({ version, seconds: [0], peakMemoryBytes: 1 }))
`

const modelId: Hex = `0x${'ab'.repeat(32)}`
const pixels = Uint8Array.of(0, 255, 7)
const statement: Statement = {
  modelId,
  seed: 42n,
  imageHash: keccak256(pixels),
  context: LOCAL_CONTEXT,
}
const key: EzklKey = {
  modelId,
  release: '23.0.5',
  proofBytes: 4,
  settings: { run_args: { logrows: 12 } },
  verifyingKey: Uint8Array.from({ length: 1000 }, (_, i) => i & 1),
  powers: { g1: new Uint8Array(64).fill(1), g2: new Uint8Array(256).fill(2) },
}
const request: VerifyRequest = {
  verifyingKey: serializeKey(key),
  latentDimensions: 3,
  statement,
  proof: Uint8Array.of(1, 2, 3, 4),
  pixels,
}

let folder: string
const kept = { ...process.env }
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'platemark-ezkl-'))
  const python = join(folder, 'python.mjs')
  await writeFile(python, DOUBLE)
  await chmod(python, 0o755)
  process.env[PYTHON_VARIABLE] = python
  process.env.PLATEMARK_TEST_KEEP = join(folder, 'proof.json')
})
afterAll(async () => {
  process.env = kept
  await rm(folder, { recursive: true, force: true })
})

test('the instance is latent bytes, context and pixels', () => {
  const context = BigInt(contextHash(LOCAL_CONTEXT, modelId)) >> 3n
  const latent = [...expandSeed(42n, 3)].map(BigInt)
  expect(publicInstance(statement, 3, pixels)).toEqual([...latent, context, 0n, 255n, 7n])
})

test('ezkl gets the instance of the statement, little-endian', async () => {
  expect(await verifyEzkl(request)).toEqual({ valid: true })
  const file = JSON.parse(await readFile(join(folder, 'proof.json'), 'utf8'))
  const values = file.instances[0].map((hex: string) =>
    BigInt(`0x${Buffer.from(hex, 'hex').reverse().toString('hex')}`),
  )
  expect(values).toEqual(publicInstance(statement, 3, pixels))
  expect(file.proof).toEqual([1, 2, 3, 4])
})

test.each<[string, Record<string, unknown>, RegExp]>([
  ['no pixels', { pixels: undefined }, /^image: its pixels/],
  ['other pixels', { pixels: Uint8Array.of(0, 255, 8) }, /^image: the pixels do not/],
  ['a longer proof', { proof: Uint8Array.of(1, 2, 3, 4, 0) }, /^proof: it has 5 bytes, not 4/],
  ['a proof that ezkl refuses', { proof: new Uint8Array(4) }, /^proof: .*not satisfied/],
  ['no key', { verifyingKey: null }, /^verifying key: /],
  [
    'a damaged key',
    { verifyingKey: { ...serializeKey(key), verifyingKey: 'AAAA' } },
    /^verifying key: .*damaged/,
  ],
  [
    'a key for another model',
    { verifyingKey: serializeKey({ ...key, modelId: `0x${'cd'.repeat(32)}` }) },
    /another model/,
  ],
])('refuses %s', async (_, change, reason) => {
  const verdict = await verifyEzkl({ ...request, ...change } as VerifyRequest)
  expect(verdict).toEqual({ valid: false, reason: expect.stringMatching(reason) })
})

test('a key of another release is no verdict: ezkl must be that one', async () => {
  const verifyingKey = serializeKey({ ...key, release: '1.0.0' })
  await expect(verifyEzkl({ ...request, verifyingKey })).rejects.toMatchObject({
    expected: 'ezkl 1.0.0',
    found: 'this is ezkl 23.0.5',
  })
})

test('the hash of a key covers every member and no detail of compression', () => {
  expect(parseKey(JSON.parse(JSON.stringify(serializeKey(key))))).toEqual({
    ...key,
    verifyingKey: Buffer.from(key.verifyingKey),
  })
  const hashes = [
    key,
    { ...key, modelId: `0x${'cd'.repeat(32)}` as Hex },
    { ...key, proofBytes: 5 },
    { ...key, settings: {} },
    { ...key, verifyingKey: Uint8Array.of(1) },
    { ...key, powers: { ...key.powers, g2: new Uint8Array(256).fill(3) } },
  ].map(keyHash)
  expect(new Set(hashes).size).toBe(hashes.length)
})
