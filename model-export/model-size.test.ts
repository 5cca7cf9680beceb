import type { IntegerModel } from './integer-model.js'
import { affordableRuns, modelSize } from './model-size.js'

test('parameters, activations and multiplications are counted as usual', () => {
  const tensor = (shape: readonly number[]) => ({ name: '', shape, min: 0, max: 255, scale: 1 })
  const weight = (shape: readonly number[]) => ({
    shape,
    data: new Int32Array(shape.reduce((a, b) => a * b, 1)),
  })
  const node = {
    kind: 'affine',
    name: '',
    requantize: { multiplier: 1, shift: 0 },
    table: 0,
    accumulator: { min: 0, max: 0 },
    quotient: { min: 0, max: 0 },
  } as const
  const geometry = {
    inputChannels: 2,
    inputHeight: 4,
    inputWidth: 4,
    outputChannels: 3,
    outputHeight: 8,
    outputWidth: 8,
    strides: [2, 2],
    dilations: [1, 1],
    padBegin: [1, 1],
    groups: 1,
  } as const
  const model: IntegerModel = {
    format: 'platemark-model',
    version: 1,
    name: '',
    latent: { dimensions: 5, distribution: 'normal', table: [], scale: 1 },
    tensors: [tensor([5]), tensor([32]), tensor([3, 8, 8])],
    nodes: [
      {
        ...node,
        output: 1,
        terms: [{ kind: 'gemm', input: 0, rows: 1, weight: weight([32, 5]) }],
        bias: { shape: [32], data: new Float64Array(32) },
      },
      {
        ...node,
        output: 2,
        terms: [{ kind: 'convTranspose', input: 1, weight: weight([2, 3, 4, 4]), ...geometry }],
      },
    ],
    tables: [],
    image: { tensor: 2, height: 8, width: 8, channels: 3, range: [0, 1] },
    source: { onnxSha256: '', profile: '', toolVersion: '' },
  }
  expect(modelSize(model)).toEqual({
    parameters: 32 * 5 + 32 + 2 * 3 * 16,
    activations: 32 + 3 * 8 * 8,
    macs: 32 * 5 + 4 * 4 * 2 * 3 * 16,
  })
})

test('large models are run less often while they are compiled', () => {
  expect([1e6, 1.05e8, 1e9, 1e12].map((macs) => affordableRuns(128, macs))).toEqual([
    128, 128, 14, 4,
  ])
  expect(affordableRuns(2, 1e12)).toBe(2)
})
