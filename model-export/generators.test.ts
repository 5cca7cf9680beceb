import { planBlocks } from '../circuits/sumcheck/plan.js'
import { compileModel } from './compile-model.js'
import { verifyBounds } from './intervals.js'
import { graph, ints, number, reals } from './lowering/data-dependent-specs.js'
import { buildOnnx, type OnnxSpec, type TensorSpec } from './onnx/build-onnx.js'
import { silent } from './progress.js'

/* Generators from a latent of 6 numbers, made of operators that move, resize, average and quantize. */

const small = (shape: readonly number[], factor = 0.4): TensorSpec => {
  const { data } = reals(shape)
  return { shape, data: Array.from(data, (v) => v * factor) }
}

const conv = { pads: { ints: [1, 1, 1, 1] } }
const none: TensorSpec = { shape: [0], data: [] }
const floats = (...data: readonly number[]): TensorSpec => ({ shape: [data.length], data })
const linear = {
  mode: { string: 'linear' },
  coordinate_transformation_mode: { string: 'half_pixel' },
}
const nearest = {
  mode: { string: 'nearest' },
  coordinate_transformation_mode: { string: 'asymmetric' },
  nearest_mode: { string: 'floor' },
}

const generators: Readonly<Record<string, { spec: OnnxSpec; psnr: number }>> = {
  'Resize, reflected borders, a skip connection, PixelShuffle': {
    psnr: 45,
    spec: {
      ...graph(
        [
          ['Gemm', 'x w0', 'g'],
          ['Reshape', 'g s0', 'h'],
          ['Relu', 'h', 'a'],
          ['Resize', 'a roi two', 'b', nearest],
          ['Conv', 'b w1', 'c', conv],
          ['LeakyRelu', 'c', 'd', { alpha: { float: 0.2 } }],
          ['Resize', 'a roi two', 'e', linear],
          ['Concat', 'd e', 'f', { axis: { int: 1 } }],
          ['Pad', 'f pads', 'i', { mode: { string: 'reflect' } }],
          ['Conv', 'i w2', 'j'],
          ['DepthToSpace', 'j', 'k', { blocksize: { int: 2 }, mode: { string: 'CRD' } }],
          [
            'AveragePool',
            'k',
            'l',
            { kernel_shape: { ints: [3, 3] }, ...conv, count_include_pad: { int: 1 } },
          ],
          ['Add', 'k l', 'm'],
          ['Tanh', 'm', 'y'],
        ],
        {
          w0: small([6, 64]),
          s0: ints(1, 4, 4, 4),
          w1: small([6, 4, 3, 3]),
          w2: small([12, 10, 3, 3], 0.3),
          roi: none,
          two: floats(1, 1, 2, 2),
          pads: ints(0, 0, 1, 1, 0, 0, 1, 1),
        },
      ),
      inputs: { x: [1, 6] },
    },
  },
  'quantized to 8 bits, bytes as output': {
    psnr: 50,
    spec: {
      ...graph(
        [
          ['QuantizeLinear', 'x s0 z0', 'q'],
          ['DequantizeLinear', 'q s0 z0', 'd'],
          ['DequantizeLinear', 'w0 sw zw', 'e'],
          ['MatMul', 'd e', 'f'],
          ['Relu', 'f', 'g'],
          ['QuantizeLinear', 'g s1 z1', 'h'],
          ['Reshape', 'h s', 'i'],
          ['QLinearConv', 'i s1 z1 w1 sw zw s2 z2', 'j', conv],
          ['DequantizeLinear', 'j s2 z2', 'k'],
          ['Mul', 'k half', 'l'],
          ['Add', 'l middle', 'm'],
          ['Clip', 'm low high', 'n'],
          ['Transpose', 'n', 'o', { perm: { ints: [0, 2, 3, 1] } }],
          ['Cast', 'o', 'y', { to: { int: 1 } }],
        ],
        {
          w0: {
            dtype: 'int8',
            shape: [6, 64],
            data: Array.from(reals([6, 64]).data, (v) => Math.round(v * 100)),
          },
          w1: {
            dtype: 'int8',
            shape: [3, 1, 3, 3],
            data: Array.from(reals([3, 1, 3, 3]).data, (v) => Math.round(v * 100)),
          },
          s: ints(1, 1, 8, 8),
          s0: number(0.0203),
          z0: { dtype: 'uint8', shape: [], data: [128] },
          s1: number(0.0207),
          z1: { dtype: 'uint8', shape: [], data: [5] },
          s2: number(0.0501),
          z2: { dtype: 'uint8', shape: [], data: [120] },
          sw: number(0.0101),
          zw: { dtype: 'int8', shape: [], data: [0] },
          half: number(32),
          middle: number(128),
          low: number(0),
          high: number(255),
        },
      ),
      inputs: { x: [1, 6] },
    },
  },
}

test.each(Object.entries(generators))('%s', async (name, { spec, psnr }) => {
  for (const profile of ['fidelity', 'compact'] as const) {
    const options = {
      profile,
      latent: 'normal',
      calibrationSeeds: 32,
      seeds: 8,
      toolVersion: '0',
    } as const
    const { model, report } = await compileModel(buildOnnx(spec), 'generator', options, silent)
    verifyBounds(model)
    planBlocks(model)
    // Scales without ties: a model that rounds by itself is met exactly.
    if (name.startsWith('quantized') && profile === 'fidelity')
      expect(report.worstPixelDifference).toBe(0)
    expect(report.medianPsnr).toBeGreaterThan(profile === 'compact' ? 38 : psnr)
  }
})
