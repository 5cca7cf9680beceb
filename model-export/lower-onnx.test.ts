import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { prepareFloat } from './execute-float.js'
import { listSupportedOperators, lowerOnnx } from './lower-onnx.js'
import { checkFloatModel } from './lowering/check-float-model.js'
import { describeOnnx } from './onnx/describe-onnx.js'
import { runOnnxruntime } from './onnx/run-onnxruntime.js'
import { PlatemarkError } from './platemark-error.js'
import { elementCount } from './tensor-index.js'

const folder = '../shared/models'
const files = existsSync(folder) ? readdirSync(folder).filter((it) => it.endsWith('.onnx')) : []
if (files.length === 0) console.warn(`skipped: no public models at ${folder}`)
const withModels = files.length > 0 ? describe : describe.skip

/** What fusion leaves of the public generators. */
const generators = {
  sunrises_decoder: [
    'gemm, relu',
    'gemm, relu',
    'convTranspose, relu',
    'convTranspose, relu',
    'convTranspose, sigmoid',
    'rearrange',
  ],
  mnist_gan: ['gemm, elu', 'convTranspose, elu', 'convTranspose, sigmoid'],
}

withModels('public models', () => {
  test.each(Object.entries(generators))(
    '%s is few nodes and matches onnxruntime',
    async (name, nodes) => {
      const bytes = readFileSync(`${folder}/${name}.onnx`)
      const model = lowerOnnx(bytes, name)
      checkFloatModel(model)
      expect(
        model.nodes.map((node) =>
          node.kind === 'rearrange'
            ? 'rearrange'
            : [...node.terms.map(({ kind }) => kind), ...node.activation.map(({ op }) => op)].join(
                ', ',
              ),
        ),
      ).toEqual(nodes)
      const size = elementCount(model.input.shape)
      const inputs = Array.from({ length: 4 }, (_, seed) =>
        Float64Array.from({ length: size }, (_, i) => 2 * Math.sin(1 + seed * size + i * 1.7)),
      )
      const expected = await runOnnxruntime(bytes, inputs, model.input.shape)
      const run = prepareFloat(model)
      inputs.forEach((input, index) => {
        const actual = run(input).get(model.output.name)!
        expect(actual.length).toBe(expected[index]!.length)
        const worst = actual.reduce(
          (max, v, i) => Math.max(max, Math.abs(v - expected[index]![i]!)),
          0,
        )
        expect(worst).toBeLessThan(1e-4)
      })
    },
  )

  // An empty table is an error to jest, also where it is skipped.
  test.each(files.length > 0 ? files : ['none'])(
    '%s lowers, or is one clear error about a node',
    (file) => {
      const bytes = readFileSync(`${folder}/${file}`)
      const { operators } = describeOnnx(bytes)
      try {
        checkFloatModel(lowerOnnx(bytes, file))
      } catch (error) {
        expect(error).toBeInstanceOf(PlatemarkError)
        const { shortMessage } = error as PlatemarkError
        const [, operator] = /^Node ".+" \((\w+)\): .+\.$/.exec(shortMessage) ?? []
        expect(Object.keys(operators)).toContain(operator)
        return
      }
      expect(Object.keys(operators).every((it) => listSupportedOperators().includes(it))).toBe(true)
    },
  )
})

test('the list of operators has what the documentation promises', () => {
  const promised =
    'Gemm MatMul Conv ConvTranspose BatchNormalization Mul Add Sub Div Relu LeakyRelu PRelu Elu Sigmoid Tanh Clip HardSigmoid Softplus Reshape Flatten Transpose Squeeze Unsqueeze Identity Dropout Constant Neg'
  for (const operator of promised.split(' ')) expect(listSupportedOperators()).toContain(operator)
})
