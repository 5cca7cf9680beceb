import { againstOnnxruntime } from './against-onnxruntime.js'
import { merged, structural } from './structural-specs.js'

test.each(Object.entries(merged))('%s is one layer', async (_, spec) => {
  const { fused, error } = await againstOnnxruntime(spec)
  expect(error).toBeLessThan(1e-4)
  expect(fused.nodes.filter(({ kind }) => kind === 'affine').length).toBe(1)
})

test.each(Object.entries(structural))('%s', async (_, spec) => {
  expect((await againstOnnxruntime(spec)).error).toBeLessThan(1e-4)
})
