import { writeFileSync } from 'node:fs'
import { buildOnnx, type NodeSpec, type TensorSpec } from '../model-export/onnx/build-onnx.js'
import { randomFrom } from './random-model.js'

/** What a stage of the generator makes: channels at a size, from the stage before. */
type Stage = { readonly size: number; readonly channels: number }

/** A DCGAN for 256 × 256 pixels: 19.6 million weights, 5.4 million activations. */
export const STAGES: readonly Stage[] = [
  { size: 4, channels: 1024 },
  { size: 8, channels: 512 },
  { size: 16, channels: 512 },
  { size: 32, channels: 256 },
  { size: 64, channels: 128 },
  { size: 128, channels: 64 },
  { size: 256, channels: 48 },
]

/**
 * A generator of the DCGAN's shape with random weights, as an ONNX file: `latents` numbers, transposed
 * convolutions that double the picture, a convolution to three colours.
 *
 * @param latents - numbers that the picture is made of
 * @param stages - the first one at the size of its kernel, every other one at twice the size before
 * @example
 * makeGenerator(256, STAGES).length // 78 MB
 */
export function makeGenerator(latents: number, stages: readonly Stage[]): Uint8Array {
  const random = randomFrom(latents)
  const initializers: Record<string, TensorSpec> = {}
  const nodes: NodeSpec[] = []
  const ints = (...values: readonly number[]) => ({ ints: values })
  // He initialization, so that activations neither vanish nor grow.
  const weight = (name: string, shape: readonly number[], fanIn: number) => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
    for (let i = 0; i < data.length; i++)
      data[i] = (random.integer(-32_767, 32_767) / 32_767) * Math.sqrt(6 / fanIn)
    initializers[name] = { shape, data }
    return name
  }
  initializers.shape = { dtype: 'int64', shape: [4], data: [1, latents, 1, 1] }
  nodes.push({ operator: 'Reshape', inputs: ['latent', 'shape'], outputs: ['stage'] })
  let from = { name: 'stage', channels: latents }
  stages.forEach(({ size, channels }, i) => {
    const name = `stage${size}`
    // The first kernel meets one position, the others four times as many inputs as an output has.
    const [fanIn, strides, pads] = i === 0 ? [from.channels, 1, 0] : [4 * from.channels, 2, 1]
    const kernel = i === 0 ? size : 4
    nodes.push(
      {
        operator: 'ConvTranspose',
        inputs: [
          from.name,
          weight(`${name}.weight`, [from.channels, channels, kernel, kernel], fanIn),
        ],
        outputs: [`${name}.sum`],
        attributes: { strides: ints(strides, strides), pads: ints(pads, pads, pads, pads) },
      },
      { operator: 'Relu', inputs: [`${name}.sum`], outputs: [name] },
    )
    from = { name, channels }
  })
  nodes.push(
    {
      operator: 'Conv',
      inputs: [from.name, weight('colours.weight', [3, from.channels, 3, 3], 9 * from.channels)],
      outputs: ['colours'],
      attributes: { pads: ints(1, 1, 1, 1) },
    },
    { operator: 'Sigmoid', inputs: ['colours'], outputs: ['image'] },
  )
  return buildOnnx({ inputs: { latent: [1, latents] }, outputs: ['image'], initializers, nodes })
}

if (process.argv[1]?.endsWith('make-generator.js')) {
  const path = process.argv[2] ?? 'generator.onnx'
  writeFileSync(path, makeGenerator(256, STAGES))
  process.stdout.write(`${path}\n`)
}
