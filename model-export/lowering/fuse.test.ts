import fc from 'fast-check'
import type { FloatModel } from '../float-model.js'
import type { NodeSpec, OnnxSpec, TensorSpec } from '../onnx/build-onnx.js'
import { againstOnnxruntime, noise } from './against-onnxruntime.js'

/** Builds a network step by step, keeping the names and the shape that the last tensor has. */
type Draft = {
  readonly nodes: NodeSpec[]
  readonly initializers: Record<string, TensorSpec>
  tensor: string
  shape: readonly number[]
}

type Attributes = NonNullable<NodeSpec['attributes']>

function start(channels: number, height: number, width: number): Draft {
  return { nodes: [], initializers: {}, tensor: 'x', shape: [1, channels, height, width] }
}

function constant(draft: Draft, shape: readonly number[], positive = false): string {
  const name = `c${Object.keys(draft.initializers).length}`
  const count = shape.reduce((a, b) => a * b, 1)
  const data = noise(count, Object.keys(draft.initializers).length + 2)
  draft.initializers[name] = { shape, data: positive ? data.map((v) => v + 1.5) : data }
  return name
}

function node(
  draft: Draft,
  operator: string,
  inputs: readonly string[],
  shape: readonly number[],
  attributes: Attributes = {},
): void {
  const output = `t${draft.nodes.length}`
  draft.nodes.push({ operator, inputs, outputs: [output], attributes })
  draft.tensor = output
  draft.shape = shape
}

function finish(draft: Draft, inputShape: readonly number[]): OnnxSpec {
  const { nodes, initializers, tensor } = draft
  return { inputs: { x: inputShape }, outputs: [tensor], initializers, nodes }
}

const unaries = ['Relu', 'Elu', 'Tanh', 'Sigmoid', 'LeakyRelu', 'Neg', 'Identity']

const steps = {
  unary: (d: Draft, n: number) => node(d, unaries[n % unaries.length]!, [d.tensor], d.shape),
  scalar: (d: Draft, n: number) =>
    node(d, ['Mul', 'Add', 'Sub', 'Div'][n % 4]!, [d.tensor, constant(d, [], true)], d.shape),
  channel: (d: Draft, n: number) =>
    node(d, n % 2 ? 'Mul' : 'Add', [constant(d, [d.shape[1]!, 1, 1]), d.tensor], d.shape),
  element: (d: Draft, n: number) =>
    node(d, n % 2 ? 'Mul' : 'Add', [d.tensor, constant(d, d.shape.slice(1))], d.shape),
  batchNormalization: (d: Draft) => {
    const parameters = [false, false, false, true].map((p) => constant(d, [d.shape[1]!], p))
    node(d, 'BatchNormalization', [d.tensor, ...parameters], d.shape)
  },
  prelu: (d: Draft) => node(d, 'PRelu', [d.tensor, constant(d, [d.shape[1]!, 1, 1])], d.shape),
  conv: (d: Draft, n: number) => {
    const [, channels, height, width] = d.shape as [number, number, number, number]
    const weight = constant(d, [1 + (n % 3), channels, 3, 3])
    const pad = n % 2 || height < 3 || width < 3 ? 1 : 0
    const grow = 2 * pad - 2
    node(d, 'Conv', [d.tensor, weight], [1, 1 + (n % 3), height + grow, width + grow], {
      pads: { ints: [pad, pad, pad, pad] },
    })
  },
  convTranspose: (d: Draft, n: number) => {
    const [, channels, height, width] = d.shape as [number, number, number, number]
    if (height * width > 60) return
    const weight = constant(d, [channels, 1 + (n % 2), 3, 2])
    node(d, 'ConvTranspose', [d.tensor, weight], [1, 1 + (n % 2), 2 * height + 1, 2 * width], {
      strides: { ints: [2, 2] },
    })
  },
  transpose: (d: Draft, n: number) => {
    const perm = [
      [0, 2, 3, 1],
      [0, 3, 1, 2],
      [0, 1, 3, 2],
    ][n % 3]!
    const shape = perm.map((axis) => d.shape[axis]!)
    node(d, 'Transpose', [d.tensor], shape, { perm: { ints: perm } })
  },
  reshape: (d: Draft, n: number) => {
    const [, channels, height, width] = d.shape as [number, number, number, number]
    const shape = n % 2 ? [1, height, channels, width] : [1, channels * height, 1, width]
    const name = `s${d.nodes.length}`
    d.initializers[name] = { dtype: 'int64', shape: [4], data: shape }
    node(d, 'Reshape', [d.tensor, name], shape)
  },
  dense: (d: Draft, n: number) => {
    const width = 2 + (n % 4)
    const weight = constant(d, [d.shape[3]!, width])
    node(d, 'MatMul', [d.tensor, weight], [...d.shape.slice(0, 3), width])
  },
  residual: (d: Draft, n: number) => {
    const { tensor, shape } = d
    const [, channels] = shape
    const name = constant(d, [channels!, channels!, 1, 1])
    node(d, 'Conv', [tensor, name], shape)
    if (n % 3 === 0) node(d, 'Relu', [d.tensor], shape)
    node(d, n % 2 ? 'Add' : 'Sub', [d.tensor, tensor], shape)
  },
  double: (d: Draft) => node(d, 'Add', [d.tensor, d.tensor], d.shape),
} satisfies Record<string, (draft: Draft, n: number) => void>

const kinds = Object.keys(steps) as (keyof typeof steps)[]

test('any network is the same before and after fusion, and in onnxruntime', async () => {
  const plan = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(11)), {
    minLength: 1,
    maxLength: 9,
  })
  const size = fc.integer({ min: 1, max: 4 })
  await fc.assert(
    fc.asyncProperty(size, size, size, plan, async (channels, height, width, chosen) => {
      const draft = start(channels, height, width)
      for (const [kind, n] of chosen) steps[kind](draft, n)
      fc.pre(draft.nodes.length > 0)
      const { plain, fused, error } = await againstOnnxruntime(
        finish(draft, [1, channels, height, width]),
      )
      expect(fused.nodes.length).toBeLessThanOrEqual(plain.nodes.length)
      expect(error).toBeLessThan(1e-4)
    }),
    { numRuns: 300 },
  )
})

/** What is left of a network that these steps make. */
async function kindsAfter(
  shape: readonly [number, number, number],
  chosen: readonly (readonly [keyof typeof steps, number])[],
): Promise<readonly string[]> {
  const draft = start(...shape)
  for (const [kind, n] of chosen) steps[kind](draft, n)
  const { fused, error } = await againstOnnxruntime(finish(draft, [1, ...shape]))
  expect(error).toBeLessThan(1e-4)
  return summary(fused)
}

function summary(model: FloatModel): readonly string[] {
  return model.nodes.map((it) =>
    it.kind === 'rearrange'
      ? 'rearrange'
      : [
          it.terms.map(({ kind }) => kind).join(' + '),
          ...(it.bias === undefined ? [] : [`bias ${it.bias.shape.join('×')}`]),
          ...it.activation.map(({ op }) => op),
        ].join(', '),
  )
}

const relu = ['unary', 0] as const
const elu = ['unary', 1] as const
const conv = ['conv', 1] as const
const batchNormalization = ['batchNormalization', 0] as const

test('scale, shift and function go into the layer before', async () => {
  expect(await kindsAfter([2, 4, 4], [conv, batchNormalization, relu])).toEqual([
    'conv, bias 2×1×1, relu',
  ])
})

test('scalar steps after a function go into its table', async () => {
  const chosen = [conv, ['unary', 2], ['scalar', 0], ['scalar', 1]] as const
  expect(await kindsAfter([2, 4, 4], chosen)).toEqual(['conv, tanh, linear'])
})

test('a BatchNormalization after a function goes into the next layer, border included', async () => {
  const chosen = [conv, elu, batchNormalization, conv] as const
  expect(await kindsAfter([2, 4, 4], chosen)).toEqual(['conv, elu', 'conv, bias 2×4×4'])
})

test('without padding that shift stays a bias by channel', async () => {
  const chosen = [conv, elu, batchNormalization, ['conv', 4]] as const
  expect(await kindsAfter([2, 5, 5], chosen)).toEqual(['conv, elu', 'conv, bias 2×1×1'])
})

test('it also passes a transpose', async () => {
  const chosen = [conv, elu, batchNormalization, ['transpose', 2], conv] as const
  expect(await kindsAfter([2, 4, 3], chosen)).toEqual([
    'conv, elu',
    'rearrange',
    'conv, bias 2×3×4',
  ])
})

test('a BatchNormalization at the end stays', async () => {
  expect(await kindsAfter([2, 4, 4], [conv, elu, batchNormalization])).toEqual([
    'conv, elu',
    'elementwise, bias 2×1×1',
  ])
})

test('a residual sum takes the layer in, and keeps the other operand', async () => {
  expect(await kindsAfter([2, 4, 4], [conv, relu, ['residual', 1], relu])).toEqual([
    'conv, relu',
    'conv + elementwise, relu',
  ])
})

test('a sum that begins with a reshaped Gemm keeps its bias by channel', async () => {
  const draft = start(1, 1, 6)
  steps.dense(draft, 2)
  draft.initializers.shape = { dtype: 'int64', shape: [4], data: [1, 2, 2, 1] }
  node(draft, 'Reshape', [draft.tensor, 'shape'], [1, 2, 2, 1])
  const before = draft.tensor
  steps.conv(draft, 1)
  steps.batchNormalization(draft)
  node(draft, 'Add', [before, draft.tensor], draft.shape)
  const { fused, error } = await againstOnnxruntime(finish(draft, [1, 1, 1, 6]))
  expect(error).toBeLessThan(1e-4)
  expect(summary(fused)).toEqual(['gemm', 'elementwise + conv, bias 2×1×1'])
})

test('transposes that cancel and reshapes leave nothing', async () => {
  const chosen = [conv, ['transpose', 0], relu, ['transpose', 1], ['reshape', 0]] as const
  expect(await kindsAfter([2, 4, 3], chosen)).toEqual(['conv, relu'])
})

test('a run of transposes is one', async () => {
  const chosen = [conv, ['transpose', 0], ['transpose', 2], relu, ['transpose', 0]] as const
  expect(await kindsAfter([2, 4, 3], chosen)).toEqual(['conv, relu', 'rearrange'])
})

test('a Gemm of one row stores its weight in the order that is needed', async () => {
  const draft = start(1, 1, 6)
  steps.dense(draft, 2)
  draft.initializers.shape = { dtype: 'int64', shape: [4], data: [1, 2, 2, 1] }
  node(draft, 'Reshape', [draft.tensor, 'shape'], [1, 2, 2, 1])
  steps.transpose(draft, 0)
  steps.conv(draft, 1)
  const { fused, error } = await againstOnnxruntime(finish(draft, [1, 1, 1, 6]))
  expect(error).toBeLessThan(1e-4)
  expect(summary(fused)).toEqual(['gemm', 'conv'])
})
