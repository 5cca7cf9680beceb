import { decodeFunctionResult, encodeFunctionData, hexToBytes, toHex } from 'viem'
import { decodePng } from '../circuits/png.js'
import { displayFlaw } from '../circuits/png-display.js'
import { compilePackageSource } from './compile-solidity.js'
import { type LocalEvm, openLocalEvm } from './local-evm.js'

/** The library as a contract. */
const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;
import {PngImage} from "./PngImage.sol";
contract PngFile {
    function encode(bytes memory samples, uint256 height, uint256 width, uint256 channels)
        external pure returns (bytes memory)
    {
        return PngImage.encode(samples, height, width, channels);
    }
}
`

type Size = { readonly height: number; readonly width: number; readonly channels: number }

let evm: LocalEvm
let contract: Awaited<ReturnType<typeof compilePackageSource>>
let address: `0x${string}`

beforeAll(async () => {
  contract = await compilePackageSource({ path: 'PngFile.sol', source: SOURCE })
  evm = await openLocalEvm()
  address = await evm.deploy(contract)
}, 120_000)

async function encode(samples: Uint8Array, { height, width, channels }: Size) {
  const { abi } = contract
  const args = [toHex(samples), BigInt(height), BigInt(width), BigInt(channels)]
  const result = await evm.call(
    address,
    encodeFunctionData({ abi, functionName: 'encode', args }),
    abi,
  )
  if (!result.success) return result
  const file = decodeFunctionResult({ abi, functionName: 'encode', data: result.output })
  return { ...result, file: hexToBytes(file as `0x${string}`) }
}

/** Samples of every value, in no order that a filter or a checksum might be blind to. */
function pattern({ height, width, channels }: Size): Uint8Array {
  return Uint8Array.from(
    { length: height * width * channels },
    (_, i) => (i * i * 167 + 13 * i) >> 3,
  )
}

test.each([
  { height: 1, width: 1, channels: 1 },
  { height: 28, width: 28, channels: 1 },
  { height: 3, width: 5, channels: 3 },
  { height: 64, width: 64, channels: 3 },
  { height: 7, width: 300, channels: 4 },
  { height: 300, width: 1, channels: 4 },
])(
  'a PNG of $height×$width×$channels made by the contract decodes to the same samples',
  async (size) => {
    const samples = pattern(size)
    const result = await encode(samples, size)
    if (!('file' in result)) throw new Error('refused')
    expect(displayFlaw(result.file)).toBeUndefined()
    const { pixels, ...found } = await decodePng(result.file)
    expect(found).toEqual(size)
    expect(pixels).toEqual(samples)
  },
  60_000,
)

test('black and white images have their own checksums', async () => {
  for (const value of [0, 255]) {
    const size = { height: 90, width: 90, channels: 3 }
    const samples = new Uint8Array(90 * 90 * 3).fill(value)
    const result = await encode(samples, size)
    if (!('file' in result)) throw new Error('refused')
    expect((await decodePng(result.file)).pixels).toEqual(samples)
  }
}, 60_000)

test('what is no image is refused', async () => {
  const reason = async (samples: number, height: number, width: number, channels: number) => {
    const result = await encode(new Uint8Array(samples), { height, width, channels })
    return result.success ? 'accepted' : result.reason
  }
  expect(await reason(11, 2, 2, 3)).toBe('SampleCountInvalid(11, 12)')
  expect(await reason(0, 0, 2, 3)).toBe('SampleCountInvalid(0, 0)')
  expect(await reason(8, 2, 2, 2)).toBe('ChannelsUnsupported(2)')
  expect(await reason(65_535, 1, 65_535, 1)).toBe('ImageTooLarge(65536, 65535)')
})
