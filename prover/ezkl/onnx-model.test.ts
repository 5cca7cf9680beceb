import onnxProto from 'onnx-proto'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { execute } from '../../model-export/execute.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { randomFrom, randomModel } from '../../test/random-model.js'
import { estimateEzkl, PRODUCTS } from './estimate.js'
import { INPUT, OUTPUT, writeOnnxModel } from './onnx-model.js'

const { ModelProto } = onnxProto.onnx

/** The graph with a Round after every product with a fraction, as ezkl understands such products. */
function rounded(file: Uint8Array): Uint8Array {
  const model = ModelProto.decode(file)
  const graph = model.graph!
  const fractions = new Set(
    graph.initializer!.flatMap(({ name, rawData, dataType }) => {
      if (dataType !== 1 || rawData!.length !== 4) return []
      const value = new DataView(rawData!.slice().buffer).getFloat32(0, true)
      return Math.abs(value) > 0 && Math.abs(value) < 1 ? [name!] : []
    }),
  )
  graph.node = graph.node!.flatMap((node) => {
    if (node.opType !== 'Mul' || !fractions.has(node.input![1]!)) return [node]
    const [output] = node.output!
    const exact = `${output}_exact`
    return [
      { ...node, output: [exact] },
      { opType: 'Round', input: [exact], output: [output!] },
    ]
  })
  return ModelProto.encode(model).finish()
}

async function run(
  session: InferenceSession,
  latent: Uint8Array,
  context: number,
): Promise<Uint8Array> {
  const data = Float32Array.from([...latent, context])
  const outputs = await session.run({ [INPUT]: new Tensor('float32', data, [1, data.length]) })
  return Uint8Array.from(outputs[OUTPUT]!.data as Float32Array)
}

async function expectSamePixels(model: IntegerModel): Promise<void> {
  const session = await InferenceSession.create(rounded(writeOnnxModel(model)))
  const random = randomFrom(7)
  for (let i = 0; i < 3; i++) {
    const latent = Uint8Array.from({ length: model.latent.dimensions }, () =>
      random.integer(0, 255),
    )
    expect(await run(session, latent, i)).toEqual(execute(model, latent))
  }
}

const MODELS = Array.from({ length: 40 }, (_, seed) => randomModel(seed))
const hasProducts = ({ nodes }: IntegerModel) =>
  nodes.some((node) => node.kind === 'affine' && node.terms.some(({ kind }) => kind === 'einsum'))

test('the graphs of random models compute their pixels, whatever the context', async () => {
  for (const model of MODELS.filter((model) => !hasProducts(model))) await expectSamePixels(model)
})

test('models that multiply activations are refused', () => {
  const models = MODELS.filter(hasProducts)
  expect(models.length).toBeGreaterThan(0)
  for (const model of models) {
    expect(estimateEzkl(model).reason).toBe(PRODUCTS)
    expect(() => writeOnnxModel(model)).toThrow(PRODUCTS)
  }
})

describe('a bias that no float32 holds', () => {
  const tiny = (bias: number): IntegerModel => ({
    ...randomModel(0),
    latent: {
      dimensions: 1,
      distribution: 'normal',
      table: Array.from({ length: 256 }, (_, i) => i - 128),
      scale: 1,
    },
    tensors: [
      { name: 'z', shape: [1], min: -128, max: 127, scale: 1 },
      { name: 'image', shape: [1, 1, 1], min: 0, max: 255, scale: 1 },
    ],
    nodes: [
      {
        kind: 'affine',
        name: 'sum',
        output: 1,
        terms: [
          {
            kind: 'gemm',
            input: 0,
            rows: 1,
            weight: { shape: [1, 1], data: Int32Array.of(1) },
          },
        ],
        bias: { shape: [1, 1, 1], data: Float64Array.of(bias) },
        requantize: { multiplier: 1, shift: 0 },
        table: 0,
        accumulator: { min: bias - 128, max: bias + 127 },
        quotient: { min: bias - 128, max: bias + 127 },
      },
    ],
    tables: [
      {
        description: 'shift',
        first: bias - 128,
        values: Int32Array.from({ length: 256 }, (_, i) => i),
      },
    ],
    image: { tensor: 1, height: 1, width: 1, channels: 1, range: [0, 1] },
  })

  test('becomes two addends that together are exact', () => {
    const bias = 2 ** 40 + 12_345
    const { initializer } = ModelProto.decode(
      writeOnnxModel({ ...tiny(bias), tables: [{ ...tiny(0).tables[0]!, first: 0 }] }),
    ).graph!
    const parts = initializer!
      .filter(({ name }) => name!.startsWith('bias'))
      .map(({ rawData }) => new DataView(rawData!.slice().buffer).getFloat32(0, true))
    expect(parts).toHaveLength(2)
    expect(parts[0]! + parts[1]!).toBe(bias)
  })

  test('and a table that starts so far out is refused', () => {
    expect(() => writeOnnxModel(tiny(2 ** 40 + 12_345))).toThrow(PlatemarkError)
  })
})

test('a division in two steps is refused', () => {
  const model = Array.from({ length: 40 }, (_, seed) => randomModel(seed)).find(({ nodes }) =>
    nodes.some(({ kind }) => kind === 'affine'),
  )!
  const nodes = model.nodes.map((node) =>
    node.kind === 'affine' ? { ...node, requantize: { multiplier: 1, shift: 24 } } : node,
  )
  expect(() => writeOnnxModel({ ...model, nodes })).toThrow('cannot divide by so much')
})
