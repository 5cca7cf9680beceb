import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { executeFloat } from './execute-float.js'
import { lowerOnnx } from './lower-onnx.js'
import { runOnnxruntime } from './onnx/run-onnxruntime.js'
import { PlatemarkError } from './platemark-error.js'
import { elementCount } from './tensor-index.js'

const folder = '../shared/models'
const present = existsSync(folder)
if (!present) console.warn(`skipped: public models (${folder} is absent)`)
const withModels = present ? describe : describe.skip

withModels('public models', () => {
  test.each(['sunrises_decoder', 'mnist_gan'])('%s matches onnxruntime', async (name) => {
    const bytes = readFileSync(`${folder}/${name}.onnx`)
    const model = lowerOnnx(bytes, name)
    const size = elementCount(model.input.shape)
    const inputs = Array.from({ length: 4 }, (_, seed) =>
      Float64Array.from({ length: size }, (_, i) => 2 * Math.sin(1 + seed * size + i * 1.7)),
    )
    const expected = await runOnnxruntime(bytes, inputs, model.input.shape)
    inputs.forEach((input, index) => {
      const actual = executeFloat(model, input).get(model.output.name)!
      expect(actual.length).toBe(expected[index]!.length)
      const worst = actual.reduce(
        (max, v, i) => Math.max(max, Math.abs(v - expected[index]![i]!)),
        0,
      )
      expect(worst).toBeLessThan(1e-4)
    })
  })

  test.each(present ? readdirSync(folder).filter((file) => file.endsWith('.onnx')) : [])(
    '%s lowers or is one clear error',
    (file) => {
      try {
        lowerOnnx(readFileSync(`${folder}/${file}`), file)
        console.log(file, 'ok')
      } catch (error) {
        console.log(file, error)
        expect(error).toBeInstanceOf(PlatemarkError)
        expect((error as PlatemarkError).shortMessage).toMatch(/^Node .+ \(\w+\): /)
      }
    },
  )
})
