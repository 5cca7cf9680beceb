import { intAttribute, normalizeAxis } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { Constant, Dtype, OnnxNode } from '../onnx/onnx-graph.js'
import { dtypeOf } from '../onnx/read-tensor.js'
import type { UnaryChain } from '../unary.js'
import { lowerConv } from './conv.js'
import {
  type Activation,
  activationInput,
  constantInput,
  emitElementwise,
  type Lower,
  type Lowering,
  required,
  type Value,
} from './lowering.js'
import { lowerMatMul } from './matrix-product.js'

/*
 * Operators of models that are quantized already. A tensor of small integers is a tensor of reals whose
 * values are these integers: quantizing is a scale, a rounding, a zero point and a saturation, which
 * are one table; and as the scale is known, so are the table's rows and outputs (`rounded-code.ts`).
 */

const LIMITS: Partial<Readonly<Record<Dtype, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
}

/** One number, or one along an axis, as a constant that broadcasts to a tensor of this rank. */
function parameter(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  index: number,
  meaning: string,
  rank: number,
  axis: number,
): Constant | undefined {
  const value = constantInput(node, inputs, index, meaning)
  if (value === undefined || value.data.length === 1)
    return value && { ...value, dtype: 'float32', shape: [] }
  if (value.shape.length !== 1 || rank === 0) {
    throw nodeError(node, `the ${meaning} is neither one number nor one along an axis`, {
      found: `shape ${value.shape.join('×')}`,
      fix: 'Quantize by tensor or by channel, not by block.',
    })
  }
  const at = normalizeAxis(node, axis, rank)
  const shape = Array.from({ length: rank }, (_, i) => (i === at ? value.data.length : 1))
  return { ...value, dtype: 'float32', shape }
}

function inverse(scale: Constant): Constant {
  return { ...scale, data: scale.data.map((value) => 1 / value) }
}

function negative(value: Constant): Constant {
  return { ...value, data: value.data.map((v) => -v) }
}

/** The element type that a quantizing node makes. */
function limitsOf(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  index: number,
): readonly [number, number] {
  const zero = constantInput(node, inputs, index, 'zero point')
  const named = dtypeOf(intAttribute(node, 'output_dtype', 0))
  const dtype: Dtype = zero?.dtype ?? named ?? 'uint8'
  const limits = LIMITS[dtype]
  if (limits === undefined) {
    throw nodeError(node, 'only 8-bit integers are supported', {
      expected: 'int8 or uint8',
      found: dtype,
    })
  }
  return limits
}

/** Rounded, moved by the zero point, saturated. */
function emitRounded(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  scale: Constant | undefined,
  zeroPoint: number,
  [low, high]: readonly [number, number],
): Activation {
  const activation: UnaryChain = [
    { op: 'elementary', name: 'round' },
    { op: 'clip', min: low - zeroPoint, max: high - zeroPoint },
    { op: 'linear', factor: 1, offset: zeroPoint },
  ]
  return emitElementwise(lowering, node, value, {
    ...(scale === undefined ? {} : { scale }),
    activation,
  })
}

function oneZeroPoint(node: OnnxNode, zero: Constant | undefined): number {
  const first = zero?.data[0] ?? 0
  if (zero?.data.every((value) => value === first) ?? true) return first
  throw nodeError(node, 'different zero points of a computed tensor are not supported', {
    expected: 'one zero point',
    found: [...zero!.data.slice(0, 4)].join(', '),
  })
}

export const lowerQuantizeLinear: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const axis = intAttribute(node, 'axis', 1)
  const rank = value.shape.length
  const scale = parameter(node, inputs, 1, 'scale', rank, axis)
  if (scale === undefined) throw nodeError(node, 'the scale is missing')
  const zero = oneZeroPoint(node, parameter(node, inputs, 2, 'zero point', rank, axis))
  const limits = limitsOf(node, inputs, 2)
  return [emitRounded(lowering, node, value, inverse(scale), zero, limits)]
}

export const lowerDequantizeLinear: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  return [dequantize(lowering, node, inputs, value, 0, intAttribute(node, 'axis', 1))]
}

/** (x − zero point) · scale, the two inputs behind x. */
function dequantize(
  lowering: Lowering,
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  value: Activation,
  at: number,
  axis: number,
): Activation {
  const rank = value.shape.length
  const scale = parameter(node, inputs, at + 1, 'scale', rank, axis)
  const zero = parameter(node, inputs, at + 2, 'zero point', rank, axis)
  const moved = shifted(lowering, node, value, zero)
  return scale === undefined ? moved : emitElementwise(lowering, node, moved, { scale })
}

function shifted(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  zero: Constant | undefined,
): Activation {
  if (zero === undefined || zero.data.every((v) => v === 0)) return value
  return emitElementwise(lowering, node, value, { offset: negative(zero) })
}

/** A weight less its zero point, times its scale; both along `axis`. */
function weightOf(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  at: number,
  scaleAt: number | undefined,
  zeroAt: number,
  axis: number,
): Constant {
  const value = required(node, inputs, at)
  if (value.kind === 'activation') {
    throw nodeError(node, 'the weight must be constant, not computed from the latent')
  }
  const rank = value.shape.length
  const zero = parameter(node, inputs, zeroAt, 'zero point of the weight', rank, axis)
  const scale =
    scaleAt === undefined
      ? undefined
      : parameter(node, inputs, scaleAt, 'scale of the weight', rank, axis)
  const along = rank === 0 ? 0 : normalizeAxis(node, axis, rank)
  const inner = value.shape.slice(along + 1).reduce((a, b) => a * b, 1)
  const size = value.shape[along] ?? 1
  const pick = (tensor: Constant | undefined, i: number, fallback: number): number => {
    if (tensor === undefined) return fallback
    return tensor.data[tensor.data.length === 1 ? 0 : Math.floor(i / inner) % size]!
  }
  const data = value.data.map((v, i) => (v - pick(zero, i, 0)) * pick(scale, i, 1))
  return { kind: 'constant', dtype: 'float32', shape: value.shape, data }
}

/** Integers in, integers out: only zero points. */
export const lowerConvInteger: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const x = shifted(lowering, node, value, parameter(node, inputs, 2, 'zero point', 0, 0))
  return lowerConv(node, [x, weightOf(node, inputs, 1, undefined, 3, 0)], lowering)
}

export const lowerMatMulInteger: Lower = (node, inputs, lowering) => {
  const [a, b] = [required(node, inputs, 0), required(node, inputs, 1)]
  if (a.kind === 'activation') {
    const x = shifted(lowering, node, a, parameter(node, inputs, 2, 'zero point', 0, 0))
    return lowerMatMul(node, [x, weightOf(node, inputs, 1, undefined, 3, -1)], lowering)
  }
  const y = shifted(lowering, node, b as Activation, parameter(node, inputs, 3, 'zero point', 0, 0))
  return lowerMatMul(node, [weightOf(node, inputs, 0, undefined, 2, -2), y], lowering)
}

/** Convolves, brings the sum to the scale of the output and rounds. */
export const lowerQLinearConv: Lower = (node, inputs, lowering) => {
  const x = dequantize(lowering, node, inputs, activationInput(node, inputs, 0), 0, 0)
  const weight = weightOf(node, inputs, 3, 4, 5, 0)
  const bias = constantInput(node, inputs, 8, 'bias')
  const xScale = constantInput(node, inputs, 1, 'scale')?.data[0] ?? 1
  const wScale = constantInput(node, inputs, 4, 'scale of the weight')?.data ?? [1]
  const scaled = bias && {
    ...bias,
    dtype: 'float32' as const,
    data: bias.data.map((b, i) => b * xScale * wScale[wScale.length === 1 ? 0 : i]!),
  }
  const [sum] = lowerConv(node, [x, weight, scaled], lowering)
  return [rescaled(lowering, node, inputs, sum as Activation, 6)]
}

export const lowerQLinearMatMul: Lower = (node, inputs, lowering) => {
  const operand = (at: number): Value => {
    const value = required(node, inputs, at)
    return value.kind === 'activation'
      ? dequantize(lowering, node, inputs, value, at, 0)
      : weightOf(node, inputs, at, at + 1, at + 2, at === 0 ? -2 : -1)
  }
  const [product] = lowerMatMul(node, [operand(0), operand(3)], lowering)
  return [rescaled(lowering, node, inputs, product as Activation, 6)]
}

function rescaled(
  lowering: Lowering,
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  value: Activation,
  at: number,
): Activation {
  const scale = parameter(node, inputs, at, 'scale of the output', 0, 0)
  if (scale === undefined) throw nodeError(node, 'the scale of the output is missing')
  const zero = parameter(node, inputs, at + 1, 'zero point of the output', 0, 0)
  const limits = limitsOf(node, inputs, at + 1)
  const zeroPoint = oneZeroPoint(node, zero)
  return emitRounded(lowering, node, value, inverse(scale), zeroPoint, limits)
}
