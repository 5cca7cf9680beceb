import { isCode } from './compare-code.js'
import type { CompiledContract } from './compile-solidity.js'

const contract: CompiledContract = {
  name: 'C',
  abi: [],
  bytecode: '0x',
  deployedBytecode: '0x6001000000006002',
  immutables: [{ start: 2, length: 4 }],
}

test('code is compared byte for byte, but for immutables', () => {
  expect(isCode('0x6001000000006002', contract)).toBe(true)
  expect(isCode('0x6001deadbeef6002', contract)).toBe(true)
  expect(isCode('0x6001deadbeef6003', contract)).toBe(false)
  expect(isCode('0x6000deadbeef6002', contract)).toBe(false)
})

test('code that is longer, shorter or absent is another', () => {
  for (const code of ['0x', '0x60', '0x6001deadbe', '0x6001deadbeef600200'] as const)
    expect(isCode(code, contract)).toBe(false)
})
