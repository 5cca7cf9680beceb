import { readFileSync } from 'node:fs'
import { bytesToHex, encodeFunctionData, hexToBigInt, keccak256, zeroAddress } from 'viem'
import { requestOfVector, type Vectors } from '../prover/sumcheck/vectors.js'
import {
  type CompiledContract,
  compilePackageContract,
  compileSolidity,
} from './compile-solidity.js'
import {
  type GenerateSumcheckVerifierOptions,
  generateSumcheckVerifier,
} from './generate-sumcheck-verifier.js'
import { openLocalEvm } from './local-evm.js'
import { type TestEngine, testEngine } from './test/sumcheck-engine.js'

const { positive } = JSON.parse(
  readFileSync(new URL('../fixtures/sumcheck/vectors.json', import.meta.url), 'utf8'),
) as Vectors
const byBinding = (binding: string) =>
  positive.find(({ key }) => (key.image as { binding: string }).binding === binding)!

const options = (more: Partial<GenerateSumcheckVerifierOptions> = {}) => ({
  name: 'test model',
  key: byBinding('pixels').key as unknown,
  insecure: false,
  note: 'a test',
  toolVersion: '0.0.0-test',
  ...more,
})

let engine: TestEngine
let contract: CompiledContract

beforeAll(async () => {
  engine = await testEngine()
  contract = await compileSolidity(generateSumcheckVerifier(options()))
}, 300_000)

function call(vector: (typeof positive)[number]) {
  const { seed, image, context, proof } = requestOfVector(vector)
  return encodeFunctionData({
    abi: contract.abi,
    functionName: 'verifyImage',
    args: [hexToBigInt(bytesToHex(seed)), ...[image, context, proof].map((x) => bytesToHex(x))],
  })
}

test.each(['pixels', 'commitment'])('a verifier of %s accepts a proof', async (binding) => {
  const vector = byBinding(binding)
  const compiled = await compileSolidity(generateSumcheckVerifier(options({ key: vector.key })))
  const address = await engine.evm.deploy(compiled, [engine.address])
  const result = await engine.evm.call(address, call(vector), [...compiled.abi, ...engine.abi])
  const image = requestOfVector(vector).image
  const hash = binding === 'pixels' ? keccak256(image) : bytesToHex(image)
  expect(result).toMatchObject({ success: true, output: hash })
  const hasSize = compiled.abi.some((item) => 'name' in item && item.name === 'imageSize')
  expect(hasSize).toBe(binding === 'pixels')
})

test('it says which model, key and proof system it is for', async () => {
  const address = await engine.evm.deploy(contract, [engine.address])
  const read = async (functionName: string) => {
    const data = encodeFunctionData({ abi: contract.abi, functionName })
    const result = await engine.evm.call(address, data, contract.abi)
    return result.success ? result.output : result.reason
  }
  expect(await read('modelId')).toBe(byBinding('pixels').key.modelId)
  expect((await read('proofSystem')).slice(0, 10)).toBe(
    keccak256(new TextEncoder().encode('sumcheck-bn254-v2')).slice(0, 10),
  )
})

test('it hands on the reason of the engine', async () => {
  const address = await engine.evm.deploy(contract, [engine.address])
  const vector = byBinding('pixels')
  const proof = `${vector.proof.slice(0, -2)}${vector.proof.endsWith('00') ? '01' : '00'}`
  const abi = [...contract.abi, ...engine.abi]
  const result = await engine.evm.call(address, call({ ...vector, proof }), abi)
  expect(result).toMatchObject({ success: false, reason: 'InverseInvalid()' })
})

test('it takes no other engine', async () => {
  await expect(engine.evm.deploy(contract, [zeroAddress])).rejects.toThrow('does not deploy')
  const own = await engine.evm.deploy(contract, [engine.address])
  await expect(engine.evm.deploy(contract, [own])).rejects.toThrow('does not deploy')
})

test('a verifier of an insecure key works on local chains only', async () => {
  const insecure = options({ insecure: true, allowInsecureSetup: true })
  const [file] = generateSumcheckVerifier(insecure)
  expect(file!.path).toBe('TestModelInsecureDevelopmentSumcheckVerifier.sol')
  const compiled = await compileSolidity([file!])
  for (const [chainId, works] of [
    [31337n, true],
    [1n, false],
  ] as const) {
    const other = await openLocalEvm({ chainId })
    const at = await other.deploy(await compilePackageContract('SumcheckVerifier'))
    const address = await other.deploy(compiled, [at])
    const abi = [...compiled.abi, ...engine.abi]
    const result = await other.call(address, call(byBinding('pixels')), abi)
    expect(result.success ? 'accepted' : result.reason).toBe(
      works ? 'accepted' : `InsecureSetup(${chainId})`,
    )
  }
})

test('insecure keys, mainnet, malformed and other keys are refused', () => {
  const refuse = (more: Partial<GenerateSumcheckVerifierOptions>, message: RegExp) =>
    expect(() => generateSumcheckVerifier(options(more))).toThrow(message)
  refuse({ insecure: true }, /insecure setup/)
  refuse({ insecure: true, allowInsecureSetup: true, insecureChainIds: [1n] }, /never for mainnet/)
  refuse({ key: { format: 'something' } }, /not one of the sumcheck backend/)
  refuse({ key: { ...byBinding('pixels').key, modelId: 'evil' } }, /model id is malformed/)
})

test('nothing in a name or note leaves its comment', () => {
  const [file] = generateSumcheckVerifier(
    options({ name: 'x"; contract Evil {} //', note: '*/ contract Evil {}\n contract Evil2 {}' }),
  )
  expect(file!.source).not.toMatch(/^\s*contract Evil/m)
  expect(file!.path).toBe('XContractEvilSumcheckVerifier.sol')
})
