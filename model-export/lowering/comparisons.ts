import { nodeError } from '../onnx/node-error.js'
import type { OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import type { UnaryChain } from '../unary.js'
import { lowerAdd, lowerMul, lowerSub } from './arithmetic.js'
import {
  type Activation,
  activationInput,
  emitElementwise,
  type Lower,
  type Lowering,
  required,
  reserve,
  type Value,
} from './lowering.js'

/*
 * Truth values of computed tensors are 0 and 1. A comparison is a table of the difference, so it is as
 * sharp as that is quantized: next to equality it may fall otherwise than in the float model.
 */

const sign = { op: 'elementary', name: 'sign' } as const
const flip: UnaryChain[number] = { op: 'linear', factor: -1, offset: 0 }
const not: UnaryChain[number] = { op: 'linear', factor: -1, offset: 1 }
const positive: UnaryChain = [sign, { op: 'relu' }]
const negative: UnaryChain = [flip, ...positive]

const real = (value: Value): Value =>
  value.kind === 'constant' ? { ...value, dtype: 'float32' } : value

/** A function of the difference of the operands. */
function comparison(chain: UnaryChain): Lower {
  return (node, inputs, lowering) => {
    const operands = [0, 1].map((index) => real(required(node, inputs, index)))
    const [difference] = lowerSub(node, operands, lowering)
    return [emitElementwise(lowering, node, difference as Activation, { activation: chain })]
  }
}

const lowerNot: Lower = (node, inputs, lowering) => [
  emitElementwise(lowering, node, activationInput(node, inputs, 0), { activation: [not] }),
]

const both: Lower = (node, inputs, lowering) => lowerMul(node, inputs.map(truth), lowering)

/** a + b − a·b */
const either: Lower = (node, inputs, lowering) => {
  const [sum] = lowerAdd(node, inputs.map(truth), lowering)
  return lowerSub(node, [sum, both(node, inputs, lowering)[0]], lowering)
}

function truth(value: Value | undefined): Value | undefined {
  if (value?.kind !== 'constant') return value
  return { ...value, dtype: 'float32', data: value.data.map((it) => (it === 0 ? 0 : 1)) }
}

/** Every value of a model that compiles is finite. */
const never: Lower = (node, inputs, lowering) => {
  const { shape } = required(node, inputs, 0)
  reserve(lowering, node, shape)
  return [{ kind: 'constant', dtype: 'bool', shape, data: new Float64Array(elementCount(shape)) }]
}

/** `b + condition · (a − b)`, the condition being computed. */
export function chooseBetween(
  lowering: Lowering,
  node: OnnxNode,
  condition: Activation,
  a: Value,
  b: Value,
): readonly Value[] {
  for (const value of [a, b])
    if (value.kind === 'constant' && !value.data.every(Number.isFinite))
      throw nodeError(node, 'an operand is infinite where a computed condition chooses', {
        expected: 'finite numbers',
        fix: 'Mask with a large finite number instead of −inf.',
      })
  if (a.kind === 'constant' && b.kind === 'constant') {
    // Each masked by a condition or its opposite: no constant meets another.
    const [opposite] = lowerNot(node, [condition], lowering)
    const parts = [lowerMul(node, [condition, a], lowering)[0]]
    return lowerAdd(node, [parts[0], lowerMul(node, [opposite, b], lowering)[0]], lowering)
  }
  const [difference] = lowerSub(node, [a, b], lowering)
  const [chosen] = lowerMul(node, [condition, difference], lowering)
  return lowerAdd(node, [chosen, b], lowering)
}

export const comparisons: Readonly<Record<string, Lower>> = {
  And: both,
  Equal: comparison([sign, { op: 'elementary', name: 'abs' }, not]),
  Greater: comparison(positive),
  GreaterOrEqual: comparison([...negative, not]),
  IsInf: never,
  IsNaN: never,
  Less: comparison(negative),
  LessOrEqual: comparison([...positive, not]),
  Not: lowerNot,
  Or: either,
}
