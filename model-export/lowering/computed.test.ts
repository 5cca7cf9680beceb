import { lowerOnnx } from '../lower-onnx.js'
import { buildOnnx } from '../onnx/build-onnx.js'
import { againstOnnxruntime } from './against-onnxruntime.js'
import { computed } from './computed-specs.js'
import { graph, number } from './data-dependent-specs.js'

test.each(Object.entries(computed))('%s', async (_, spec) => {
  expect((await againstOnnxruntime(spec)).error).toBeLessThan(1e-4)
})

test('ELU by Greater, Exp and Where is one table', async () => {
  const { fused } = await againstOnnxruntime(computed['ELU by Greater, Exp and Where']!)
  expect(fused.nodes.length).toBe(1)
})

test('a computed condition cannot choose infinity', () => {
  const spec = graph(
    [
      ['Greater', 'x zero', 'c'],
      ['Where', 'c x far', 'y'],
    ],
    { zero: number(0), far: number(-Infinity) },
  )
  expect(() => lowerOnnx(buildOnnx(spec), 'test')).toThrow(/infinite[\s\S]*large finite number/)
})

test('an equation that is no matrix product says what is', () => {
  const spec = graph([['Einsum', 'x', 'y', { equation: { string: 'bchw->bc' } }]])
  expect(() => lowerOnnx(buildOnnx(spec), 'test')).toThrow(/equation is not supported/)
})
