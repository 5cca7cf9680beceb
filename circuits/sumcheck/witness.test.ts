import { readFile } from 'node:fs/promises'
import { fixturePath } from '../../fixtures/golden.js'
import { quantizeOnnx } from '../../model-export/compile-model.js'
import { execute, trace } from '../../model-export/execute.js'
import { silent } from '../../model-export/progress.js'
import { expandSeed } from '../seed-expansion.js'
import { paddedAddresses } from './axes.js'
import { layOutModel } from './layout.js'
import { layOutWitness } from './witness.js'

/** All 1,000 seeds with `npm run test:slow`; otherwise a sample of them. */
const slow = process.env.PLATEMARK_SLOW === '1'

const fixtures = [
  ['sprites/sprites.onnx', slow ? 1000n : 50n],
  ['landscapes/landscapes.onnx', slow ? 1000n : 3n],
] as const

test.each(fixtures)(
  '%s: the pixels in the committed columns are the executor’s, for %s seeds',
  async (file, seeds) => {
    const model = quantizeOnnx(
      await readFile(fixturePath(file)),
      'fixture',
      { profile: 'fidelity', latent: 'normal', toolVersion: 'test' },
      silent,
    )
    const { descriptor } = layOutModel(model, `0x${'00'.repeat(32)}`)
    const { block, rowAxes, columnAxes, channelAxes } = descriptor.image
    const { axes, offset } = descriptor.blocks[block]!
    const cells = descriptor.activation.output + offset
    const addresses = paddedAddresses(axes)
    const { width, channels } = model.image

    // Protocol §3.5: a pixel's place is the composite digits of its row, column and channel axes.
    const pixelOf = Array.from(addresses, (_, element) => {
      const digits: number[] = []
      let rest = element
      for (const size of [...axes].reverse()) {
        digits.unshift(rest % size)
        rest = Math.floor(rest / size)
      }
      const composite = (of: readonly number[]) =>
        of.reduce((value, axis) => value * axes[axis]! + digits[axis]!, 0)
      return (
        (composite(rowAxes) * width + composite(columnAxes)) * channels + composite(channelAxes)
      )
    })

    for (let seed = 0n; seed < seeds; seed++) {
      const latent = expandSeed(seed, model.latent.dimensions)
      const first = layOutWitness(model, descriptor, trace(model, latent))
      const pixels = execute(model, latent)
      const differing = pixelOf.findIndex(
        (pixel, element) => first[cells + addresses[element]!] !== pixels[pixel],
      )
      if (differing >= 0) throw new Error(`seed ${seed}: element ${differing} differs`)
    }
  },
  3_600_000,
)
