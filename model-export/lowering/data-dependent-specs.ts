import type { AttributeSpec, NodeSpec, OnnxSpec, TensorSpec } from '../onnx/build-onnx.js'
import { noise } from './against-onnxruntime.js'

/*
 * Small models of non-linear and data-dependent operators, for tests: operators by themselves, and as
 * PyTorch and tf2onnx spell them out. All read `x` of shape 1×3×4×5 and make `y`.
 */

type Attributes = Readonly<Record<string, AttributeSpec>>
type Line = readonly [operator: string, inputs: string, output: string, attributes?: Attributes]

export const SHAPE = [1, 3, 4, 5] as const

export function reals(shape: readonly number[], seed = shape.length + 1, add = 0): TensorSpec {
  const count = shape.reduce((a, b) => a * b, 1)
  return { shape, data: noise(count, seed).map((value) => value + add) }
}

export const ints = (...data: readonly number[]): TensorSpec => ({
  dtype: 'int64',
  shape: [data.length],
  data,
})

export const number = (value: number): TensorSpec => ({ shape: [], data: [value] })

/** A graph, a line a node: operator, inputs separated by spaces (`_` for none), output, attributes. */
export function graph(
  lines: readonly Line[],
  initializers: Readonly<Record<string, TensorSpec>> = {},
  opset = 17,
): OnnxSpec {
  const nodes = lines.map(
    ([operator, inputs, output, attributes = {}]): NodeSpec => ({
      operator,
      inputs: inputs.split(' ').map((name) => (name === '_' ? '' : name)),
      outputs: [output],
      attributes,
    }),
  )
  return { opset, inputs: { x: SHAPE }, outputs: ['y'], initializers, nodes }
}

function one(
  operator: string,
  attributes: Attributes = {},
  initializers: Readonly<Record<string, TensorSpec>> = {},
  opset = 17,
): OnnxSpec {
  const inputs = ['x', ...Object.keys(initializers)].join(' ')
  return graph([[operator, inputs, 'y', attributes]], initializers, opset)
}

const fromZero = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** True at every other element. */
function checkered(shape: readonly number[]): TensorSpec {
  const count = shape.reduce((a, b) => a * b, 1)
  return { dtype: 'bool', shape, data: fromZero(count).map((i) => i % 2) }
}

/** Operators that are one table. */
export const tables: Readonly<Record<string, OnnxSpec>> = {
  ...Object.fromEntries(
    [
      ...['Abs', 'Acos', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Ceil', 'Celu', 'Cos', 'Cosh', 'Erf'],
      ...['Exp', 'Floor', 'HardSwish', 'Round', 'Selu', 'Shrink', 'Sign', 'Sin', 'Sinh'],
      ...['Softsign', 'Tan'],
    ].map((operator) => [operator, one(operator)]),
  ),
  Mish: one('Mish', {}, {}, 18),
  Gelu: one('Gelu', {}, {}, 20),
  'Gelu by tanh': one('Gelu', { approximate: { string: 'tanh' } }, {}, 20),
  'Celu, alpha': one('Celu', { alpha: { float: 0.3 } }),
  'ThresholdedRelu, alpha': one('ThresholdedRelu', { alpha: { float: 0.3 } }),
  'Pow 2': one('Pow', {}, { e: number(2) }),
  'Pow 3': one('Pow', {}, { e: number(3) }),
  'Pow of a constant': graph([['Pow', 'c x', 'y']], { c: number(2.5) }),
  ...Object.fromEntries(
    ['Log', 'Sqrt', 'Reciprocal'].map((operator) => [
      `${operator} of positive numbers`,
      graph(
        [
          ['Add', 'x c', 'p'],
          [operator, 'p', 'y'],
        ],
        { c: number(1.5) },
      ),
    ]),
  ),
  'GELU by Erf, spelled out': graph(
    [
      ['Div', 'x r', 'd'],
      ['Erf', 'd', 'e'],
      ['Add', 'e one', 'a'],
      ['Mul', 'x a', 'm'],
      ['Mul', 'm half', 'y'],
    ],
    { r: number(Math.SQRT2), one: number(1), half: number(0.5) },
  ),
  'GELU by Tanh, spelled out': graph(
    [
      ['Pow', 'x three', 'c'],
      ['Mul', 'c k', 'ck'],
      ['Add', 'x ck', 's'],
      ['Mul', 's r', 'sr'],
      ['Tanh', 'sr', 't'],
      ['Add', 't one', 'a'],
      ['Mul', 'x half', 'h'],
      ['Mul', 'h a', 'y'],
    ],
    {
      three: number(3),
      k: number(0.044715),
      r: number(Math.sqrt(2 / Math.PI)),
      one: number(1),
      half: number(0.5),
    },
  ),
  'SiLU, spelled out': graph([
    ['Sigmoid', 'x', 's'],
    ['Mul', 'x s', 'y'],
  ]),
  'Mish, spelled out': graph([
    ['Softplus', 'x', 's'],
    ['Tanh', 's', 't'],
    ['Mul', 'x t', 'y'],
  ]),
  'HardSwish, spelled out': graph(
    [
      ['Add', 'x three', 'a'],
      ['Clip', 'a zero six', 'c'],
      ['Mul', 'x c', 'm'],
      ['Div', 'm six', 'y'],
    ],
    { three: number(3), zero: number(0), six: number(6) },
  ),
  'Softplus, spelled out': graph(
    [
      ['Exp', 'x', 'e'],
      ['Add', 'e one', 'a'],
      ['Log', 'a', 'y'],
    ],
    { one: number(1) },
  ),
  'Softsign, spelled out': graph(
    [
      ['Abs', 'x', 'a'],
      ['Add', 'a one', 'b'],
      ['Div', 'x b', 'y'],
    ],
    { one: number(1) },
  ),
  'Tanh, spelled out': graph([
    ['Neg', 'x', 'n'],
    ['Exp', 'x', 'a'],
    ['Exp', 'n', 'b'],
    ['Sub', 'a b', 'c'],
    ['Add', 'a b', 'd'],
    ['Div', 'c d', 'y'],
  ]),
}

const parameters = { g: reals([3], 5, 1.5), b: reals([3], 6) }

const byChannel = { g: reals([3, 1, 1], 5, 1.5), b: reals([3, 1, 1], 6) }

/** Query, key and value of 20 tokens of 3 numbers, as heads × tokens × 3. */
const projections: readonly Line[] = [
  ['Reshape', 'x tokens', 't'],
  ['Transpose', 't', 'r', { perm: { ints: [0, 2, 1] } }],
  ...(['q', 'k', 'v'] as const).flatMap((name): Line[] => [
    ['MatMul', `r w${name}`, `${name}0`],
    ['Reshape', `${name}0 heads`, `${name}1`],
  ]),
  ['Transpose', 'q1', 'q2', { perm: { ints: [0, 2, 1, 3] } }],
  ['Transpose', 'k1', 'k2', { perm: { ints: [0, 2, 3, 1] } }],
  ['Transpose', 'v1', 'v2', { perm: { ints: [0, 2, 1, 3] } }],
]

/** Operators whose arithmetic depends on the data. */
export const dataDependent: Readonly<Record<string, OnnxSpec>> = {
  'Mul of two': graph(
    [
      ['Mul', 'x w', 'a'],
      ['Tanh', 'a', 't'],
      ['Sin', 'x', 's'],
      ['Mul', 't s', 'y'],
    ],
    { w: reals([3, 4, 5]) },
  ),
  'Mul that broadcasts': graph([
    ['ReduceMax', 'x', 'm', { axes: { ints: [1, 3] } }],
    ['Mul', 'm x', 'y'],
  ]),
  'Mul of a column and a row': graph([
    ['ReduceMax', 'x', 'a', { axes: { ints: [2] } }],
    ['ReduceMax', 'x', 'b', { axes: { ints: [3] } }],
    ['Mul', 'a b', 'y'],
  ]),
  'Div of two': graph(
    [
      ['Mul', 'x w', 'a'],
      ['Exp', 'x', 'e'],
      ['Div', 'a e', 'y'],
    ],
    { w: reals([3, 4, 5]) },
  ),
  'constant over computed': graph(
    [
      ['Add', 'x two', 'p'],
      ['Div', 'c p', 'y'],
    ],
    {
      c: reals([3, 4, 5]),
      two: number(2),
    },
  ),
  'MatMul of two': graph([
    ['Transpose', 'x', 't', { perm: { ints: [0, 1, 3, 2] } }],
    ['MatMul', 'x t', 'y'],
  ]),
  'MatMul that broadcasts': graph([
    ['ReduceMax', 'x', 'm', { axes: { ints: [1] } }],
    ['Transpose', 'm', 't', { perm: { ints: [0, 1, 3, 2] } }],
    ['MatMul', 'x t', 'y'],
  ]),
  'Gemm of two': graph(
    [
      ['Reshape', 'x s', 'm'],
      ['Gemm', 'm m', 'g', { transB: { int: 1 }, alpha: { float: 0.5 } }],
      ['Reshape', 'g back', 'y'],
    ],
    { s: ints(12, 5), back: ints(1, 1, 12, 12) },
  ),
  InstanceNormalization: one('InstanceNormalization', {}, parameters),
  'GroupNormalization by channel': one(
    'GroupNormalization',
    { num_groups: { int: 1 } },
    parameters,
    21,
  ),
  'GroupNormalization by group': one(
    'GroupNormalization',
    { num_groups: { int: 1 } },
    { g: reals([1], 5, 1.5), b: reals([1], 6) },
    18,
  ),
  'GroupNormalization, spelled out': graph(
    [
      ['Reshape', 'x groups', 'r'],
      ['InstanceNormalization', 'r one zero', 'i'],
      ['Shape', 'x', 'shape'],
      ['Reshape', 'i shape', 'n'],
      ['Mul', 'n g', 'm'],
      ['Add', 'm b', 'y'],
    ],
    {
      groups: ints(0, 1, -1),
      one: { shape: [1], data: [1] },
      zero: { shape: [1], data: [0] },
      ...byChannel,
    },
  ),
  LayerNormalization: one(
    'LayerNormalization',
    { axis: { int: -2 } },
    { g: reals([4, 5], 5, 1.5), b: reals([4, 5], 6) },
  ),
  'LayerNormalization over channels': graph(
    [
      ['Conv', 'x w', 'c'],
      ['Transpose', 'c', 't', { perm: { ints: [0, 2, 3, 1] } }],
      ['LayerNormalization', 't g b', 'n'],
      ['Transpose', 'n', 'r', { perm: { ints: [0, 3, 1, 2] } }],
      ['Conv', 'r v', 'y'],
    ],
    {
      w: reals([16, 3, 1, 1], 41),
      g: reals([16], 5, 1.5),
      b: reals([16], 6),
      v: reals([3, 16, 1, 1], 42),
    },
  ),
  MeanVarianceNormalization: one('MeanVarianceNormalization'),
  LpNormalization: one('LpNormalization', { axis: { int: 1 } }),
  'max pooling': one('MaxPool', { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } }),
  'max pooling, padded': one('MaxPool', {
    kernel_shape: { ints: [3, 3] },
    strides: { ints: [2, 2] },
    pads: { ints: [1, 1, 1, 1] },
  }),
  'max pooling, same': one('MaxPool', {
    kernel_shape: { ints: [2, 3] },
    auto_pad: { string: 'SAME_UPPER' },
  }),
  'max pooling, ceil': one('MaxPool', {
    kernel_shape: { ints: [3, 2] },
    strides: { ints: [2, 2] },
    ceil_mode: { int: 1 },
  }),
  'max pooling, dilated': one('MaxPool', {
    kernel_shape: { ints: [2, 2] },
    dilations: { ints: [2, 3] },
  }),
  GlobalMaxPool: one('GlobalMaxPool'),
  'ReduceMax of channels': one('ReduceMax', { axes: { ints: [1] } }),
  'ReduceMin of the last axes': one('ReduceMin', {
    axes: { ints: [-1, -2] },
    keepdims: { int: 1 },
  }),
  'Max and Min': graph(
    [
      ['Mul', 'x w', 'a'],
      ['Max', 'x a c', 'm'],
      ['Min', 'm v', 'y'],
    ],
    { w: reals([3, 4, 5]), c: number(-0.25), v: reals([3, 1, 1], 9) },
  ),
  'Softmax of the last axis': one('Softmax'),
  'Softmax of channels': one('Softmax', { axis: { int: 1 } }),
  'Softmax before opset 13': one('Softmax', { axis: { int: 2 } }, {}, 11),
  'division by a norm that is kept from 0, as Keras does': graph(
    [
      ['Mul', 'x x', 'q'],
      ['ReduceSum', 'q', 's'],
      ['Sqrt', 's', 'n'],
      ['Reciprocal', 'n', 'r'],
      ['Min', 'r most', 'm'],
      ['Mul', 'x m', 'y'],
    ],
    { most: number(1e9) },
  ),
  'Softmax behind a Where with −∞': graph(
    [
      ['Mul', 'x ten', 's'],
      ['Where', 'c never s', 'm'],
      ['Softmax', 'm', 'y'],
    ],
    { ten: number(10), never: number(-Infinity), c: checkered([3, 4, 5]) },
  ),
  'Softmax of channels with −∞ and numbers added': graph(
    [
      ['Add', 'm x', 's'],
      ['Cast', 's', 'd', { to: { int: 1 } }],
      ['Softmax', 'd', 'y', { axis: { int: 1 } }],
    ],
    {
      m: { shape: [3, 1, 5], data: [...fromZero(5), ...Array(5).fill(-Infinity), ...fromZero(5)] },
    },
  ),
  'Softmax with a large negative number added': graph(
    [
      ['Add', 'x m', 's'],
      ['Softmax', 's', 'y'],
    ],
    { m: { shape: [4, 5], data: fromZero(20).map((i) => (i % 5 > i / 5 ? -1e9 : 0)) } },
  ),
  LogSoftmax: one('LogSoftmax', { axis: { int: 1 } }),
  'self-attention': graph(
    [
      ...projections,
      ['MatMul', 'q2 k2', 'qk'],
      ['Mul', 'qk scale', 'scores'],
      ['Softmax', 'scores', 'p', { axis: { int: -1 } }],
      ['MatMul', 'p v2', 'o'],
      ['Transpose', 'o', 'o1', { perm: { ints: [0, 2, 1, 3] } }],
      ['Reshape', 'o1 rows', 'o2'],
      ['MatMul', 'o2 wo', 'o3'],
      ['Transpose', 'o3', 'o4', { perm: { ints: [0, 2, 1] } }],
      ['Reshape', 'o4 image', 'o5'],
      ['Add', 'x o5', 'y'],
    ],
    {
      tokens: ints(1, 3, 20),
      heads: ints(1, 20, 2, 3),
      rows: ints(1, 20, 6),
      image: ints(1, 3, 4, 5),
      scale: number(1 / Math.sqrt(3)),
      wq: reals([3, 6], 21),
      wk: reals([3, 6], 22),
      wv: reals([3, 6], 23),
      wo: reals([6, 3], 24),
    },
  ),
  'layer normalisation, spelled out': graph(
    [
      ['ReduceMean', 'x', 'm', { axes: { ints: [-1] } }],
      ['Sub', 'x m', 'd'],
      ['Pow', 'd two', 'p'],
      ['ReduceMean', 'p', 'v', { axes: { ints: [-1] } }],
      ['Add', 'v eps', 'e'],
      ['Sqrt', 'e', 's'],
      ['Div', 'd s', 'n'],
      ['Mul', 'n g', 'a'],
      ['Add', 'a b', 'y'],
    ],
    { two: number(2), eps: number(1e-5), g: reals([5], 5, 1.5), b: reals([5], 6) },
  ),
  'instance normalisation, spelled out': graph(
    [
      ['ReduceMean', 'x', 'm', { axes: { ints: [2, 3] } }],
      ['Sub', 'x m', 'd'],
      ['Mul', 'd d', 'p'],
      ['ReduceMean', 'p', 'v', { axes: { ints: [2, 3] } }],
      ['Add', 'v eps', 'e'],
      ['Sqrt', 'e', 's'],
      ['Reciprocal', 's', 'r'],
      ['Mul', 'd r', 'n'],
      ['Mul', 'n g', 'a'],
      ['Add', 'a b', 'y'],
    ],
    { eps: number(1e-5), ...byChannel },
  ),
  'pixel normalisation, spelled out': graph(
    [
      ['Conv', 'x w', 'c'],
      ['Pow', 'c two', 'p'],
      ['ReduceMean', 'p', 'v', { axes: { ints: [1] } }],
      ['Add', 'v eps', 'e'],
      ['Sqrt', 'e', 's'],
      ['Div', 'c s', 'n'],
      ['Conv', 'n u', 'y'],
    ],
    {
      w: reals([16, 3, 1, 1], 41),
      two: number(2),
      eps: number(1e-8),
      u: reals([3, 16, 1, 1], 42),
    },
  ),
  'softmax, spelled out': graph(
    [
      ['ReduceMax', 'x', 'm', { axes: { ints: [-1] } }],
      ['Sub', 'x m', 'd'],
      ['Exp', 'd', 'e'],
      ['ReduceSum', 'e axes', 's'],
      ['Div', 'e s', 'y'],
    ],
    { axes: ints(-1) },
  ),
  ReduceL2: one('ReduceL2', { axes: { ints: [1] } }),
  'ReduceSumSquare of everything': one('ReduceSumSquare'),
  'ReduceL1 without the axes': graph(
    [
      ['ReduceL1', 'x', 'r', { axes: { ints: [2] }, keepdims: { int: 0 } }],
      ['Reshape', 'r s', 'y'],
    ],
    { s: ints(1, 3, 1, 5) },
  ),
  'modulated convolution': graph(
    [
      ['GlobalMaxPool', 'x', 'style'],
      ['Mul', 'x style', 'm'],
      ['Conv', 'm w', 'c', { pads: { ints: [1, 1, 1, 1] } }],
      ['Mul', 'style style', 's2'],
      ['Conv', 's2 w2', 'd'],
      ['Add', 'd eps', 'd1'],
      ['Sqrt', 'd1', 'd2'],
      ['Reciprocal', 'd2', 'd3'],
      ['Mul', 'c d3', 'y'],
    ],
    {
      w: reals([3, 3, 3, 3], 31),
      w2: reals([3, 3, 1, 1], 32, 1.5),
      eps: number(1e-4),
    },
  ),
}
