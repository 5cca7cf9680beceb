import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Address, type Hex, hexToBytes } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { type DemoResult, runDemo } from '../cli/run-demo.js'
import { openTerminal } from '../cli/terminal.js'
import { auditToken } from '../prover/audit-token.js'
import { findBackend } from '../prover/backends.js'
import { circuitHash } from '../prover/circuit-hash.js'
import { verifyBundle } from '../prover/provenance.js'
import { type Anvil, startAnvil } from '../verifier-contracts/anvil.js'
import { type ChainWriter, connectWithKey } from '../verifier-contracts/connect.js'
import { deployCollection } from '../verifier-contracts/deploy.js'
import { type MintOptions, mint } from '../verifier-contracts/mint.js'
import { readToken } from '../verifier-contracts/read-token.js'
import { tokenIdOf } from '../verifier-contracts/token-id.js'

/*
 * The whole flow, once, with the fixture's real circuit and a real proof; then every way to misuse that
 * proof on a chain. Addresses on a fresh anvil depend on the deployer and its nonce only, so the proof
 * that the demo made for its chain is for the contract that is deployed here.
 */

const SCALAR_MODULUS = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001n
const BASE_MODULUS = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47n

let folder: string
let demo: DemoResult
let anvil: Anvil
let chain: ChainWriter
let honest: MintOptions

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'platemark-pipeline-'))
  const quiet = { write: () => true }
  demo = await runDemo(folder, openTerminal(true, { out: quiet, err: quiet }))
  anvil = await startAnvil()
  chain = await connectWithKey({ rpcUrl: anvil.rpcUrl, privateKey: anvil.privateKeys[0]! })
  const collection = await deployFixture(chain)
  const { statement, proof } = demo.bundle
  honest = {
    collection,
    recipient: statement.context.recipient,
    modelId: statement.modelId,
    seed: statement.seed,
    image: statement.imageHash,
    proof: hexToBytes(proof),
    insecure: true,
  }
}, 600_000)

afterAll(async () => {
  await anvil?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function deployFixture(on: ChainWriter): Promise<Address> {
  const { plate } = demo
  const backend = findBackend('groth16')
  const { collection } = await deployCollection(on, {
    verifierFiles: await backend.solidity(plate, { allowInsecureSetup: true }),
    modelId: plate.modelId,
    circuitHash: await circuitHash(plate, backend),
    insecure: true,
    collection: { name: 'Sprites', symbol: 'SPRITE' },
  })
  return collection.address
}

const hex32 = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`

/** The proof with one of its eight words changed. */
function withWord(index: number, change: (word: bigint) => bigint): Uint8Array {
  const proof = honest.proof.slice()
  const word = BigInt(`0x${Buffer.from(proof.slice(32 * index, 32 * index + 32)).toString('hex')}`)
  proof.set(hexToBytes(hex32(change(word))), 32 * index)
  return proof
}

test('the demo mints seed 42 and its audit passes every check', () => {
  const { audited, minted, bundle } = demo
  expect(audited.valid).toBe(true)
  expect(audited.checks.filter(({ result }) => result !== 'passed')).toEqual([])
  expect(bundle.statement.seed).toBe(42n)
  expect(minted.imageHash).toBe(bundle.statement.imageHash)
})

test('the demo leaves its artefacts and nothing half-written', async () => {
  expect((await readdir(folder)).sort()).toEqual([
    'sprite-42.png',
    'sprite-42.provenance.json',
    'sprites.plate',
  ])
})

test('the contract that is deployed here is the one that the proof is for', () => {
  expect(honest.collection.toLowerCase()).toBe(demo.bundle.statement.context.contract)
})

describe('the chain refuses', () => {
  const refused = async (changes: Partial<MintOptions>, reason: RegExp) => {
    await expect(mint(chain, { ...honest, ...changes })).rejects.toThrow(reason)
  }

  test('another image', () => refused({ image: hex32(BigInt(honest.image) ^ 1n) }, /ProofInvalid/))
  test('another seed', () => refused({ seed: 43n }, /ProofInvalid/))
  test('another recipient, as a front-runner would put', () => {
    const recipient = privateKeyToAccount(anvil.privateKeys[5]!).address
    return refused({ recipient }, /ProofInvalid/)
  })
  test('another model', () => refused({ modelId: hex32(7n) }, /ModelNotAdmitted/))
  test('the digest plus the scalar modulus', () =>
    refused({ image: hex32(BigInt(honest.image) + SCALAR_MODULUS) }, /PublicInputNotCanonical/))
  test.each([0, 1, 2, 3, 4, 5, 6, 7])('coordinate %i plus the base modulus', (index) =>
    refused({ proof: withWord(index, (word) => word + BASE_MODULUS) }, /CoordinateNotCanonical/),
  )
  test.each([0, 1, 2, 3, 4, 5, 6, 7])('coordinate %i plus one', (index) =>
    refused({ proof: withWord(index, (word) => word + 1n) }, /PointNotOnCurve/),
  )
  test('a truncated proof', () =>
    refused({ proof: honest.proof.slice(0, 255) }, /ProofLengthInvalid/))
  test('an extended proof', () =>
    refused({ proof: Uint8Array.of(...honest.proof, 0) }, /ProofLengthInvalid/))
  test('an empty proof', () => refused({ proof: new Uint8Array() }, /ProofLengthInvalid/))
  test('an image that is no digest', () => refused({ image: '0x1234' }, /ImageLengthInvalid/))

  test('the proof in another contract', async () => {
    const collection = await deployFixture(chain)
    await refused({ collection }, /ProofInvalid/)
  })

  test('the proof on another chain', async () => {
    const other = await startAnvil({ chainId: 1337n })
    try {
      const on = await connectWithKey({ rpcUrl: other.rpcUrl, privateKey: other.privateKeys[0]! })
      const collection = await deployFixture(on)
      expect(collection).toBe(honest.collection)
      await expect(mint(on, { ...honest, collection })).rejects.toThrow(/ProofInvalid/)
    } finally {
      await other.stop()
    }
  })

  test('a second token of the same model and seed', async () => {
    await mint(chain, honest)
    await refused({}, /AlreadyMinted/)
  })
})

test('every altered byte of the proof is refused locally', async () => {
  const { bundle, bundlePath } = demo
  const proof = hexToBytes(bundle.proof)
  for (let at = 0; at < proof.length; at += 17) {
    const altered = proof.slice()
    altered[at] = altered[at]! ^ 0x20
    const forged = { ...bundle, proof: `0x${Buffer.from(altered).toString('hex')}` as Hex }
    expect((await verifyBundle(forged, bundlePath)).valid).toBe(false)
  }
})

test('an audit compares the contracts’ code, not what they say', async () => {
  const { bundle, plate } = demo
  const { modelId, seed } = bundle.statement
  const { collection } = honest
  const { publicClient } = chain
  const failed = async () =>
    (await auditToken(bundle, plate, { rpcUrl: anvil.rpcUrl }))
      .filter(({ result }) => result !== 'passed')
      .map(({ name }) => name)
  const tokenId = tokenIdOf(modelId, seed)
  await mint(chain, honest).catch(() => 'minted before')
  expect(await failed()).toEqual([])

  const { registry, verifier } = await readToken(chain, { collection, tokenId })
  const addresses = { 'verifier code': verifier.address, 'registry code': registry }
  for (const [name, address] of Object.entries({ ...addresses, 'collection code': collection })) {
    const code = await publicClient.getCode({ address })
    const setCode = (to: Hex) =>
      publicClient.request<{
        Method: 'anvil_setCode'
        Parameters: [Address, Hex]
        ReturnType: null
      }>({ method: 'anvil_setCode', params: [address, to] })
    await setCode(`${code!}00`)
    expect(await failed()).toEqual([name])
    await setCode(code!)
  }
})
