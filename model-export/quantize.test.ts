import { randomFloatModel } from '../test/random-float-model.js'
import { randomFrom } from '../test/random-model.js'
import { execute } from './execute.js'
import { executeFloat } from './execute-float.js'
import type { FloatModel } from './float-model.js'
import { meanSquaredError, peakSignalToNoise } from './image-quality.js'
import type { IntegerModel } from './integer-model.js'
import { verifyBounds } from './intervals.js'
import { field } from './json-fields.js'
import { realLatent, sampleLatent } from './latent-table.js'
import { serializeModel } from './model-file.js'
import { parseModel } from './parse-model.js'
import { modelId } from './plate.js'
import { PlatemarkError } from './platemark-error.js'
import { type QuantizeOptions, quantize } from './quantize.js'
import { transposeIndex } from './tensor-index.js'

const options = (profile: QuantizeOptions['profile']): QuantizeOptions => ({
  profile,
  latent: 'normal',
  calibrationSeeds: 16,
  toolVersion: '0.0.0',
  onnxSha256: `0x${'11'.repeat(32)}`,
})

const profiles = ['fidelity', 'balanced', 'compact'] as const

function psnr(float: FloatModel, model: IntegerModel): number {
  const { height, width, channels, range } = model.image
  const index = transposeIndex([channels, height, width], [1, 2, 0])
  let total = 0
  for (let seed = 0; seed < 8; seed++) {
    const latentBytes = sampleLatent(777 + seed, model.latent.dimensions)
    const image = executeFloat(float, realLatent(model.latent, latentBytes)).get(float.output.name)!
    const wanted = Float64Array.from(
      index,
      (at) => (255 * (image[at]! - range[0])) / (range[1] - range[0]),
    )
    total += meanSquaredError(execute(model, latentBytes), wanted)
  }
  return peakSignalToNoise(total / 8)
}

const random = [0, 5, 33]

test.each(profiles)('%s models are close, sound, and whole on disk', (profile) => {
  for (const seed of random) {
    const float = randomFloatModel(seed)
    const model = quantize(float, { ...options(profile), calibrationSeeds: 32 })
    verifyBounds(model)
    expect(psnr(float, model)).toBeGreaterThan(profile === 'compact' ? 42 : 50)
    // Any latent whatever runs: no seed leaves a table.
    for (const byte of [0, 255, 77 + seed])
      execute(model, new Uint8Array(model.latent.dimensions).fill(byte))
    const { json, weights } = serializeModel(model)
    const parsed = parseModel(field(JSON.parse(JSON.stringify(json)), 'model.json'), weights)
    expect(modelId(parsed)).toBe(modelId(model))
  }
})

test('the same input makes the same model, to the bit', () => {
  expect(
    profiles.map((profile) => modelId(quantize(randomFloatModel(1), options(profile)))),
  ).toEqual([
    '0xa0a328554066c79ff66abb8d75f522f1a5b49c9b3b822ccea3fe8cb838728d6a',
    '0x29d72af3a3560532cfbae003e7476aaf70326a21a4171b31a380121d37e81ae0',
    '0xa688070949b2f4b35001ff62f8efa06aeec77fe7c698a9d733fe30d18a360f22',
  ])
})

test('a clamped identity is exactly that, so a ReLU rounds once', () => {
  const float: FloatModel = {
    ...randomFloatModel(2),
    nodes: randomFloatModel(2).nodes.map((node) =>
      node.kind === 'affine' && node.output === 'fc'
        ? { ...node, activation: [{ op: 'relu' }] }
        : node,
    ),
  }
  const model = quantize(float, options('compact'))
  const node = model.nodes[0]!
  const table = model.tables[node.kind === 'affine' ? node.table : 0]!
  const max = Math.max(...table.values)
  table.values.forEach((value, row) => {
    expect(value).toBe(Math.min(Math.max(table.first + row, 0), max))
  })
})

test('pixels of [-1, 1] are rounded once, to the nearest', () => {
  const float: FloatModel = {
    name: 'ramp',
    input: { name: 'z', shape: [16, 16] },
    nodes: [],
    output: { name: 'z', shape: [16, 16] },
  }
  const model = quantize(float, { ...options('fidelity'), latent: 'uniform', outputRange: [-1, 1] })
  const pixels = execute(
    model,
    Uint8Array.from({ length: 256 }, (_, byte) => byte),
  )
  pixels.forEach((pixel, byte) => {
    expect(Math.abs(pixel - ((byte + 0.5) * 255) / 256)).toBeLessThan(0.505)
  })
})

test('the image may be an activation that others read, or the latent itself', () => {
  const base = randomFloatModel(3)
  const shared: FloatModel = {
    ...base,
    nodes: [
      ...base.nodes,
      {
        kind: 'affine',
        name: 'twice',
        output: 'twice',
        shape: [3, 8, 8],
        terms: [
          { kind: 'elementwise', input: 'image', weight: ones([1, 1, 1]) },
          { kind: 'elementwise', input: 'again', weight: ones([1, 1, 1]) },
        ],
        activation: [{ op: 'linear', factor: 0.5, offset: 0 }],
      },
    ],
  }
  const again = {
    kind: 'rearrange' as const,
    name: 'again',
    output: 'again',
    shape: [3, 8, 8],
    input: 'image',
    inputShape: [3, 8, 8],
    permutation: [0, 1, 2],
  }
  const float: FloatModel = {
    ...shared,
    nodes: [...base.nodes, again, shared.nodes.at(-1)!],
    output: { name: 'twice', shape: [1, 3, 8, 8] },
  }
  const range = quantize(base, options('fidelity')).image.range
  expect(
    psnr(float, quantize(float, { ...options('fidelity'), outputRange: range })),
  ).toBeGreaterThan(45)
  const latent = quantize(
    {
      name: 'latent',
      input: { name: 'z', shape: [1, 3, 2, 2] },
      nodes: [],
      output: { name: 'z', shape: [1, 3, 2, 2] },
    },
    { ...options('fidelity'), latent: 'uniform', outputRange: [-1, 1] },
  )
  const latentBytes = Uint8Array.from({ length: 12 }, (_, i) => 20 * i)
  expect(Array.from(execute(latent, latentBytes))).toEqual(
    [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11].map((i) => Math.round((20 * i + 0.5) * (255 / 256))),
  )
})

test('layers that are constant, tiny next to their bias or far from 0 keep their values', () => {
  const base = randomFloatModel(5)
  const [first] = base.nodes
  if (first?.kind !== 'affine' || first.terms[0]?.kind !== 'gemm')
    throw new Error('expected a gemm')
  const { weight } = first.terms[0]
  for (const [factor, offset, activation] of [
    [0, 0.3, [{ op: 'relu' }]],
    [1e-14, 0.3, [{ op: 'relu' }]],
    [1e-3, 50, [{ op: 'tanh' }]],
    [1e-3, -50, [{ op: 'relu' }]],
  ] as const) {
    const scaled = { shape: weight.shape, data: weight.data.map((w) => w * factor) }
    const changed = {
      ...first,
      activation,
      terms: [{ ...first.terms[0], weight: scaled }],
      bias: { shape: [1], data: Float64Array.of(offset) },
    }
    const float = { ...base, nodes: [changed, ...base.nodes.slice(1)] }
    for (const profile of profiles)
      expect(psnr(float, quantize(float, options(profile)))).toBeGreaterThan(40)
  }
})

test('wide layers keep their range, however many follow each other', () => {
  // Worst cases far beyond what seeds reach, layer after layer: rows get coarser than activations.
  const random = randomFrom(3)
  const dense = (outputs: number, inputs: number) => ({
    shape: [outputs, inputs],
    data: Float64Array.from(
      { length: outputs * inputs },
      () => (random.integer(-1000, 1000) / 1000) * Math.sqrt(6 / inputs),
    ),
  })
  const layer = (input: string, inputs: number, output: string, outputs: number) => ({
    kind: 'affine' as const,
    name: output,
    output,
    shape: [outputs],
    terms: [{ kind: 'gemm' as const, input, rows: 1, weight: dense(outputs, inputs) }],
    activation: output === 'image' ? [{ op: 'sigmoid' as const }] : [{ op: 'relu' as const }],
  })
  const float: FloatModel = {
    name: 'deep',
    input: { name: 'z', shape: [1, 16] },
    nodes: [
      layer('z', 16, 'h1', 512),
      layer('h1', 512, 'h2', 512),
      layer('h2', 512, 'h3', 512),
      layer('h3', 512, 'image', 192),
    ].map((node) => (node.output === 'image' ? { ...node, shape: [3, 8, 8] } : node)),
    output: { name: 'image', shape: [1, 3, 8, 8] },
  }
  const model = quantize(float, options('fidelity'))
  const hidden = model.tensors.filter(({ name }) => /^h[123]$/.test(name))
  const reached = executeFloat(float, realLatent(model.latent, sampleLatent(1, 16)))
  for (const { name, max, scale } of hidden)
    expect(max * scale).toBeLessThan(4 * Math.max(...reached.get(name)!))
  expect(psnr(float, model)).toBeGreaterThan(50)
})

test('nodes that the image does not need are dropped', () => {
  const base = randomFloatModel(4)
  const first = base.nodes[0]!
  const float = { ...base, nodes: [...base.nodes, { ...first, output: 'unused' }] }
  expect(modelId(quantize(float, options('balanced')))).toBe(
    modelId(quantize(base, options('balanced'))),
  )
})

test('bad options and values are refused', () => {
  const float = randomFloatModel(5)
  const refused = (change: Partial<QuantizeOptions>, model = float) =>
    expect(() => quantize(model, { ...options('balanced'), ...change })).toThrow(PlatemarkError)
  refused({ weightBits: 1 })
  refused({ activationBits: 40 })
  refused({ outputRange: [1, 0] })
  refused({ outputRange: [0, Number.NaN] })
  refused({ layout: 'HWC' })
  const first = float.nodes[0]!
  if (first.kind !== 'affine') throw new Error('expected an affine node')
  const broken = { ...first, bias: { shape: [1], data: Float64Array.of(Number.NaN) } }
  refused({}, { ...float, nodes: [broken, ...float.nodes.slice(1)] })
})

test('names of others do not reach terminals as control characters', () => {
  const model = quantize({ ...randomFloatModel(6), name: 'a\u001b[31m\n' }, options('balanced'))
  expect(model.name).toBe('a?[31m?')
})

function ones(shape: readonly number[]) {
  return { shape, data: new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(1) }
}
