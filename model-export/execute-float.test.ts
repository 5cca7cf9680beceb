import { executeFloat, prepareFloat } from './execute-float.js'
import type { FloatModel } from './float-model.js'
import { PlatemarkError } from './platemark-error.js'

const tensor = (shape: readonly number[], ...data: readonly number[]) => ({
  shape,
  data: Float64Array.from(data),
})

const model: FloatModel = {
  name: 'test',
  input: { name: 'z', shape: [1, 2] },
  nodes: [
    {
      kind: 'affine',
      name: 'dense',
      output: 'h',
      shape: [4],
      terms: [
        { kind: 'gemm', input: 'z', rows: 1, weight: tensor([4, 2], 1, 0, 0, 1, 1, 1, 1, -1) },
      ],
      bias: tensor([4], 0, 0, 0, 1),
      activation: [{ op: 'relu' }, { op: 'linear', factor: 2, offset: 1 }],
    },
    {
      kind: 'rearrange',
      name: 'transpose',
      output: 't',
      shape: [2, 2],
      input: 'h',
      inputShape: [2, 2],
      permutation: [1, 0],
    },
    {
      kind: 'affine',
      name: 'sum',
      output: 'y',
      shape: [1, 2, 2],
      terms: [
        { kind: 'elementwise', input: 'h', weight: tensor([1, 2, 1], 1, 10) },
        {
          kind: 'conv',
          input: 't',
          weight: tensor([1, 1, 1, 2], 1, 100),
          inputChannels: 1,
          inputHeight: 2,
          inputWidth: 2,
          outputChannels: 1,
          outputHeight: 2,
          outputWidth: 2,
          strides: [1, 1],
          dilations: [1, 1],
          padBegin: [0, 0],
          groups: 1,
        },
      ],
      activation: [],
    },
  ],
  output: { name: 'y', shape: [2, 2] },
}

test('gives every tensor by name', () => {
  const tensors = executeFloat(model, Float64Array.of(3, -1))
  expect([...tensors.keys()]).toEqual(['z', 'h', 't', 'y'])
  // relu(3, −1, 2, 3 + 1 + 1) · 2 + 1
  expect([...tensors.get('h')!]).toEqual([7, 1, 5, 11])
  expect([...tensors.get('t')!]).toEqual([7, 5, 1, 11])
  expect([...tensors.get('y')!]).toEqual([7 + 507, 1 + 5, 50 + 1101, 110 + 11])
})

test('a prepared model runs again and again', () => {
  const run = prepareFloat(model)
  const first = [...run(Float64Array.of(3, -1)).get('y')!]
  run(Float64Array.of(5, 5))
  expect([...run(Float64Array.of(3, -1)).get('y')!]).toEqual(first)
})

test('an input of the wrong size is refused', () => {
  expect(() => executeFloat(model, new Float64Array(3))).toThrow(PlatemarkError)
})
