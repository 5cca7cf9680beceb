import { compileModel } from './compile-model.js'
import {
  CLASSES,
  type LabelForm,
  labelGenerator,
  styleGenerator,
  weights,
} from './conditional-specs.js'
import { conditionsOf, joinConditions, splitConditions } from './conditions.js'
import { execute } from './execute.js'
import type { InputChoice } from './input-choice.js'
import { verifyBounds } from './intervals.js'
import { field } from './json-fields.js'
import { sampleLatent } from './latent-table.js'
import { lowerOnnx } from './lower-onnx.js'
import { serializeModel } from './model-file.js'
import { buildOnnx, type OnnxSpec } from './onnx/build-onnx.js'
import { parseModel } from './parse-model.js'
import { modelId } from './plate.js'
import type { ProfileName } from './profiles.js'
import { silent } from './progress.js'

const compiled = (
  spec: OnnxSpec,
  inputs: Readonly<Record<string, InputChoice>> = {},
  profile: ProfileName = 'fidelity',
) =>
  compileModel(
    buildOnnx(spec),
    'test',
    {
      profile,
      latent: 'normal',
      toolVersion: '0',
      seeds: 10,
      calibrationSeeds: 40,
      inputs: new Map(Object.entries(inputs)),
    },
    silent,
  )

const label: InputChoice = { kind: 'label' }
const forms: readonly (readonly [LabelForm, Readonly<Record<string, InputChoice>>])[] = [
  ['gather', {}],
  ['gather of Keras', {}],
  ['one-hot operator', {}],
  ['equal', {}],
  ['one-hot input', { label }],
]

test.each(forms)('a class by %s is a label', async (form, inputs) => {
  const { model, report } = await compiled(labelGenerator(form), inputs)
  expect(model.conditions).toEqual([{ kind: 'label', classes: CLASSES }])
  expect(model.tensors[1]).toMatchObject({ name: 'label', shape: [CLASSES], min: 0, max: 1 })
  expect(report.psnr).toBeGreaterThan(47)
  verifyBounds(model)
  const latent = sampleLatent(1, 4)
  const images = Array.from({ length: CLASSES }, (_, k) =>
    Buffer.from(execute(model, latent, Uint8Array.of(0, k))).toString('hex'),
  )
  expect(new Set(images).size).toBe(CLASSES)
})

test('a style is a vector and a time a constant', async () => {
  const inputs: Readonly<Record<string, InputChoice>> = {
    z: { kind: 'latent' },
    style: { kind: 'vector', values: [-2, 2] },
    t: { kind: 'constant', values: [0.25] },
  }
  for (const profile of ['fidelity', 'balanced'] as const) {
    const { model, report } = await compiled(styleGenerator(), inputs, profile)
    expect(model.conditions).toMatchObject([{ kind: 'vector', dimensions: 3 }])
    expect(report.psnr).toBeGreaterThan(45)
    verifyBounds(model)
    const latent = sampleLatent(1, 4)
    expect(execute(model, latent, Uint8Array.of(1, 2, 3))).not.toEqual(
      execute(model, latent, Uint8Array.of(1, 2, 254)),
    )
  }
})

test('every choice has one spelling', () => {
  const conditions = [
    { kind: 'label', classes: 300 },
    { kind: 'vector', dimensions: 2, table: [], scale: 1 },
  ] as const
  const bytes = Uint8Array.of(1, 43, 0, 255)
  expect(joinConditions(splitConditions(conditions, bytes))).toEqual(bytes)
  expect(() => splitConditions(conditions, bytes.subarray(1))).toThrow('wrong length')
  expect(() => splitConditions(conditions, Uint8Array.of(...bytes, 0))).toThrow('wrong length')
  expect(() => splitConditions(conditions, Uint8Array.of(1, 44, 0, 0))).toThrow('no class')
  expect(() => splitConditions([], Uint8Array.of(0, 0))).toThrow('wrong length')
})

test('conditions that do not fit the model are refused', async () => {
  const { model } = await compiled(labelGenerator('gather'))
  const latent = sampleLatent(1, 4)
  expect(() => execute(model, latent)).toThrow('wrong length')
  expect(() => execute(model, latent, Uint8Array.of(0, CLASSES))).toThrow('no class')
  expect(() => execute(model, latent, Uint8Array.of(3))).toThrow('wrong length')
})

test('a model with conditions is read back, and they are part of its id', async () => {
  const { model } = await compiled(labelGenerator('gather'))
  const { json, weights } = serializeModel(model)
  const read = (change: (json: Record<string, unknown>) => void = () => {}) => {
    const copy = structuredClone(json) as Record<string, unknown>
    change(copy)
    return parseModel(field(copy, 'model.json'), weights)
  }
  expect(modelId(read())).toBe(modelId(model))
  expect(conditionsOf(read())).toEqual(model.conditions)
  for (const conditions of [
    [],
    undefined,
    [{ kind: 'label', classes: CLASSES + 1 }],
    [{ kind: 'label', classes: 1 }],
    [{ kind: 'label', classes: CLASSES, name: 'x' }],
    [{ kind: 'vector', dimensions: CLASSES, table: [1, 2], scale: 1 }],
  ])
    expect(() => read((copy) => Object.assign(copy, { conditions }))).toThrow('model.json')
})

describe('inputs that are left open', () => {
  const lower = (spec: OnnxSpec, inputs: Readonly<Record<string, InputChoice>> = {}) =>
    lowerOnnx(buildOnnx(spec), 'test', { inputs: new Map(Object.entries(inputs)) })

  test('are listed with what to pass', () => {
    expect(() => lower(styleGenerator())).toThrow(/not clear what the inputs/)
    expect(() => lower(labelGenerator('one-hot input'))).toThrow(/"label" \(float32 batch×5\)/)
    const fromOne = labelGenerator('equal')
    const range = { shape: [CLASSES], data: Array.from({ length: CLASSES }, (_, i) => i + 1) }
    const spec = { ...fromOne, initializers: { ...fromOne.initializers, range } }
    expect(() => lower(spec)).toThrow(/--input z=latent|--input label=latent/)
  })

  test.each<[string, Readonly<Record<string, InputChoice>>, RegExp]>([
    ['an input that is not there', { y: label }, /no input "y"/],
    [
      'an integer as latent',
      { z: { kind: 'latent' }, label: { kind: 'latent' } },
      /wrong element type/,
    ],
    ['an integer as vector', { label: { kind: 'vector', values: 'normal' } }, /cannot be a vector/],
    ['too many classes', { label: { kind: 'label', classes: 70_000 } }, /cannot be a label/],
    ['a class beyond the table', { label: { kind: 'label', classes: 9 } }, /out of range/],
    ['half a class', { label: { kind: 'constant', values: [0.5] } }, /whole numbers/],
    ['two constants', { label: { kind: 'constant', values: [1, 2] } }, /2 numbers/],
  ])('%s is refused', (_, inputs, message) => {
    expect(() => lower(labelGenerator('gather'), inputs)).toThrow(message)
  })
})

test('several latents lie one after the other', async () => {
  const spec: OnnxSpec = {
    inputs: { z: ['batch', 12], style: ['batch', 4] },
    outputs: ['image'],
    initializers: {
      w: weights(3, [12, 64], 0.5),
      v: weights(4, [4, 64], 0.5),
      size: { dtype: 'int64', shape: [4], data: [1, 1, 8, 8] },
    },
    nodes: [
      { operator: 'MatMul', inputs: ['z', 'w'], outputs: ['a'] },
      { operator: 'MatMul', inputs: ['style', 'v'], outputs: ['b'] },
      { operator: 'Add', inputs: ['a', 'b'], outputs: ['c'] },
      { operator: 'Sigmoid', inputs: ['c'], outputs: ['d'] },
      { operator: 'Reshape', inputs: ['d', 'size'], outputs: ['image'] },
    ],
  }
  const latent: InputChoice = { kind: 'latent' }
  const { model, report } = await compileModel(
    buildOnnx(spec),
    'styled',
    {
      profile: 'fidelity',
      latent: 'normal',
      toolVersion: '0',
      seeds: 8,
      calibrationSeeds: 30,
      inputs: new Map([
        ['z', latent],
        ['style', latent],
      ]),
    },
    silent,
  )
  expect(model.latent.dimensions).toBe(16)
  expect(report.psnr).toBeGreaterThan(45)
  verifyBounds(model)
})

describe('a model that is called several times', () => {
  /** x′ = x + t·tanh(x·W), the flow of a sampler. */
  const step: OnnxSpec = {
    inputs: { x: [1, 64], t: [] },
    outputs: ['next', 'velocity'],
    initializers: {
      w: weights(9, [64, 64], 0.2),
      size: { dtype: 'int64', shape: [4], data: [1, 1, 8, 8] },
    },
    nodes: [
      { operator: 'MatMul', inputs: ['x', 'w'], outputs: ['p'] },
      { operator: 'Tanh', inputs: ['p'], outputs: ['v'] },
      { operator: 'Mul', inputs: ['v', 't'], outputs: ['velocity'] },
      { operator: 'Add', inputs: ['x', 'velocity'], outputs: ['next'] },
    ],
  }
  const options = { profile: 'fidelity', latent: 'uniform', toolVersion: '0' } as const
  const inputs = new Map<string, InputChoice>([
    ['t', { kind: 'constant', values: [0.9, 0.5, 0.1] }],
  ])
  const loop = { steps: 3, output: 'next', input: 'x' }

  test('is one graph, with another constant in each step', async () => {
    const { model, report } = await compileModel(
      buildOnnx(step),
      'sampler',
      {
        ...options,
        seeds: 6,
        calibrationSeeds: 30,
        size: [8, 8, 1],
        outputRange: [-2, 2],
        inputs,
        loop,
      },
      silent,
    )
    expect(report.psnr).toBeGreaterThan(45)
    expect(model.nodes.length).toBeGreaterThanOrEqual(6)
    verifyBounds(model)
  })

  test('draws noise anew in each step', async () => {
    const noisy: OnnxSpec = {
      ...step,
      inputs: { ...step.inputs, noise: [1, 64] },
      nodes: [
        ...step.nodes.slice(0, 3),
        { operator: 'Mul', inputs: ['noise', 't'], outputs: ['drift'] },
        { operator: 'Add', inputs: ['velocity', 'drift'], outputs: ['change'] },
        { operator: 'Add', inputs: ['x', 'change'], outputs: ['next'] },
      ],
    }
    const latent: InputChoice = { kind: 'latent' }
    const { model, report } = await compileModel(
      buildOnnx(noisy),
      'sampler',
      {
        ...options,
        seeds: 6,
        calibrationSeeds: 30,
        size: [8, 8, 1],
        outputRange: [-3, 3],
        inputs: new Map([...inputs, ['x', latent], ['noise', { ...latent, eachStep: true }]]),
        loop,
      },
      silent,
    )
    expect(model.latent.dimensions).toBe(64 * 4)
    expect(report.psnr).toBeGreaterThan(45)
    verifyBounds(model)
  })

  test.each([
    ['an output that is not there', { ...loop, output: 'x' }, /an output: "next", "velocity"/],
    ['an input that is not there', { ...loop, input: 'next' }, /an input: "x", "t"/],
    ['a constant', { ...loop, input: 't' }, /no constant/],
    ['no step', { ...loop, steps: 0 }, /1 to 64 steps/],
  ])('%s is refused', (_, wrong, message) => {
    expect(() => lowerOnnx(buildOnnx(step), 'sampler', { inputs, loop: wrong })).toThrow(message)
  })

  test('constants for another number of steps are refused', () => {
    expect(() =>
      lowerOnnx(buildOnnx(step), 'sampler', { inputs, loop: { ...loop, steps: 2 } }),
    ).toThrow(/3 numbers/)
  })
})
