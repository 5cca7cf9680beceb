import { againstOnnxruntime } from './against-onnxruntime.js'
import { dataDependent, tables } from './data-dependent-specs.js'

test.each(Object.entries(tables))('%s is one table', async (_, spec) => {
  const { fused, error } = await againstOnnxruntime(spec)
  expect(error).toBeLessThan(1e-4)
  expect(fused.nodes.length).toBe(1)
})

test.each(Object.entries(dataDependent))('%s', async (_, spec) => {
  expect((await againstOnnxruntime(spec)).error).toBeLessThan(1e-4)
})
