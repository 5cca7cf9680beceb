import type { AttributeSpec, NodeSpec, OnnxSpec, TensorSpec } from '../onnx/build-onnx.js'
import { graph, ints, number, reals } from './data-dependent-specs.js'

/*
 * Small models of operators that move, repeat, resize and average, for tests. All read `x` of shape
 * 1×3×4×5 and make `y`.
 */

type Attributes = Readonly<Record<string, AttributeSpec>>

const NONE: TensorSpec = { shape: [0], data: [] }

const floats = (...data: readonly number[]): TensorSpec => ({ shape: [data.length], data })

function one(
  operator: string,
  attributes: Attributes = {},
  initializers: Readonly<Record<string, TensorSpec>> = {},
  opset = 17,
): OnnxSpec {
  const inputs = ['x', ...Object.keys(initializers)].join(' ')
  return graph([[operator, inputs, 'y', attributes]], initializers, opset)
}

/** A Resize by scales of the last two axes. */
function scaled(mode: string, coordinates: string, height: number, width: number, more = {}) {
  return one(
    'Resize',
    {
      mode: { string: mode },
      coordinate_transformation_mode: { string: coordinates },
      ...more,
    },
    { roi: NONE, scales: floats(1, 1, height, width) },
  )
}

/** A Resize to sizes of the last two axes. */
function sized(mode: string, coordinates: string, height: number, width: number, more = {}) {
  return one(
    'Resize',
    {
      mode: { string: mode },
      coordinate_transformation_mode: { string: coordinates },
      ...more,
    },
    { roi: NONE, scales: NONE, sizes: ints(1, 3, height, width) },
  )
}

/** Sizes that shrink. */
function antialias(mode: string, height: number, width: number, excluding = 0): OnnxSpec {
  const attributes = { antialias: { int: 1 }, exclude_outside: { int: excluding } }
  return { ...sized(mode, 'half_pixel', height, width, attributes), opset: 18 }
}

const pads = (mode: string, ...data: readonly number[]): OnnxSpec =>
  one('Pad', { mode: { string: mode } }, { pads: ints(...data) })

const slice = (
  starts: readonly number[],
  ends: readonly number[],
  axes: readonly number[],
  steps: readonly number[],
) =>
  one(
    'Slice',
    {},
    {
      starts: ints(...starts),
      ends: ints(...ends),
      axes: ints(...axes),
      steps: ints(...steps),
    },
  )

const pool = (attributes: Attributes): OnnxSpec => one('AveragePool', attributes)

/** Makes several tensors with Split and puts them together again the other way round. */
function splitAndConcat(axis: number, sizes: readonly number[]): OnnxSpec {
  const names = sizes.map((_, i) => `p${i}`)
  const nodes: NodeSpec[] = [
    {
      operator: 'Split',
      inputs: ['x', 'sizes'],
      outputs: names,
      attributes: { axis: { int: axis } },
    },
    { operator: 'Relu', inputs: ['p0'], outputs: ['r'] },
    {
      operator: 'Concat',
      inputs: [...names.slice(1).reverse(), 'r'],
      outputs: ['y'],
      attributes: { axis: { int: axis } },
    },
  ]
  return {
    inputs: { x: [1, 3, 4, 5] },
    outputs: ['y'],
    initializers: { sizes: ints(...sizes) },
    nodes,
  }
}

const conv = (pad: number): Attributes => ({ pads: { ints: [pad, pad, pad, pad] } })
const nearest = {
  mode: { string: 'nearest' },
  coordinate_transformation_mode: { string: 'asymmetric' },
  nearest_mode: { string: 'floor' },
}
const twice: Readonly<Record<string, TensorSpec>> = { roi: NONE, scales: floats(1, 1, 2, 2) }

/** Pairs that become one layer. */
export const merged: Readonly<Record<string, OnnxSpec>> = {
  'nearest Resize, Conv': graph(
    [
      ['Resize', 'x roi scales', 'r', nearest],
      ['Conv', 'r w b', 'y', conv(1)],
    ],
    { ...twice, w: reals([2, 3, 3, 3]), b: reals([2]) },
  ),
  'nearest Resize, Conv by channel': graph(
    [
      ['Resize', 'x roi scales', 'r', nearest],
      ['Conv', 'r w', 'y', { ...conv(2), group: { int: 3 } }],
    ],
    { roi: NONE, scales: floats(1, 1, 3, 2), w: reals([3, 1, 5, 5]) },
  ),
  'nearest Resize, Pad, Conv': graph(
    [
      ['Resize', 'x roi scales', 'r', nearest],
      ['Pad', 'r pads', 'p'],
      ['Conv', 'p w', 'y'],
    ],
    { ...twice, pads: ints(0, 0, 1, 1, 0, 0, 1, 1), w: reals([2, 3, 3, 3]) },
  ),
  'Pad, Conv': graph(
    [
      ['Pad', 'x pads', 'p'],
      ['Conv', 'p w', 'y', { ...conv(1), strides: { ints: [2, 2] } }],
    ],
    { pads: ints(0, 0, 0, 1, 0, 0, 1, 2), w: reals([2, 3, 4, 3]) },
  ),
  'Slice of channels, Conv': graph(
    [
      ['Slice', 'x starts ends axes', 's'],
      ['Conv', 's w', 'y', conv(1)],
    ],
    { starts: ints(1), ends: ints(3), axes: ints(1), w: reals([2, 2, 3, 3]) },
  ),
  'Concat of channels with a constant, Conv': graph(
    [
      ['Concat', 'x c', 's', { axis: { int: 1 } }],
      ['Conv', 's w', 'y', conv(1)],
    ],
    { c: reals([1, 2, 4, 5]), w: reals([2, 5, 3, 3]) },
  ),
  'Concat of channels, ConvTranspose': graph(
    [
      ['Concat', 'x x', 's', { axis: { int: 1 } }],
      ['ConvTranspose', 's w', 'y', { strides: { ints: [2, 2] } }],
    ],
    { w: reals([6, 2, 3, 3]) },
  ),
  'Slice of the last axis, MatMul': graph(
    [
      ['Reshape', 'x tokens', 't'],
      ['Slice', 't starts ends axes', 's'],
      ['MatMul', 's w', 'y'],
    ],
    { tokens: ints(1, 12, 5), starts: ints(1), ends: ints(4), axes: ints(2), w: reals([3, 4]) },
  ),
}

/** Operators by themselves and in pairs. */
export const structural: Readonly<Record<string, OnnxSpec>> = {
  ...merged,
  'Conv hides what is around a crop': graph(
    [
      ['Slice', 'x starts ends axes', 's'],
      ['Conv', 's w', 'y', conv(1)],
    ],
    { starts: ints(1, 1), ends: ints(3, 4), axes: ints(2, 3), w: reals([2, 3, 3, 3]) },
  ),
  'Slice, steps': slice([0, 4], [4, 0], [2, 3], [2, -1]),
  'Slice, channels': slice([1], [3], [1], [1]),
  'Slice, every other pixel': slice([1, 1], [4, 5], [2, 3], [2, 2]),
  'Slice, all axes': slice([0, 0, 1, 2], [1, 2, 3, 9], [0, 1, 2, 3], [1, 1, 1, 1]),
  'Slice before opset 10': one(
    'Slice',
    { starts: { ints: [1] }, ends: { ints: [-1] }, axes: { ints: [3] } },
    {},
    9,
  ),
  'Split, channels': splitAndConcat(1, [1, 2]),
  'Split, rows': splitAndConcat(2, [1, 1, 2]),
  'Split, columns': splitAndConcat(3, [2, 3]),
  'Concat with constants, columns': graph(
    [
      ['Relu', 'x', 'r'],
      ['Concat', 'c x r c', 'y', { axis: { int: 3 } }],
    ],
    { c: reals([1, 3, 4, 2]) },
  ),
  'Gather, one': one(
    'Gather',
    { axis: { int: 2 } },
    { i: { dtype: 'int64', shape: [], data: [-1] } },
  ),
  'Gather, matrix': one(
    'Gather',
    { axis: { int: 1 } },
    { i: { dtype: 'int64', shape: [2, 2], data: [2, 0, 0, 1] } },
  ),
  'Gather, columns': one('Gather', { axis: { int: 3 } }, { i: ints(4, 0, 4) }),
  Tile: one('Tile', {}, { repeats: ints(1, 2, 3, 1) }),
  Expand: graph(
    [
      ['Slice', 'x starts ends axes', 's'],
      ['Expand', 's shape', 'y'],
    ],
    { starts: ints(1), ends: ints(2), axes: ints(2), shape: ints(1, 3, 6, 5) },
  ),
  'Pad, zeros': pads('constant', 0, 0, 1, 2, 0, 0, 0, 1),
  'Pad, channels': pads('constant', 0, 1, 0, 2, 0, 1, 0, 0),
  'Pad, crop': pads('constant', 0, 0, -1, 2, 0, 0, 0, -1),
  'Pad, value': one('Pad', {}, { pads: ints(0, 0, 1, 2, 0, 0, 0, 1), value: number(0.3) }),
  'Pad, reflect': pads('reflect', 0, 0, 3, 2, 0, 0, 1, 4),
  'Pad, edge': pads('edge', 0, 1, 3, 2, 0, 0, 1, 4),
  'Pad before opset 11': one(
    'Pad',
    { pads: { ints: [0, 0, 1, 0, 0, 0, 0, 1] }, value: { float: 0.5 } },
    {},
    10,
  ),
  AveragePool: pool({ kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } }),
  'AveragePool, padding counts': pool({
    kernel_shape: { ints: [3, 3] },
    pads: { ints: [1, 1, 1, 1] },
    count_include_pad: { int: 1 },
  }),
  'AveragePool, padding does not count': pool({
    kernel_shape: { ints: [3, 2] },
    pads: { ints: [1, 1, 1, 0] },
    strides: { ints: [1, 2] },
  }),
  'AveragePool, ceil': pool({
    kernel_shape: { ints: [3, 3] },
    strides: { ints: [2, 2] },
    ceil_mode: { int: 1 },
  }),
  'AveragePool, same': pool({ kernel_shape: { ints: [2, 3] }, auto_pad: { string: 'SAME_UPPER' } }),
  GlobalAveragePool: one('GlobalAveragePool'),
  'ReduceMean, channels': one('ReduceMean', { axes: { ints: [1] }, keepdims: { int: 0 } }),
  'ReduceMean, rows and channels': one('ReduceMean', { axes: { ints: [-1, 1] } }),
  'ReduceMean, all': one('ReduceMean'),
  'ReduceSum, input': one('ReduceSum', {}, { axes: ints(2, 3) }),
  'Col2Im, patches': graph(
    [
      ['Reshape', 'x s', 'c'],
      ['Col2Im', 'c image block', 'y', { strides: { ints: [2, 5] } }],
    ],
    { s: ints(1, 10, 6), image: ints(6, 10), block: ints(2, 5) },
    18,
  ),
  'Col2Im, blocks that overlap': graph(
    [
      ['Reshape', 'x s', 'c'],
      [
        'Col2Im',
        'c image block',
        'y',
        { pads: { ints: [0, 1, 1, 0] }, dilations: { ints: [1, 2] } },
      ],
    ],
    { s: ints(1, 12, 5), image: ints(1, 6), block: ints(2, 2) },
    18,
  ),
  'DepthToSpace, DCR': graph(
    [
      ['Tile', 'x n', 't'],
      ['DepthToSpace', 't', 'y', { blocksize: { int: 2 } }],
    ],
    { n: ints(1, 4, 1, 1) },
  ),
  'DepthToSpace, CRD': graph(
    [
      ['Conv', 'x w', 't'],
      ['DepthToSpace', 't', 'y', { blocksize: { int: 2 }, mode: { string: 'CRD' } }],
    ],
    { w: reals([8, 3, 1, 1]) },
  ),
  'PixelShuffle spelled out': graph(
    [
      ['Conv', 'x w', 't'],
      ['Reshape', 't s1', 'a'],
      ['Transpose', 'a', 'b', { perm: { ints: [0, 1, 4, 2, 5, 3] } }],
      ['Reshape', 'b s2', 'c'],
      ['Relu', 'c', 'd'],
      ['Conv', 'd v', 'y', conv(1)],
    ],
    {
      w: reals([8, 3, 1, 1]),
      v: reals([3, 2, 3, 3]),
      s1: ints(1, 2, 2, 2, 4, 5),
      s2: ints(1, 2, 8, 10),
    },
  ),
  SpaceToDepth: graph(
    [
      ['Slice', 'x starts ends axes', 's'],
      ['SpaceToDepth', 's', 'y', { blocksize: { int: 2 } }],
    ],
    { starts: ints(0), ends: ints(4), axes: ints(3) },
  ),
  'Where, a constant otherwise': graph([['Where', 'c x v', 'y']], {
    c: {
      dtype: 'bool',
      shape: [4, 5],
      data: Array.from({ length: 20 }, (_, i) => (i % 3 ? 1 : 0)),
    },
    v: reals([3, 1, 1]),
  }),
  'Where, two tensors': graph(
    [
      ['Relu', 'x', 'r'],
      ['Where', 'c r x', 'y'],
    ],
    { c: { dtype: 'bool', shape: [5], data: [1, 0, 0, 1, 0] } },
  ),
  'Trilu, upper': one('Trilu'),
  'Trilu, lower': one(
    'Trilu',
    { upper: { int: 0 } },
    { k: { dtype: 'int64', shape: [], data: [1] } },
  ),
  CumSum: one('CumSum', {}, { axis: { dtype: 'int64', shape: [], data: [2] } }),
  'CumSum, exclusive, reverse': one(
    'CumSum',
    { exclusive: { int: 1 }, reverse: { int: 1 } },
    { axis: { dtype: 'int64', shape: [], data: [-1] } },
  ),
  Mean: graph(
    [
      ['Relu', 'x', 'r'],
      ['Mean', 'x r c', 'y'],
    ],
    { c: reals([5]) },
  ),
  'Resize, nearest twice': scaled('nearest', 'half_pixel', 2, 3),
  'Resize, nearest ceil': scaled('nearest', 'half_pixel', 1.6, 2.5, {
    nearest_mode: { string: 'ceil' },
  }),
  'Resize, nearest floor': scaled('nearest', 'asymmetric', 1.6, 0.7, {
    nearest_mode: { string: 'floor' },
  }),
  'Resize, nearest prefers ceil': scaled('nearest', 'half_pixel', 0.5, 2, {
    nearest_mode: { string: 'round_prefer_ceil' },
  }),
  'Resize, nearest, corners': sized('nearest', 'align_corners', 7, 9),
  'Resize, nearest, PyTorch': sized('nearest', 'pytorch_half_pixel', 7, 1),
  'Resize, linear twice': scaled('linear', 'half_pixel', 2, 2),
  'Resize, linear, PyTorch': sized('linear', 'pytorch_half_pixel', 1, 13),
  'Resize, linear, corners': sized('linear', 'align_corners', 7, 3),
  'Resize, linear, asymmetric': scaled('linear', 'asymmetric', 2, 1.5),
  'Resize, cubic': scaled('cubic', 'half_pixel', 2, 1.5),
  'Resize, cubic, corners': sized('cubic', 'align_corners', 9, 6, {
    cubic_coeff_a: { float: -0.5 },
  }),
  'Resize, cubic, excluding': scaled('cubic', 'half_pixel', 2, 2, { exclude_outside: { int: 1 } }),
  // Deprecated in opset 13.
  'Resize, nearest as TensorFlow': {
    ...sized('nearest', 'tf_half_pixel_for_nn', 7, 3, { nearest_mode: { string: 'floor' } }),
    opset: 12,
  },
  'Resize, linear, antialias': antialias('linear', 2, 4),
  'Resize, linear, antialias, excluding': antialias('linear', 3, 2, 1),
  'Resize, cubic, antialias': antialias('cubic', 2, 3),
  'Resize, cubic, antialias, excluding': antialias('cubic', 3, 7, 1),
  'Resize, crop': one(
    'Resize',
    {
      mode: { string: 'linear' },
      coordinate_transformation_mode: { string: 'tf_crop_and_resize' },
    },
    { roi: floats(0, 0, 0.2, 0.1, 1, 1, 0.8, 1.3), scales: NONE, sizes: ints(1, 3, 5, 6) },
  ),
  'Resize, crop, a value outside': one(
    'Resize',
    {
      mode: { string: 'linear' },
      coordinate_transformation_mode: { string: 'tf_crop_and_resize' },
      extrapolation_value: { float: 0.7 },
    },
    { roi: floats(0, 0, 0.2, -0.3, 1, 1, 0.8, 1.3), scales: NONE, sizes: ints(1, 3, 5, 6) },
  ),
  'Resize, axes, aspect kept': one(
    'Resize',
    {
      axes: { ints: [2, 3] },
      keep_aspect_ratio_policy: { string: 'not_larger' },
      mode: { string: 'linear' },
    },
    { roi: NONE, scales: NONE, sizes: ints(9, 8) },
    18,
  ),
  'Resize before opset 11': one(
    'Resize',
    { mode: { string: 'linear' } },
    { scales: floats(1, 1, 2, 2) },
    10,
  ),
  'Upsample by input': one(
    'Upsample',
    { mode: { string: 'nearest' } },
    { scales: floats(1, 1, 2, 2) },
    9,
  ),
  'shapes computed, as PyTorch does': graph(
    [
      ['Shape', 'x', 's'],
      ['Slice', 's zero two', 'head'],
      ['Gather', 's three', 'w'],
      ['Cast', 'w', 'wf', { to: { int: 1 } }],
      ['Mul', 'wf half', 'wh'],
      ['Floor', 'wh', 'wg'],
      ['Cast', 'wg', 'wi', { to: { int: 7 } }],
      ['Unsqueeze', 'wi axis', 'wu'],
      ['Concat', 'head eight wu', 'sizes', { axis: { int: 0 } }],
      [
        'Resize',
        'x roi _ sizes',
        'y',
        {
          mode: { string: 'linear' },
          coordinate_transformation_mode: { string: 'pytorch_half_pixel' },
        },
      ],
    ],
    {
      zero: ints(0),
      two: ints(2),
      eight: ints(8),
      axis: ints(0),
      roi: NONE,
      three: { dtype: 'int64', shape: [], data: [3] },
      half: number(1.6),
    },
  ),
}
