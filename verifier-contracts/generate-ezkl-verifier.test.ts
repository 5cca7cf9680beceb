import { keccak256, stringToBytes } from 'viem'
import { compileSolidity } from './compile-solidity.js'
import { generateEzklVerifier } from './generate-ezkl-verifier.js'

/** Stands in for ezkl's contract: as loose with memory as that one. */
const HALO2 = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract Halo2Verifier {
    function verifyProof(bytes calldata proof, uint256[] calldata instances) public returns (bool) {
        assembly {
            let success := eq(0x20, proof.length)
            function ec_mul_acc(ok, scalar) -> ret { ret := ok }
            function ec_add_acc(ok, x, y) -> ret { ret := ok }
            success := ec_mul_acc(success, instances.length)
            if iszero(success) { revert(0, 0) }
            mstore(0x00, 1)
            return(0x00, 0x20)
        }
    }
}`

const options = {
  name: 'sprites',
  modelId: keccak256(stringToBytes('model')),
  latentDimensions: 16,
  pixels: 768,
  proofBytes: 32,
  halo2Source: HALO2,
  verifyingKeyHash: keccak256(stringToBytes('key')),
  insecure: false,
  note: 'ceremony of 3 */ contract Evil {}',
  toolVersion: '0.1.0',
} as const

test('writes an adapter that compiles, and ezkl’s source beside it', async () => {
  const [adapter, halo2, ...more] = await generateEzklVerifier(options)
  expect(more).toEqual([])
  expect(halo2).toEqual({ path: 'Halo2Verifier.sol', source: HALO2 })
  expect(adapter!.path).toBe('SpritesEzklVerifier.sol')
  expect(adapter!.source).not.toContain('*/ contract Evil')
  const inner = await compileSolidity([halo2!], { viaIR: false })
  expect(adapter!.source).toContain(`hex"${inner.bytecode.slice(2)}"`)
  expect(adapter!.source).toContain(keccak256(inner.deployedBytecode))
  const { name, deployedBytecode } = await compileSolidity([adapter!])
  expect(name).toBe('SpritesEzklVerifier')
  // The code of ezkl's contract is in the constructor only.
  expect(deployedBytecode).not.toContain(inner.deployedBytecode.slice(2))
}, 60_000)

test('an insecure key is refused, or named and kept to local chains', async () => {
  await expect(generateEzklVerifier({ ...options, insecure: true })).rejects.toThrow('insecure')
  const [adapter] = await generateEzklVerifier({
    ...options,
    insecure: true,
    allowInsecureSetup: true,
  })
  expect(adapter!.path).toBe('SpritesInsecureDevelopmentEzklVerifier.sol')
  expect(adapter!.source).toContain('block.chainid == 31337')
}, 60_000)

test('what the gas must suffice for grows with the instance and the curve operations', async () => {
  const required = async (change: Partial<typeof options>) => {
    const [adapter] = await generateEzklVerifier({ ...options, ...change })
    return Number(/REQUIRED_GAS = (\d+);/.exec(adapter!.source)?.[1])
  }
  const few = await required({})
  expect(await required({ pixels: 1000 as never })).toBeGreaterThan(few + 200_000)
  const source = HALO2.replace('if iszero', 'success := ec_mul_acc(success, 2)\n if iszero')
  expect(await required({ halo2Source: source as never })).toBe(few + 6_400)
}, 60_000)
