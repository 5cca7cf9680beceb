import { roundEven } from '../elementary.js'
import { broadcastShape } from '../lowering/broadcast-shape.js'
import { reserve } from '../lowering/lowering.js'
import { intAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import { type Constant, type Dtype, isInteger, type OnnxNode } from '../onnx/onnx-graph.js'
import { dtypeName, dtypeOf, supportedDtypes } from '../onnx/read-tensor.js'
import { broadcastIndex } from '../tensor-index.js'
import { constantAt, type Fold } from './fold.js'

const bits: Partial<Readonly<Record<Dtype, number>>> = {
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
}

/** Brings a number into an element type: integers wrap as in C, reals are rounded to their width. */
function store(dtype: Dtype, value: number): number {
  if (dtype === 'float32' || dtype === 'float16') return Math.fround(value)
  if (dtype === 'bfloat16') return toBfloat(value)
  if (dtype === 'bool') return value === 0 ? 0 : 1
  const width = bits[dtype]
  if (width === undefined) return value
  const wrapped = value - 2 ** width * Math.floor(value / 2 ** width)
  return dtype.startsWith('uint') || wrapped < 2 ** (width - 1) ? wrapped : wrapped - 2 ** width
}

/** To the nearest number of 8 bits, halves to even. */
function toBfloat(value: number): number {
  const word = Uint32Array.of(0)
  const real = new Float32Array(word.buffer)
  real[0] = value
  if (!Number.isFinite(value)) return value
  word[0] = word[0]! + 0x7fff + ((word[0]! >>> 16) & 1)
  word[0] = word[0]! & 0xffff0000
  return real[0]!
}

function combine(
  node: OnnxNode,
  operands: readonly Constant[],
  dtype: Dtype,
  lowering: Parameters<Fold>[2],
  f: (values: readonly number[]) => number,
): Constant {
  const shape = operands.reduce<readonly number[] | undefined>(
    (joint, { shape }) => joint && broadcastShape(joint, shape),
    [],
  )
  if (shape === undefined) {
    throw nodeError(node, 'the shapes of the operands do not fit', {
      found: operands.map((it) => `[${it.shape.join(', ')}]`).join(' and '),
    })
  }
  reserve(lowering, node, shape, 0)
  const indices = operands.map((it) => broadcastIndex(it.shape, shape))
  const count = indices[0]!.length
  const data = new Float64Array(count)
  const values = new Array<number>(operands.length)
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < values.length; k++) values[k] = operands[k]!.data[indices[k]![i]!]!
    data[i] = store(dtype, f(values))
  }
  return { kind: 'constant', dtype, shape, data }
}

/** A function of two operands of one element type. `mayDivide` forbids an integer divisor of zero. */
function binary(
  f: (a: number, b: number, integer: boolean) => number,
  result?: Dtype,
  mayDivide = false,
): Fold {
  return (node, inputs, lowering) => {
    const operands = [constantAt(node, inputs, 0), constantAt(node, inputs, 1)]
    const { dtype } = operands[0]!
    const integer = isInteger(dtype)
    if (mayDivide && integer && operands[1]!.data.includes(0)) {
      throw nodeError(node, 'division by zero')
    }
    return [combine(node, operands, result ?? dtype, lowering, ([a, b]) => f(a!, b!, integer))]
  }
}

function unary(f: (x: number) => number): Fold {
  return (node, inputs, lowering) => {
    const operand = constantAt(node, inputs, 0)
    return [combine(node, [operand], operand.dtype, lowering, ([x]) => f(x!))]
  }
}

function fromLeft(f: (a: number, b: number) => number): Fold {
  return (node, inputs, lowering) => {
    const operands = inputs.map((_, index) => constantAt(node, inputs, index))
    const { dtype } = constantAt(node, inputs, 0)
    return [combine(node, operands, dtype, lowering, (values) => values.reduce(f))]
  }
}

const cast: Fold = (node, inputs, lowering) => {
  const operand = constantAt(node, inputs, 0)
  const code = intAttribute(node, 'to', 0)
  const dtype = dtypeOf(code)
  if (dtype === undefined) {
    throw nodeError(node, 'the element type is not supported', {
      expected: supportedDtypes,
      found: dtypeName(code),
    })
  }
  const whole = isInteger(dtype)
  return [combine(node, [operand], dtype, lowering, ([x]) => (whole ? Math.trunc(x!) : x!))]
}

const where: Fold = (node, inputs, lowering) => {
  const operands = [0, 1, 2].map((index) => constantAt(node, inputs, index))
  return [combine(node, operands, operands[1]!.dtype, lowering, ([c, a, b]) => (c ? a! : b!))]
}

const truth = (value: boolean): number => (value ? 1 : 0)

/** Elementwise operators of constants. */
export const elementwiseFolds: Readonly<Record<string, Fold>> = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b, integer) => (integer ? Math.trunc(a / b) : a / b), undefined, true),
  // Integer Mod takes the sign of the divisor, fmod that of the dividend.
  Mod: (node, inputs, lowering) =>
    binary(
      intAttribute(node, 'fmod', 0) === 0 ? (a, b) => a - b * Math.floor(a / b) : (a, b) => a % b,
      undefined,
      true,
    )(node, inputs, lowering),
  Pow: binary((a, b) => a ** b),
  Min: fromLeft((a, b) => Math.min(a, b)),
  Max: fromLeft((a, b) => Math.max(a, b)),
  Sum: fromLeft((a, b) => a + b),
  Equal: binary((a, b) => truth(a === b), 'bool'),
  Less: binary((a, b) => truth(a < b), 'bool'),
  LessOrEqual: binary((a, b) => truth(a <= b), 'bool'),
  Greater: binary((a, b) => truth(a > b), 'bool'),
  GreaterOrEqual: binary((a, b) => truth(a >= b), 'bool'),
  And: binary((a, b) => truth(a !== 0 && b !== 0), 'bool'),
  Or: binary((a, b) => truth(a !== 0 || b !== 0), 'bool'),
  Not: unary((x) => truth(x === 0)),
  Neg: unary((x) => -x),
  Abs: unary(Math.abs),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Round: unary(roundEven),
  Sign: unary(Math.sign),
  Cast: cast,
  Where: where,
}
