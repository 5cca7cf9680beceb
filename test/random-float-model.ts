import type { FloatAffine, FloatModel, FloatNode, FloatTerm } from '../model-export/float-model.js'
import { elementCount } from '../model-export/tensor-index.js'
import type { UnaryChain, UnaryStep } from '../model-export/unary.js'
import { randomFrom } from './random-model.js'

/** A small generator with real weights: gemm, transposed convolutions, a residual sum, a picture. */
export function randomFloatModel(seed: number): FloatModel {
  const random = randomFrom(seed)
  const real = () => random.integer(-1000, 1000) / 1000
  const tensor = (shape: readonly number[], size: number) => ({
    shape,
    data: Float64Array.from({ length: elementCount(shape) }, () => real() * size),
  })
  const hidden: readonly UnaryStep[] = [
    { op: 'relu' },
    { op: 'leakyRelu', alpha: 0.2 },
    { op: 'elu', alpha: 1 },
    { op: 'tanh' },
    { op: 'softplus' },
    { op: 'clip', min: 0, max: 6 },
  ]
  const last: readonly UnaryChain[] = [
    [{ op: 'sigmoid' }],
    [{ op: 'tanh' }],
    [{ op: 'clip', min: 0, max: 1 }],
    [{ op: 'tanh' }, { op: 'linear', factor: 0.5, offset: 0.5 }],
  ]
  const nodes: FloatNode[] = []
  const affine = (
    output: string,
    shape: readonly number[],
    terms: readonly FloatTerm[],
    activation: UnaryChain,
  ): void => {
    const bias = tensor([shape[0]!, ...shape.slice(1).map(() => 1)], 0.3)
    const node: FloatAffine = {
      kind: 'affine',
      name: output,
      output,
      shape,
      terms,
      bias,
      activation,
    }
    nodes.push(node)
  }
  const latent = random.integer(2, 6)
  const channels = random.pick([4, 8, 12])
  const up = (input: string, from: number, to: number, size: number) => ({
    kind: 'convTranspose' as const,
    input,
    weight: tensor([from, to, 4, 4], 0.5),
    inputChannels: from,
    inputHeight: size,
    inputWidth: size,
    outputChannels: to,
    outputHeight: 2 * size,
    outputWidth: 2 * size,
    strides: [2, 2] as const,
    dilations: [1, 1] as const,
    padBegin: [1, 1] as const,
    groups: 1,
  })
  affine(
    'fc',
    [channels * 4],
    [{ kind: 'gemm', input: 'z', rows: 1, weight: tensor([channels * 4, latent], 1) }],
    [random.pick(hidden)],
  )
  affine('up1', [channels, 4, 4], [up('fc', channels, channels, 2)], [random.pick(hidden)])
  affine(
    'sum',
    [channels, 4, 4],
    [
      { kind: 'elementwise', input: 'up1', weight: tensor([1, 1, 1], 1) },
      {
        ...up('up1', channels, channels, 4),
        kind: 'conv',
        weight: tensor([channels, channels, 3, 3], 0.3),
        outputHeight: 4,
        outputWidth: 4,
        strides: [1, 1],
      },
    ],
    [random.pick(hidden)],
  )
  affine('image', [3, 8, 8], [up('sum', channels, 3, 4)], random.pick(last))
  return {
    name: `random ${seed}`,
    input: { name: 'z', shape: [1, latent] },
    nodes,
    output: { name: 'image', shape: [1, 3, 8, 8] },
  }
}
