import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileSolidity } from './compile-solidity.js'
import { packageRoot } from './package-root.js'

test('a source that does not compile is one error with the compiler’s words', async () => {
  await expect(
    compileSolidity([{ path: 'Broken.sol', source: 'contract Broken { uint256 x = true; }' }]),
  ).rejects.toThrow(/Broken\.sol does not compile[\s\S]*TypeError/)
})

test('a missing import is named', async () => {
  await expect(
    compileSolidity([{ path: 'A.sol', source: 'import {B} from "./B.sol"; contract A {}' }]),
  ).rejects.toThrow(/import B\.sol is missing/)
})

test('no import reaches outside the given files and OpenZeppelin', async () => {
  for (const path of ['/etc/passwd', '../../../package.json', '@noble/curves/package.json'])
    await expect(
      compileSolidity([{ path: 'A.sol', source: `import "${path}"; contract A {}` }]),
    ).rejects.toThrow('is missing')
})

test('a file without the contract of its name is refused', async () => {
  await expect(
    compileSolidity([{ path: 'A.sol', source: 'pragma solidity ^0.8.28; contract B {}' }]),
  ).rejects.toThrow('no contract A')
})

test('the example in the README compiles', async () => {
  const folder = join(packageRoot(), 'verifier-contracts')
  const readme = readFileSync(join(folder, 'README.md'), 'utf8')
  const example = /```solidity\n([\s\S]*?)```/.exec(readme)?.[1]
  const { abi } = await compileSolidity([
    {
      path: 'Raffle.sol',
      source: `pragma solidity ^0.8.28;\n${example?.replaceAll('"platemark/', '"./')}`,
    },
    ...['IImageVerifier.sol', 'PlatemarkContext.sol'].map((path) => ({
      path,
      source: readFileSync(join(folder, 'src', path), 'utf8'),
    })),
  ])
  expect(abi.map((item) => ('name' in item ? item.name : item.type))).toContain('enter')
})
