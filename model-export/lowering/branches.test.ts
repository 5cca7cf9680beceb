import onnxProto from 'onnx-proto'
import { executeFloat } from '../execute-float.js'
import { lowerOnnx } from '../lower-onnx.js'
import { buildOnnx } from '../onnx/build-onnx.js'

const { ModelProto } = onnxProto.onnx

/** `If` on a condition, with branches that double and triple x; both call their constant `factor`. */
function withIf(condition: 'constant' | 'computed', inner = 'factor'): Uint8Array {
  const model = ModelProto.decode(
    buildOnnx({
      inputs: { x: [1, 3] },
      outputs: ['y'],
      initializers: {
        c: { dtype: 'bool', shape: [], data: [0] },
        zero: { shape: [], data: [0] },
        outer: { shape: [], data: [1] },
      },
      nodes: [
        { operator: 'Greater', inputs: ['x', 'zero'], outputs: ['g'] },
        { operator: 'Mul', inputs: ['x', 'outer'], outputs: ['m'] },
      ],
    }),
  )
  const branch = (factor: number, output: string) => ({
    name: output,
    initializer: [{ name: inner, dataType: 1, dims: [], floatData: [factor] }],
    node: [{ opType: 'Mul', input: ['m', inner], output: [output] }],
    output: [{ name: output }],
  })
  const node = {
    name: 'choice',
    opType: 'If',
    input: [condition === 'constant' ? 'c' : 'g'],
    output: ['y'],
    attribute: [
      { name: 'then_branch', type: 5, g: branch(2, 'doubled') },
      { name: 'else_branch', type: 5, g: branch(3, 'tripled') },
    ],
  }
  const plain = ModelProto.toObject(model)
  plain.graph.node.push(node)
  return ModelProto.encode(ModelProto.fromObject(plain)).finish()
}

test('the branch of a constant condition is taken in', () => {
  const model = lowerOnnx(withIf('constant'), 'test')
  const output = executeFloat(model, Float64Array.of(1, -2, 3)).get(model.output.name)
  expect([...output!]).toEqual([3, -6, 9])
  expect(model.nodes.length).toBe(1)
})

test('a computed condition and a name of the graph around are refused', () => {
  expect(() => lowerOnnx(withIf('computed'), 'test')).toThrow(/choice.*condition must be constant/)
  expect(() => lowerOnnx(withIf('constant', 'outer'), 'test')).toThrow(/"outer" is defined twice/)
})

test('graphs in graphs end somewhere', () => {
  let bytes = withIf('constant')
  for (let depth = 0; depth < 10; depth++) {
    const plain = ModelProto.toObject(ModelProto.decode(bytes))
    const branch = plain.graph.node.at(-1).attribute[1].g
    const node = plain.graph.node.at(-1)
    plain.graph.node[plain.graph.node.length - 1] = {
      ...node,
      attribute: [
        { name: 'then_branch', type: 5, g: branch },
        { name: 'else_branch', type: 5, g: { ...branch, node: [node] } },
      ],
    }
    bytes = ModelProto.encode(ModelProto.fromObject(plain)).finish()
  }
  expect(() => lowerOnnx(bytes, 'test')).toThrow(/too deep/)
})

test('short reals and integers are read, raw and typed', () => {
  const plain = ModelProto.toObject(
    ModelProto.decode(
      buildOnnx({
        inputs: { x: [1, 2] },
        outputs: ['y'],
        initializers: { w: { shape: [2], data: [0, 0] } },
        nodes: [{ operator: 'Mul', inputs: ['x', 'w'], outputs: ['y'] }],
      }),
    ),
  )
  const read = (tensor: object) => {
    plain.graph.initializer = [{ name: 'w', dims: [2], ...tensor }]
    const bytes = ModelProto.encode(ModelProto.fromObject(plain)).finish()
    const model = lowerOnnx(bytes, 'test')
    return [...executeFloat(model, Float64Array.of(1, 1)).get(model.output.name)!]
  }
  expect(read({ dataType: 16, int32Data: [0x3f80, 0xc040] })).toEqual([1, -3])
  expect(read({ dataType: 16, rawData: Uint8Array.of(0x80, 0x3f, 0x40, 0xc0) })).toEqual([1, -3])
})
