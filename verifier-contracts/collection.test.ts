import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Address, keccak256, numberToHex } from 'viem'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { verifyingKeyHash } from '../prover/groth16/verifying-key.js'
import { contextHash } from '../prover/statement.js'
import { type Anvil, startAnvil } from './anvil.js'
import { compileSolidity } from './compile-solidity.js'
import { type ChainWriter, connect, connectWithKey } from './connect.js'
import { type DeployedCollection, deployCollection } from './deploy.js'
import { generateGroth16Verifier } from './generate-groth16-verifier.js'
import { type MintOptions, mint } from './mint.js'
import { readToken } from './read-token.js'
import { NARROW, publicInputs, TEST_MODEL_ID } from './test/generated-files.js'
import { knownKey } from './test/known-key.js'
import { tokenIdOf } from './token-id.js'

const key = knownKey(3)
const image = numberToHex(0xd16e57, { size: 32 })
const circuitHash = keccak256('0x01')
const recipient: Address = '0x00000000000000000000000000000000000A11cE'

const verifierOptions = {
  name: 'sprites',
  modelId: TEST_MODEL_ID,
  latentDimensions: NARROW,
  verifyingKey: key.verifyingKey,
  verifyingKeyHash: verifyingKeyHash(key.verifyingKey),
  insecure: true,
  note: 'for tests',
  toolVersion: '0.0.0-test',
  allowInsecureSetup: true,
}
const verifierFiles = generateGroth16Verifier(verifierOptions)

let anvil: Anvil
let chain: ChainWriter
let deployed: DeployedCollection

beforeAll(async () => {
  anvil = await startAnvil()
  chain = await connectWithKey({ rpcUrl: anvil.rpcUrl, privateKey: anvil.privateKeys[0]! })
  deployed = await deployCollection(chain, {
    verifierFiles,
    modelId: TEST_MODEL_ID,
    circuitHash,
    modelUri: 'ipfs://model',
    insecure: true,
    collection: { name: 'Sprites "16"', symbol: 'SPR', description: 'Small pictures.' },
  })
}, 240_000)

afterAll(async () => {
  await anvil?.stop()
})

function mintOptions(seed: bigint, changes: Partial<MintOptions> = {}): MintOptions {
  const context = contextHash(
    { chainId: 31337n, contract: deployed.collection.address, recipient },
    TEST_MODEL_ID,
  )
  return {
    collection: deployed.collection.address,
    recipient,
    modelId: TEST_MODEL_ID,
    seed,
    image,
    proof: key.prove(publicInputs(BigInt(image), seed, NARROW, context)),
    insecure: true,
    ...changes,
  }
}

async function refusal(run: Promise<unknown>): Promise<PlatemarkError> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(PlatemarkError)
  return error as PlatemarkError
}

test('deploys all contracts and says what they cost', () => {
  expect(deployed.modelId).toBe(TEST_MODEL_ID)
  expect(deployed.verifyingKeyHash).toBe(verifierOptions.verifyingKeyHash)
  expect(deployed.verifier.gas).toBeLessThan(1_300_000n)
  expect(deployed.registry.gas).toBeLessThan(900_000n)
  expect(deployed.registration.gas).toBeLessThan(220_000n)
  expect(deployed.collection.gas).toBeLessThan(4_000_000n)
  expect(deployed.totalGas).toBeLessThan(6_000_000n)
})

test('refuses a registry with other code, which could replace verifiers later', async () => {
  const code = await chain.publicClient.getCode({ address: deployed.registry.address })
  const registry: Address = '0x00000000000000000000000000000000000bad00'
  await chain.publicClient.request<{
    Method: 'anvil_setCode'
    Parameters: [Address, string]
    ReturnType: null
  }>({ method: 'anvil_setCode', params: [registry, `${code}00`] })
  const error = await refusal(
    deployCollection(chain, {
      verifierFiles,
      modelId: TEST_MODEL_ID,
      circuitHash,
      insecure: true,
      registry,
      collection: { name: 'Sprites', symbol: 'SPR' },
    }),
  )
  expect(error.shortMessage).toContain('not a ModelRegistry')
})

test('refuses an engine for a verifier that runs on none', async () => {
  const error = await refusal(
    deployCollection(chain, {
      verifierFiles,
      modelId: TEST_MODEL_ID,
      circuitHash,
      insecure: true,
      engine: deployed.registry.address,
      collection: { name: 'Sprites', symbol: 'SPR' },
    }),
  )
  expect(error.shortMessage).toContain('no engine')
})

test('mints with a proof and reads the token back', async () => {
  const minted = await mint(chain, mintOptions(42n))
  expect(minted.tokenId).toBe(tokenIdOf(TEST_MODEL_ID, 42n))
  expect(minted.imageHash).toBe(image)
  expect(minted.gas).toBeLessThan(420_000n)

  const reader = await connect({ rpcUrl: anvil.rpcUrl, chainId: 31337n })
  const token = await readToken(reader, {
    collection: deployed.collection.address,
    tokenId: minted.tokenId,
  })
  expect(token).toMatchObject({
    chainId: 31337n,
    collectionName: 'Sprites "16"',
    owner: recipient,
    modelId: TEST_MODEL_ID,
    seed: 42n,
    imageHash: image,
    registryId: deployed.registration.registryId,
    deprecated: false,
    commitment: {
      modelHash: TEST_MODEL_ID,
      circuitHash,
      vkHash: verifierOptions.verifyingKeyHash,
      proofSystemId: '0x0550d137',
      uri: 'ipfs://model',
    },
    verifier: {
      address: expect.stringMatching(new RegExp(deployed.verifier.address, 'i')),
      modelId: TEST_MODEL_ID,
      verifyingKeyHash: verifierOptions.verifyingKeyHash,
      proofSystem: '0x0550d137',
      insecureSetup: true,
    },
  })
  expect(token.metadata).toMatchObject({
    name: 'Sprites "16" 42',
    description: 'Small pictures.',
    aigc_type: 'image',
    aigc_data: image,
    proof_type: 'validity',
  })
  // What an auditor does: compile the source and compare it with the code on chain.
  const { deployedBytecode } = await compileSolidity(verifierFiles)
  expect(token.verifier.codeHash).toBe(keccak256(deployedBytecode))
})

test('what the contract refuses is an error with its reason, and costs nothing', async () => {
  const address = chain.walletClient.account.address
  const before = await chain.publicClient.getTransactionCount({ address })
  const cases: readonly (readonly [MintOptions, string])[] = [
    [mintOptions(1n, { seed: 2n }), 'ProofInvalid()'],
    [mintOptions(1n, { recipient: address }), 'ProofInvalid()'],
    [mintOptions(1n, { image: numberToHex(1, { size: 32 }) }), 'ProofInvalid()'],
    [mintOptions(1n, { image: '0x' }), 'ImageLengthInvalid(0, 32)'],
    [mintOptions(1n, { proof: new Uint8Array(0) }), 'ProofLengthInvalid(0, 256)'],
    [mintOptions(1n, { proof: new Uint8Array(256) }), 'PointNotOnCurve(0)'],
    [mintOptions(1n, { modelId: circuitHash }), `ModelNotAdmitted(${circuitHash})`],
  ]
  for (const [options, reason] of cases)
    expect((await refusal(mint(chain, options))).found).toBe(reason)
  await mint(chain, mintOptions(7n))
  const replayed = await refusal(mint(chain, mintOptions(7n)))
  expect(replayed.found).toBe(`AlreadyMinted(${tokenIdOf(TEST_MODEL_ID, 7n)})`)
  expect(replayed.fix).toContain('another seed')
  expect(await chain.publicClient.getTransactionCount({ address })).toBe(before + 1)
})

test('reading what is not there is an error that says so', async () => {
  const missing = await refusal(
    readToken(chain, { collection: deployed.collection.address, tokenId: 1n }),
  )
  expect(missing.found).toBe('ERC721NonexistentToken(1)')
  const empty = await refusal(readToken(chain, { collection: recipient, tokenId: 1n }))
  expect(empty.shortMessage).toContain('does not answer')
  const other = await refusal(
    readToken(chain, { collection: deployed.registry.address, tokenId: 1n }),
  )
  expect(other.shortMessage).toContain('read the token')
})

test('a verifier of another model is not put into service', async () => {
  const error = await refusal(
    deployCollection(chain, {
      verifierFiles,
      modelId: circuitHash,
      circuitHash,
      insecure: true,
      collection: { name: 'x', symbol: 'x' },
    }),
  )
  expect(error.shortMessage).toContain('another model')
})

test('an account without funds is told so', async () => {
  const poor = await connectWithKey({ rpcUrl: anvil.rpcUrl, privateKey: generatePrivateKey() })
  const error = await refusal(mint(poor, mintOptions(9n)))
  expect(error.shortMessage).toContain('cannot pay')
})

test('an insecure setup is refused on another chain before anything is sent', async () => {
  const elsewhere = { ...chain, chainId: 1n }
  expect((await refusal(mint(elsewhere, mintOptions(3n)))).shortMessage).toContain('insecure')
  const error = await refusal(
    deployCollection(elsewhere, {
      verifierFiles,
      modelId: TEST_MODEL_ID,
      circuitHash,
      insecure: true,
      collection: { name: 'x', symbol: 'x' },
    }),
  )
  expect(error.shortMessage).toContain('insecure')
})

test('on another chain the insecure verifier refuses even when forced', async () => {
  const testnet = await startAnvil({ chainId: 11155111n })
  try {
    const writer = await connectWithKey({
      rpcUrl: testnet.rpcUrl,
      privateKey: testnet.privateKeys[0]!,
    })
    const there = await deployCollection(writer, {
      verifierFiles,
      modelId: TEST_MODEL_ID,
      circuitHash,
      insecure: true,
      allowInsecureSetup: true,
      collection: { name: 'x', symbol: 'x' },
    })
    const error = await refusal(
      mint(
        writer,
        mintOptions(3n, { collection: there.collection.address, allowInsecureSetup: true }),
      ),
    )
    expect(error.found).toBe('InsecureSetup(11155111)')
  } finally {
    await testnet.stop()
  }
})

test('endpoints that do not serve are told apart', async () => {
  const closed = await refusal(connect({ rpcUrl: 'http://127.0.0.1:9' }))
  expect(closed.shortMessage).toContain('does not answer')
  expect((await refusal(connect({ rpcUrl: 'ftp://x' }))).shortMessage).toContain('malformed')
  const wrong = await refusal(connect({ rpcUrl: anvil.rpcUrl, chainId: 1n }))
  expect(wrong.expected).toBe('chain id 1')
  expect(wrong.found).toBe('chain id 31337')

  const server = createServer((_, response) => response.end('<html>not JSON-RPC</html>'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo
    await refusal(connect({ rpcUrl: `http://127.0.0.1:${port}` }))
  } finally {
    server.close()
  }
})

test('a malformed private key is not repeated in the error', async () => {
  const secret = `0x${'zz'.repeat(32)}` as const
  const error = await refusal(connectWithKey({ rpcUrl: anvil.rpcUrl, privateKey: secret }))
  expect(error.message).not.toContain('zz')
  expect(privateKeyToAddress(anvil.privateKeys[1]!)).toBe(
    '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  )
})
