import type { OnnxSpec } from '../onnx/build-onnx.js'
import { graph, ints, number, reals } from './data-dependent-specs.js'

/* Small models in which what is usually constant is computed: conditions, weights, stacks of matrices. */

const equation = (text: string) => ({ equation: { string: text } })

export const computed: Readonly<Record<string, OnnxSpec>> = {
  'ELU by Greater, Exp and Where': graph(
    [
      ['Greater', 'x zero', 'c'],
      ['Exp', 'x', 'e'],
      ['Sub', 'e one', 'm'],
      ['Where', 'c x m', 'y'],
    ],
    { zero: number(0), one: number(1) },
  ),
  'a comparison of two tensors chooses': graph(
    [
      ['Mul', 'x k', 'a'],
      ['Less', 'a x', 'c'],
      ['Not', 'c', 'd'],
      ['Where', 'd a x', 'y'],
    ],
    { k: number(-0.7) },
  ),
  'a comparison chooses between constants': graph(
    [
      ['LessOrEqual', 'x zero', 'c'],
      ['GreaterOrEqual', 'x low', 'd'],
      ['And', 'c d', 'f'],
      ['Where', 'f one two', 'y'],
    ],
    { zero: number(0.003), low: number(-0.503), one: number(1), two: number(2.5) },
  ),
  'Einsum moves axes': graph([['Einsum', 'x', 'y', equation('nchw->nhcw')]]),
  'Einsum with a constant': graph([['Einsum', 'x w', 'y', equation('bchw,cd->bhdw')]], {
    w: reals([3, 6]),
  }),
  'Einsum of two tensors': graph(
    [
      ['Mul', 'x k', 'a'],
      ['Einsum', 'x a', 'y', equation('bchw,bcvw->bchv')],
    ],
    { k: reals([1, 3, 1, 1]) },
  ),
  'MatMul with a stack of constants on the right': graph([['MatMul', 'x w', 'y']], {
    w: reals([3, 5, 2]),
  }),
  'MatMul with a stack of constants on the left': graph([['MatMul', 'w x', 'y']], {
    w: reals([1, 3, 2, 4]),
  }),
  'MatMul of a constant with a stack': graph([['MatMul', 'w x', 'y']], { w: reals([2, 4]) }),
  'Conv with a computed weight': graph(
    [
      ['Reshape', 'x s', 'v'],
      ['Conv', 'x v b', 'y', { pads: { ints: [2, 0, 2, 0] } }],
    ],
    { s: ints(4, 3, 5, 1), b: reals([4]) },
  ),
  'Conv of a constant with a computed weight, in groups': graph(
    [
      ['Reshape', 'x s', 'w'],
      ['Conv', 'c w', 'y', { group: { int: 2 }, strides: { ints: [2, 2] } }],
    ],
    { s: ints(6, 2, 5, 1), c: reals([1, 4, 7, 6]) },
  ),
  RMSNormalization: {
    ...graph([['RMSNormalization', 'x s', 'y', { axis: { int: -1 } }]], { s: reals([5]) }),
    opset: 23,
  },
  'Sum with constants first': graph([['Sum', 'a b x', 'y']], {
    a: number(0.5),
    b: reals([3, 1, 1]),
  }),
  'Gemm of constants': graph(
    [
      ['Reshape', 'x s', 'c'],
      ['Gemm', 'a b c', 'y', { alpha: { float: 0.5 }, beta: { float: 2 } }],
    ],
    { s: ints(6, 10), a: reals([6, 3]), b: reals([3, 10]) },
  ),
}
