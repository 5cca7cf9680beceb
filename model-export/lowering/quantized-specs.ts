import type { OnnxSpec, TensorSpec } from '../onnx/build-onnx.js'
import { graph, ints, number, reals } from './data-dependent-specs.js'

/* Small models of operators on 8-bit integers, for tests. All read `x` of shape 1×3×4×5 and make `y`. */

const floats = (...data: readonly number[]): TensorSpec => ({ shape: [data.length], data })
const byte = (dtype: 'int8' | 'uint8', value: number): TensorSpec => ({
  dtype,
  shape: [],
  data: [value],
})

function bytes(dtype: 'int8' | 'uint8', ...shape: readonly number[]): TensorSpec {
  const { data } = reals(shape)
  const offset = dtype === 'uint8' ? 128 : 0
  return { dtype, shape, data: Array.from(data, (v) => Math.round(v * 120) + offset) }
}

/**
 * Of half the range: without VNNI instructions onnxruntime adds two products of a uint8 and an int8 in 16
 * bits, which saturate for larger ones.
 */
function smallBytes(...shape: readonly number[]): TensorSpec {
  const { data } = reals(shape)
  return { dtype: 'int8', shape, data: Array.from(data, (v) => Math.round(v * 60)) }
}

const x8 = ['QuantizeLinear', 'x xs xz', 'q'] as const
const scales = { xs: number(0.011), xz: byte('uint8', 130) }
const signed = { xs: number(0.013), xz: byte('int8', -7) }

export const quantized: Readonly<Record<string, OnnxSpec>> = {
  'QuantizeLinear, DequantizeLinear': graph([x8, ['DequantizeLinear', 'q xs xz', 'y']], scales),
  'QuantizeLinear, DequantizeLinear, int8': graph(
    [x8, ['DequantizeLinear', 'q xs xz', 'y']],
    signed,
  ),
  'a function, quantized': graph(
    [
      ['Relu', 'x', 'r'],
      ['QuantizeLinear', 'r xs', 'q'],
      ['DequantizeLinear', 'q xs', 'y'],
    ],
    { xs: number(0.007) },
  ),
  'QDQ convolution by channel': graph(
    [
      x8,
      ['DequantizeLinear', 'q xs xz', 'd'],
      ['DequantizeLinear', 'w ws wz', 'e', { axis: { int: 0 } }],
      ['Conv', 'd e', 'c', { pads: { ints: [1, 1, 1, 1] } }],
      ['Relu', 'c', 'r'],
      ['QuantizeLinear', 'r ys yz', 'p'],
      ['DequantizeLinear', 'p ys yz', 'y'],
    ],
    {
      ...scales,
      w: bytes('int8', 2, 3, 3, 3),
      ws: floats(0.004, 0.007),
      wz: { dtype: 'int8', shape: [2], data: [0, 0] },
      ys: number(0.05),
      yz: byte('uint8', 3),
    },
  ),
  QLinearConv: graph(
    [
      x8,
      ['QLinearConv', 'q xs xz w ws wz ys yz b', 'p', { pads: { ints: [1, 1, 1, 1] } }],
      ['DequantizeLinear', 'p ys yz', 'y'],
    ],
    {
      ...scales,
      w: bytes('uint8', 2, 3, 3, 3),
      ws: number(0.005),
      wz: byte('uint8', 120),
      ys: number(0.06),
      yz: byte('uint8', 101),
      b: { dtype: 'int32', shape: [2], data: [150, -4000] },
    },
  ),
  QLinearMatMul: graph(
    [x8, ['QLinearMatMul', 'q xs xz w ws wz ys yz', 'p'], ['DequantizeLinear', 'p ys yz', 'y']],
    {
      ...scales,
      w: bytes('uint8', 5, 3),
      ws: number(0.005),
      wz: byte('uint8', 120),
      ys: number(0.03),
      yz: byte('uint8', 101),
    },
  ),
  ConvInteger: graph(
    [
      x8,
      ['ConvInteger', 'q w xz wz', 'i', { pads: { ints: [1, 1, 1, 1] } }],
      ['Cast', 'i', 'f', { to: { int: 1 } }],
      ['Mul', 'f s', 'y'],
    ],
    { ...scales, w: bytes('uint8', 2, 3, 3, 3), wz: byte('uint8', 120), s: number(0.0001) },
  ),
  MatMulInteger: graph(
    [
      x8,
      ['MatMulInteger', 'q w xz wz', 'i'],
      ['Cast', 'i', 'f', { to: { int: 1 } }],
      ['Mul', 'f s', 'y'],
    ],
    { ...scales, w: smallBytes(5, 3), wz: byte('int8', 2), s: number(0.0001) },
  ),
  'Cast to bytes': graph(
    [
      ['Mul', 'x k', 'm'],
      ['Clip', 'm low high', 'c'],
      ['Cast', 'c', 'i', { to: { int: 2 } }],
      ['Cast', 'i', 'y', { to: { int: 1 } }],
    ],
    { k: number(300), low: number(0), high: number(255) },
  ),
  'Cast to integers': graph(
    [
      ['Mul', 'x k', 'm'],
      ['Cast', 'm', 'i', { to: { int: 6 } }],
      ['Cast', 'i', 'y', { to: { int: 1 } }],
    ],
    { k: number(9) },
  ),
  'a quantized constant': graph(
    [
      ['QuantizeLinear', 'c s z', 'q'],
      ['DequantizeLinear', 'q s z', 'd'],
      ['Reshape', 'd shape', 'e'],
      ['Add', 'x e', 'y'],
    ],
    { c: reals([5]), s: number(0.05), z: byte('int8', 4), shape: ints(1, 1, 1, 5) },
  ),
}
