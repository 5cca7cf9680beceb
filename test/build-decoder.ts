import { buildOnnx, type NodeSpec, type TensorSpec } from '../model-export/onnx/build-onnx.js'
import { randomFrom } from './random-model.js'

/**
 * A generator of the usual shape with random weights, as an ONNX file: 32 latents, 4 · width channels
 * at 4 × 4, halved while the picture doubles, to 32 × 32 × 3.
 *
 * @param width - channels of the last hidden layer
 * @example
 * buildDecoder(16).length
 */
export function buildDecoder(width: number): Uint8Array {
  const random = randomFrom(width)
  const initializers: Record<string, TensorSpec> = {}
  // He initialization, so that activations neither vanish nor grow.
  const weight = (name: string, shape: readonly number[], fanIn: number) => {
    const data = Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => (random.integer(-1000, 1000) / 1000) * Math.sqrt(6 / fanIn),
    )
    initializers[name] = { shape, data }
    return name
  }
  const up = (input: string, output: string, from: number, to: number): NodeSpec => ({
    operator: 'ConvTranspose',
    inputs: [input, weight(`${output}.weight`, [from, to, 4, 4], 4 * from)],
    outputs: [output],
    attributes: { strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] } },
  })
  const relu = (input: string, output: string): NodeSpec => ({
    operator: 'Relu',
    inputs: [input],
    outputs: [output],
  })
  initializers.shape = { dtype: 'int64', shape: [4], data: [1, 4 * width, 4, 4] }
  return buildOnnx({
    inputs: { latent: [1, 32] },
    outputs: ['image'],
    initializers,
    nodes: [
      {
        operator: 'MatMul',
        inputs: ['latent', weight('fc', [32, 64 * width], 32)],
        outputs: ['a'],
      },
      relu('a', 'b'),
      { operator: 'Reshape', inputs: ['b', 'shape'], outputs: ['c'] },
      up('c', 'd', 4 * width, 2 * width),
      relu('d', 'e'),
      up('e', 'f', 2 * width, width),
      relu('f', 'g'),
      up('g', 'h', width, 3),
      { operator: 'Sigmoid', inputs: ['h'], outputs: ['image'] },
    ],
  })
}
