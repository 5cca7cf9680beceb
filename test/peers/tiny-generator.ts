import { buildOnnx, type TensorSpec } from '../../model-export/onnx/build-onnx.js'
import { randomFrom } from '../random-model.js'

/**
 * The smallest thing that deserves the name of a generator: 4 latents, a dense layer with ReLU, a
 * transposed convolution with sigmoid, 8 × 8 × 1 pixels. Random weights.
 *
 * @example
 * buildTinyGenerator().length
 */
export function buildTinyGenerator(): Uint8Array {
  const random = randomFrom(1)
  const weights = (shape: readonly number[], size: number): TensorSpec => ({
    shape,
    data: Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => (random.integer(-1000, 1000) / 1000) * size,
    ),
  })
  return buildOnnx({
    inputs: { latent: [1, 4] },
    outputs: ['image'],
    initializers: {
      dense: weights([4, 128], 1),
      shape: { dtype: 'int64', shape: [4], data: [1, 8, 4, 4] },
      kernel: weights([8, 1, 4, 4], 0.5),
    },
    nodes: [
      { operator: 'MatMul', inputs: ['latent', 'dense'], outputs: ['a'] },
      { operator: 'Relu', inputs: ['a'], outputs: ['b'] },
      { operator: 'Reshape', inputs: ['b', 'shape'], outputs: ['c'] },
      {
        operator: 'ConvTranspose',
        inputs: ['c', 'kernel'],
        outputs: ['d'],
        attributes: { strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] } },
      },
      { operator: 'Sigmoid', inputs: ['d'], outputs: ['image'] },
    ],
  })
}
