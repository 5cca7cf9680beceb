import { againstOnnxruntime } from './against-onnxruntime.js'
import { quantized } from './quantized-specs.js'

test.each(Object.entries(quantized))('%s', async (_, spec) => {
  expect((await againstOnnxruntime(spec)).error).toBeLessThan(1e-4)
})
