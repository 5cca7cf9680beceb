import { encodeFunctionData, keccak256, numberToHex, parseAbi } from 'viem'
import { verifyingKeyHash } from '../prover/groth16/verifying-key.js'
import { startAnvil } from './anvil.js'
import { compileSolidity } from './compile-solidity.js'
import { connectWithKey } from './connect.js'
import { generateGroth16Verifier } from './generate-groth16-verifier.js'
import { openLocalEvm } from './local-evm.js'
import { NARROW, publicInputs, TEST_MODEL_ID } from './test/generated-files.js'
import { knownKey } from './test/known-key.js'

const key = knownKey(3)
const verifier = compileSolidity(
  generateGroth16Verifier({
    name: 'sprites',
    modelId: TEST_MODEL_ID,
    latentDimensions: NARROW,
    verifyingKey: key.verifyingKey,
    verifyingKeyHash: verifyingKeyHash(key.verifyingKey),
    insecure: true,
    note: 'for tests',
    toolVersion: '0.0.0-test',
    allowInsecureSetup: true,
  }),
)
const context = keccak256('0x0c')
const image = numberToHex(0xd16e57, { size: 32 })
const abi = parseAbi([
  'function verifyImage(uint256 seed, bytes image, bytes32 context, bytes proof) view returns (bytes32)',
])

function verifyImage(seed: bigint): `0x${string}` {
  const proof = key.prove(publicInputs(BigInt(image), 42n, NARROW, context))
  return encodeFunctionData({
    abi,
    functionName: 'verifyImage',
    args: [seed, image, context, `0x${Buffer.from(proof).toString('hex')}`],
  })
}

test('a call gives what a chain gives, for the same gas', async () => {
  const compiled = await verifier
  const evm = await openLocalEvm()
  const data = verifyImage(42n)
  const result = await evm.call(await evm.deploy(compiled), data, compiled.abi)
  expect(result).toMatchObject({ success: true, output: image })

  const anvil = await startAnvil()
  try {
    const chain = await connectWithKey({ rpcUrl: anvil.rpcUrl, privateKey: anvil.privateKeys[0]! })
    const { bytecode } = compiled
    const deployed = await chain.walletClient.deployContract({ abi: compiled.abi, bytecode })
    const wait = (hash: `0x${string}`) => chain.publicClient.waitForTransactionReceipt({ hash })
    const { contractAddress } = await wait(deployed)
    const hash = await chain.walletClient.sendTransaction({ to: contractAddress!, data })
    expect(result.gas.transaction).toBe((await wait(hash)).gasUsed)
  } finally {
    await anvil.stop()
  }
}, 120_000)

test('a refusal has the name of the custom error, with its arguments', async () => {
  const compiled = await verifier
  const evm = await openLocalEvm()
  const address = await evm.deploy(compiled)
  const refused = await evm.call(address, verifyImage(43n), compiled.abi)
  expect(refused).toMatchObject({ success: false, reason: 'ProofInvalid()' })
  const unknown = await evm.call(address, '0x12345678', compiled.abi)
  expect(unknown).toMatchObject({ success: false, reason: 'revert' })
})

test('contracts see the chain id that is asked for', async () => {
  const compiled = await verifier
  const evm = await openLocalEvm({ chainId: 1n })
  const result = await evm.call(await evm.deploy(compiled), verifyImage(42n), compiled.abi)
  expect(result).toMatchObject({ success: false, reason: 'InsecureSetup(1)' })
})

test('calldata has a least price', async () => {
  const compiled = await verifier
  const evm = await openLocalEvm()
  const data = `0x12345678${'ff'.repeat(9996)}00` as const
  const { gas } = await evm.call(await evm.deploy(compiled), data, compiled.abi)
  expect(gas.calldata).toBe(16n * 10_000n + 4n)
  expect(gas.transaction).toBe(21_000n + 40n * 10_000n + 10n)
})
