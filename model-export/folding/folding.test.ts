import { againstOnnxruntime } from '../lowering/against-onnxruntime.js'
import type { NodeSpec, OnnxSpec, TensorSpec } from '../onnx/build-onnx.js'

const ints = (...data: readonly number[]): TensorSpec => ({
  dtype: 'int64',
  shape: [data.length],
  data,
})
const int = (value: number): TensorSpec => ({ dtype: 'int64', shape: [], data: [value] })
const floats = (...data: readonly number[]): TensorSpec => ({ shape: [data.length], data })

type Attributes = NonNullable<NodeSpec['attributes']>
const op = (
  operator: string,
  inputs: readonly string[],
  output: string | readonly string[],
  attributes: Attributes = {},
): NodeSpec => ({
  operator,
  inputs,
  outputs: typeof output === 'string' ? [output] : output,
  attributes,
})

/** Adds constant `k`, which the nodes make, to the latent of shape 1 × 6. */
function offset(
  initializers: Readonly<Record<string, TensorSpec>>,
  nodes: readonly NodeSpec[],
  opset = 17,
): OnnxSpec {
  return {
    opset,
    inputs: { x: ['n', 6] },
    outputs: ['y'],
    initializers,
    nodes: [...nodes, op('Add', ['x', 'k'], 'y')],
  }
}

const six = floats(1, -2, 3, -4, 5.5, -6.5)
const toFloat = { to: { int: 1 } }
const square: TensorSpec = { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }

const constants: Readonly<Record<string, OnnxSpec>> = {
  'Constant, value_floats': offset({}, [
    op('Constant', [], 'k', { value_floats: { floats: [1, 2, 3, 4, 5, 6] } }),
  ]),
  'Constant, value_ints': offset({}, [
    op('Constant', [], 'i', { value_ints: { ints: [1, 2, 3, 4, 5, 6] } }),
    op('Cast', ['i'], 'k', toFloat),
  ]),
  'ConstantOfShape, Range, Cast': offset({ s: ints(6), a: int(2), b: int(14), c: int(2) }, [
    op('ConstantOfShape', ['s'], 'ones', { value: { tensor: floats(1) } }),
    op('Range', ['a', 'b', 'c'], 'r'),
    op('Cast', ['r'], 'rf', toFloat),
    op('Mul', ['ones', 'rf'], 'k'),
  ]),
  'Gather, negative index': offset({ six, i: ints(5, -1, 0, -6, 2, 3) }, [
    op('Gather', ['six', 'i'], 'k'),
  ]),
  'Gather on the last axis': offset({ square, i: ints(2, 0) }, [
    op('Gather', ['square', 'i'], 'g', { axis: { int: 1 } }),
    op('ReduceSum', ['g'], 'k'),
  ]),
  'Slice with steps and clamping': offset(
    { six, from: ints(-1), to: ints(-1000), axis: ints(0), step: ints(-1) },
    [op('Slice', ['six', 'from', 'to', 'axis', 'step'], 'k')],
  ),
  'Slice to the end': offset({ square, from: ints(1), to: ints(2 ** 62), axis: ints(-1) }, [
    op('Slice', ['square', 'from', 'to', 'axis'], 's'),
    op('ReduceMax', ['s'], 'k'),
  ]),
  'Split, Concat': offset({ square, sizes: ints(1, 2), shape: ints(6) }, [
    op('Split', ['square', 'sizes'], ['a', 'b'], { axis: { int: 1 } }),
    op('Concat', ['b', 'a'], 'c', { axis: { int: 1 } }),
    op('Reshape', ['c', 'shape'], 'k'),
  ]),
  'Expand, Transpose, Reshape, Tile': offset(
    { a: { shape: [3, 1], data: [1, 2, 3] }, s: ints(3, 2), six: ints(-1), twice: ints(1, 2) },
    [
      op('Expand', ['a', 's'], 'e'),
      op('Transpose', ['e'], 't'),
      op('Tile', ['t', 'twice'], 'tt'),
      op('Split', ['tt'], ['first', 'second'], { axis: { int: 1 } }),
      op('Reshape', ['second', 'six'], 'k'),
    ],
  ),
  'Where, Equal, Not': offset({ six, z: floats(1), o: floats(0), t: floats(9) }, [
    op('Equal', ['six', 'z'], 'same'),
    op('Not', ['same'], 'other'),
    op('Where', ['other', 'six', 't'], 'k'),
  ]),
  'comparisons and logic': offset({ six, z: floats(3) }, [
    op('Less', ['six', 'z'], 'l'),
    op('GreaterOrEqual', ['six', 'z'], 'g'),
    op('LessOrEqual', ['six', 'z'], 'le'),
    op('Greater', ['six', 'z'], 'gr'),
    op('Or', ['l', 'g'], 'o'),
    op('And', ['le', 'gr'], 'a'),
    op('Cast', ['o'], 'of', toFloat),
    op('Cast', ['a'], 'af', toFloat),
    op('Add', ['of', 'af'], 'k'),
  ]),
  'integer division and remainder': offset(
    { a: ints(7, -7, 7, -7, 8, -8), b: ints(2, 2, -2, -2, 3, 3) },
    [
      op('Div', ['a', 'b'], 'd'),
      op('Mod', ['a', 'b'], 'm'),
      op('Cast', ['d'], 'df', toFloat),
      op('Cast', ['m'], 'mf', toFloat),
      op('Mul', ['df', 'mf'], 'k'),
    ],
  ),
  'real functions': offset({ six }, [
    op('Abs', ['six'], 'a'),
    op('Sqrt', ['a'], 's'),
    op('Reciprocal', ['s'], 'r'),
    op('Exp', ['r'], 'e'),
    op('Log', ['e'], 'l'),
    op('Sign', ['six'], 'sign'),
    op('Mul', ['l', 'sign'], 'm'),
    op('Mul', ['m', 's'], 'p'),
    op('Neg', ['p'], 'k'),
  ]),
  'rounding functions': offset({ v: floats(0.5, 1.5, 2.5, -0.5, -1.5, 0.49) }, [
    op('Round', ['v'], 'r'),
    op('Floor', ['v'], 'f'),
    op('Ceil', ['v'], 'c'),
    op('Sum', ['r', 'f', 'c'], 'k'),
  ]),
  'Min, Max, Pow': offset({ six, a: floats(2), b: floats(3) }, [
    op('Max', ['six', 'a'], 'x1'),
    op('Min', ['x1', 'b'], 'x2'),
    op('Pow', ['x2', 'a'], 'k'),
  ]),
  'reductions without kept axes': offset({ square }, [
    op('ReduceProd', ['square'], 'p', { axes: { ints: [1] }, keepdims: { int: 0 } }),
    op('ReduceMean', ['p'], 'm', { axes: { ints: [0] } }),
    op('ReduceMin', ['square'], 'n', { axes: { ints: [0, 1] }, keepdims: { int: 0 } }),
    op('Sub', ['m', 'n'], 'k'),
  ]),
  'ReduceProd by input': offset(
    { square, axes: ints(0) },
    [
      op('ReduceProd', ['square', 'axes'], 'p', { keepdims: { int: 1 } }),
      op('ReduceSum', ['p'], 'k'),
    ],
    18,
  ),
  'a layer of constants': offset(
    {
      z: { shape: [1, 2], data: [1, -2] },
      w: { shape: [2, 6], data: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] },
    },
    [op('MatMul', ['z', 'w'], 'm'), op('Tanh', ['m'], 'k')],
  ),
  'an int8 constant, as quantized exports have': offset(
    { q: { dtype: 'int8', shape: [6], data: [-128, 127, 0, 1, -1, 5] }, s: floats(0.1) },
    [op('Cast', ['q'], 'f', toFloat), op('Mul', ['f', 's'], 'k')],
  ),
}

/** Shape arithmetic as exporters write it, around an image of 1 × 3 × 4 × 4. */
const shapes: Readonly<Record<string, OnnxSpec>> = {
  'PyTorch: x.view(x.size(0), -1, 2)': {
    inputs: { x: ['batch', 3, 4, 4] },
    outputs: ['y'],
    initializers: { zero: int(0), axis: ints(0), minus: ints(-1), two: ints(2) },
    nodes: [
      op('Shape', ['x'], 's'),
      op('Gather', ['s', 'zero'], 'n', { axis: { int: 0 } }),
      op('Unsqueeze', ['n', 'axis'], 'n1'),
      op('Concat', ['n1', 'minus', 'two'], 'shape', { axis: { int: 0 } }),
      op('Reshape', ['x', 'shape'], 'y'),
    ],
  },
  'PyTorch: expand with Where and ConstantOfShape': {
    inputs: { x: ['batch', 3, 1, 1] },
    outputs: ['y'],
    initializers: { wanted: ints(-1, 3, 2, 2), minus: int(-1), rank: ints(4) },
    nodes: [
      op('ConstantOfShape', ['rank'], 'ones', { value: { tensor: ints(1) } }),
      op('Mul', ['ones', 'minus'], 'minuses'),
      op('Equal', ['wanted', 'minuses'], 'keep'),
      op('Where', ['keep', 'ones', 'wanted'], 'shape'),
      op('Expand', ['x', 'shape'], 'y'),
    ],
  },
  'Keras: a Reshape from slices, a cast and a product': {
    inputs: { x: ['unk__1', 4, 4, 3] },
    outputs: ['y'],
    initializers: { one: ints(1), four: ints(4), zero: ints(0), minus: ints(-1) },
    nodes: [
      op('Shape', ['x'], 's'),
      op('Cast', ['s'], 's32', { to: { int: 6 } }),
      op('Slice', ['s32', 'one', 'four', 'zero'], 'rest'),
      op('ReduceProd', ['rest'], 'count', { axes: { ints: [0] }, keepdims: { int: 1 } }),
      op('Cast', ['count'], 'count64', { to: { int: 7 } }),
      op('Concat', ['minus', 'count64'], 'shape', { axis: { int: 0 } }),
      op('Reshape', ['x', 'shape'], 'y'),
    ],
  },
  'Shape with bounds, Size and division': {
    inputs: { x: ['n', 3, 4, 4] },
    outputs: ['y'],
    initializers: { four: ints(4) },
    nodes: [
      op('Shape', ['x'], 'last', { start: { int: -1 } }),
      op('Size', ['x'], 'size'),
      op('Div', ['size', 'four'], 'rest'),
      op('Concat', ['last', 'rest'], 'shape', { axis: { int: 0 } }),
      op('Reshape', ['x', 'shape'], 'y'),
    ],
  },
}

test.each(Object.entries({ ...constants, ...shapes }))('%s', async (_, spec) => {
  expect((await againstOnnxruntime(spec)).error).toBeLessThan(1e-4)
})
