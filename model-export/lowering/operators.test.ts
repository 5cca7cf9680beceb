import type { NodeSpec, OnnxSpec, TensorSpec } from '../onnx/build-onnx.js'
import { againstOnnxruntime, noise } from './against-onnxruntime.js'

function weights(...shape: readonly number[]): TensorSpec {
  return {
    shape,
    data: noise(
      shape.reduce((a, b) => a * b, 1),
      shape.length + 1,
    ),
  }
}

const ints = (...data: readonly number[]): TensorSpec => ({
  dtype: 'int64',
  shape: [data.length],
  data,
})

const scalar = (value: number): TensorSpec => ({ shape: [], data: [value] })

type Attributes = NonNullable<NodeSpec['attributes']>

/** A node that reads `x`, then the named initializers, and makes `y`. */
function single(
  operator: string,
  shape: readonly (number | string)[],
  initializers: Readonly<Record<string, TensorSpec>> = {},
  attributes: Attributes = {},
  inputs: readonly string[] = ['x', ...Object.keys(initializers)],
): OnnxSpec {
  return {
    inputs: { x: shape },
    outputs: ['y'],
    initializers,
    nodes: [{ operator, inputs, outputs: ['y'], attributes }],
  }
}

const image = ['n', 3, 4, 5]

const cases: Readonly<Record<string, OnnxSpec>> = {
  Relu: single('Relu', image),
  'LeakyRelu, default': single('LeakyRelu', image),
  LeakyRelu: single('LeakyRelu', image, {}, { alpha: { float: 0.3 } }),
  'Elu, default': single('Elu', image),
  Elu: single('Elu', image, {}, { alpha: { float: 0.5 } }),
  Sigmoid: single('Sigmoid', image),
  Tanh: single('Tanh', image),
  Softplus: single('Softplus', image),
  'HardSigmoid, default': single('HardSigmoid', image),
  HardSigmoid: single('HardSigmoid', image, {}, { alpha: { float: 0.9 }, beta: { float: 0.4 } }),
  Neg: single('Neg', image),
  'Clip by inputs': single('Clip', image, { low: scalar(-0.25), high: scalar(0.5) }),
  'Clip without minimum': single('Clip', image, { high: scalar(0.5) }, {}, ['x', '', 'high']),
  'Clip without bounds': single('Clip', image),
  'Clip by attributes': {
    ...single('Clip', image, {}, { min: { float: -0.2 }, max: { float: 0.1 } }),
    opset: 10,
  },
  'PRelu, one slope': single('PRelu', image, { slope: scalar(0.2) }),
  'PRelu by channel': single('PRelu', image, { slope: weights(3, 1, 1) }),
  'Add scalar': single('Add', image, { c: scalar(0.3) }),
  'Add by channel': single('Add', image, { c: weights(3, 1, 1) }),
  'Add by element': single('Add', image, { c: weights(1, 3, 4, 5) }),
  'Add that broadcasts the activation': single('Add', ['n', 3, 1, 5], { c: weights(2, 1, 4, 5) }),
  'Sub from constant': single('Sub', image, { c: weights(4, 5) }, {}, ['c', 'x']),
  'Sub constant': single('Sub', image, { c: weights(5) }),
  'Mul constant': single('Mul', image, { c: weights(3, 1, 1) }, {}, ['c', 'x']),
  'Mul that broadcasts the activation': single('Mul', [1, 3], { c: weights(4, 1, 3) }),
  'Div by constant': single('Div', image, { c: { shape: [5], data: [1, 2, 0.5, -4, 3] } }),
  BatchNormalization: single('BatchNormalization', image, {
    scale: weights(3),
    bias: { shape: [3], data: [0.1, 0.2, 0.3] },
    mean: { shape: [3], data: [0.3, -0.2, 0.1] },
    variance: { shape: [3], data: [0.5, 2, 0.01] },
  }),
  'BatchNormalization of a vector': single('BatchNormalization', ['n', 3], {
    scale: weights(3),
    bias: { shape: [3], data: [0.1, 0.2, 0.3] },
    mean: { shape: [3], data: [0.3, -0.2, 0.1] },
    variance: { shape: [3], data: [0.5, 2, 0.01] },
  }),
  'Gemm, bias of one row': single('Gemm', ['n', 4], { w: weights(4, 5), c: weights(1, 5) }),
  'Gemm, everything set': single(
    'Gemm',
    [4, 3],
    { w: weights(5, 4), c: weights(5) },
    { transA: { int: 1 }, transB: { int: 1 }, alpha: { float: 0.5 }, beta: { float: 2 } },
  ),
  'Gemm, constant on the left': single(
    'Gemm',
    [3, 4],
    { w: weights(5, 4), c: weights(5, 1) },
    { transB: { int: 1 } },
    ['w', 'x', 'c'],
  ),
  'Gemm, transposed constant on the left': single(
    'Gemm',
    [4, 3],
    { w: weights(4, 5) },
    { transA: { int: 1 } },
    ['w', 'x'],
  ),
  'Gemm plus a computed matrix': single(
    'Gemm',
    [3, 3],
    { w: weights(3, 3) },
    { beta: { float: 2 } },
    ['x', 'w', 'x'],
  ),
  MatMul: single('MatMul', ['n', 4], { w: weights(4, 5) }),
  'MatMul of a stack': single('MatMul', ['n', 2, 3, 4], { w: weights(4, 5) }),
  'MatMul by a vector': single('MatMul', ['n', 3, 4], { w: weights(4) }),
  'MatMul of a vector': single('MatMul', [4], { w: weights(4, 5) }),
  'MatMul, constant on the left': single('MatMul', ['n', 4, 3], { w: weights(5, 4) }, {}, [
    'w',
    'x',
  ]),
  'MatMul, constant vector on the left': single('MatMul', [4, 3], { w: weights(4) }, {}, [
    'w',
    'x',
  ]),
  'Reshape with 0 and −1': single('Reshape', image, { s: ints(0, -1, 2) }),
  'Flatten, default': single('Flatten', image),
  'Flatten at the end': single('Flatten', image, {}, { axis: { int: 4 } }),
  'Flatten, negative axis': single('Flatten', image, {}, { axis: { int: -1 } }),
  Transpose: single('Transpose', image, {}, { perm: { ints: [0, 2, 3, 1] } }),
  'Transpose, default': single('Transpose', image),
  'Squeeze all': single('Squeeze', [1, 3, 1, 4]),
  'Squeeze by input': single('Squeeze', [1, 3, 1, 4], { axes: ints(-2) }),
  'Squeeze by attribute': {
    ...single('Squeeze', [1, 3, 1, 4], {}, { axes: { ints: [0, 2] } }),
    opset: 11,
  },
  'Unsqueeze by input': single('Unsqueeze', image, { axes: ints(-1, 0) }),
  'Unsqueeze by attribute': {
    ...single('Unsqueeze', image, {}, { axes: { ints: [2, 5] } }),
    opset: 11,
  },
  Identity: single('Identity', image),
  Dropout: single('Dropout', image),
  Expand: single('Expand', [1, 3, 1, 2], { s: ints(2, 3, 4, 1) }),
  'Cast to float64 and back': {
    inputs: { x: image },
    outputs: ['y'],
    nodes: [
      { operator: 'Cast', inputs: ['x'], outputs: ['d'], attributes: { to: { int: 11 } } },
      { operator: 'Cast', inputs: ['d'], outputs: ['y'], attributes: { to: { int: 1 } } },
    ],
  },
  'Sum of three': single('Sum', image, {}, {}, ['x', 'x', 'x']),
  'float16, float64 and typed weights': {
    inputs: { x: ['n', 2] },
    outputs: ['y'],
    initializers: {
      // 1, −2, 0.5 and 2^−24, the smallest half.
      h: { dtype: 'float16', shape: [2, 2], data: [0x3c00, 0xc000, 0x3800, 1] },
      d: { dtype: 'float64', shape: [2], data: [0.1, 0.2], typed: true },
      f: { shape: [2], data: [0.3, 0.4], typed: true },
    },
    nodes: [
      { operator: 'Cast', inputs: ['h'], outputs: ['hf'], attributes: { to: { int: 1 } } },
      { operator: 'Cast', inputs: ['d'], outputs: ['df'], attributes: { to: { int: 1 } } },
      { operator: 'MatMul', inputs: ['x', 'hf'], outputs: ['m'] },
      { operator: 'Add', inputs: ['m', 'df'], outputs: ['a'] },
      { operator: 'Mul', inputs: ['a', 'f'], outputs: ['y'] },
    ],
  },
}

test.each(Object.entries(cases))('%s', async (_, spec) => {
  expect((await againstOnnxruntime(spec)).error).toBeLessThan(1e-4)
})
