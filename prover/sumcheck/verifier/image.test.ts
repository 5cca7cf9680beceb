import type { SumcheckDescriptor } from '../../../circuits/sumcheck/descriptor.js'
import { imageClaim, packPixels } from './image.js'
import { blockIn, regionsOf } from './regions.js'
import { mod, power } from './scalar-field.js'
import { Cells, cellsOf, leftSide, randomScalars } from './test-cells.js'
import { testKey } from './test-key.js'

test.each(['pixels', 'commitment'] as const)(
  'the image claim holds of an image by %s',
  (binding) => {
    const random = randomScalars(9n)
    const [z] = random(1) as [bigint]
    for (const columnBits of [4, 9]) {
      // 5 × 7 × 3: two words a row, the second not full.
      const key: SumcheckDescriptor = {
        ...testKey(columnBits),
        blocks: [
          { space: 'latent', offset: 0, axes: [3] },
          { space: 'activation', offset: 0, axes: [7, 3, 5] },
        ],
        image: {
          ...{ binding, height: 5, width: 7, channels: 3, block: 1 },
          ...{ rowAxes: [2], columnAxes: [0], channelAxes: [1] },
        },
      }
      const block = key.blocks[1]!
      const pixels = Uint8Array.from(random(105), (value) => Number(value % 256n))
      const cells = new Cells(key)
      const image = cellsOf(block, ([w, c, h]) => BigInt(pixels[(h! * 7 + w!) * 3 + c!]!))
      cells.write(blockIn(regionsOf(key).output, block), image)
      const polynomial = pixels.reduce((sum, byte, o) => mod(sum + BigInt(byte) * power(z, o)), 0n)
      const words = Array.from({ length: 10 }, (_, i) => {
        const row = pixels.subarray(21 * Math.floor(i / 2), 21 * Math.floor(i / 2) + 21)
        const bytes = [...row.subarray(16 * (i % 2)), ...new Uint8Array(16)].slice(0, 16)
        return bytes.reduce((word, byte) => word * 256n + BigInt(byte), 0n)
      })
      const packed = words.reduce((sum, word, i) => mod(sum + word * power(z, i)), 0n)
      expect(packPixels(key, pixels, z)).toBe(packed)
      const claim = imageClaim(key, z, binding === 'pixels' ? packed : polynomial)
      expect(leftSide(cells, claim)).toBe(claim.value)
      cells.groups.first[blockIn(regionsOf(key).output, block).offset]! += 1n
      expect(leftSide(cells, claim)).not.toBe(claim.value)
    }
  },
)
