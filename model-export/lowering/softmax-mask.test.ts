import { buildOnnx, type OnnxSpec } from '../onnx/build-onnx.js'
import { readOnnx } from '../onnx/read-onnx.js'
import { graph } from './data-dependent-specs.js'
import { lowerGraph } from './lower-graph.js'

const lower = (spec: OnnxSpec) => lowerGraph(readOnnx(buildOnnx(spec)), 'test')
const mask = (...data: readonly number[]) => ({ shape: [5], data })

test('a row in which everything is masked is refused', () => {
  const spec = graph(
    [
      ['Add', 'x m', 's'],
      ['Softmax', 's', 'y'],
    ],
    { m: mask(...Array<number>(5).fill(-Infinity)) },
  )
  expect(() => lower(spec)).toThrow('everything is masked')
})

test('−∞ that something else reads is refused', () => {
  const spec = graph(
    [
      ['Add', 'x m', 's'],
      ['Softmax', 's', 'p'],
      ['Add', 's p', 'y'],
    ],
    { m: mask(0, 0, 0, 0, -Infinity) },
  )
  expect(() => lower(spec)).toThrow('not finite')
})

test('a large negative number that something else reads is added', () => {
  const spec = graph([['Add', 'x m', 'y']], { m: mask(0, 0, 0, 0, -1e9) })
  expect(lower(spec).nodes).toMatchObject([{ bias: { data: Float64Array.of(0, 0, 0, 0, -1e9) } }])
})
