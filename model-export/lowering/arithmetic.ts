import type { FloatTensor } from '../float-model.js'
import { nodeError } from '../onnx/node-error.js'
import type { Constant, OnnxNode } from '../onnx/onnx-graph.js'
import { broadcastShape } from './broadcast-shape.js'
import { expandTo } from './expand-activation.js'
import {
  type Activation,
  emitElementwise,
  emitSum,
  type Lower,
  type Lowering,
  required,
  requireFloat,
  type Value,
} from './lowering.js'
import { emitProduct } from './products.js'
import { hide, hides } from './softmax-mask.js'

const scalar = (value: number): FloatTensor => ({ shape: [], data: Float64Array.of(value) })

function operands(node: OnnxNode, inputs: readonly (Value | undefined)[]): readonly [Value, Value] {
  const pair = [required(node, inputs, 0), required(node, inputs, 1)] as const
  for (const value of pair) {
    if (value.kind === 'constant') requireFloat(node, value, 'constant operand')
  }
  if (broadcastShape(pair[0].shape, pair[1].shape) === undefined) {
    throw nodeError(node, 'the shapes of the operands do not fit', {
      expected: 'shapes that broadcast to each other',
      found: pair.map(({ shape }) => `[${shape.join(', ')}]`).join(' and '),
    })
  }
  return pair
}

function sum(sign: 1 | -1): Lower {
  return (node, inputs, lowering) => {
    const [a, b] = operands(node, inputs)
    if (a.kind === 'activation' && b.kind === 'activation') {
      return [
        emitSum(lowering, node, [
          { value: expandTo(lowering, node, a, b.shape), weight: scalar(1) },
          { value: expandTo(lowering, node, b, a.shape), weight: scalar(sign) },
        ]),
      ]
    }
    if (a.kind === 'activation') {
      const constant = b as Constant
      const offset = sign === 1 ? constant : { ...constant, data: constant.data.map((v) => -v) }
      const value = expandTo(lowering, node, a, b.shape)
      return [emitElementwise(lowering, node, value, { offset })]
    }
    const value = expandTo(lowering, node, b as Activation, a.shape)
    return [emitElementwise(lowering, node, value, { scale: scalar(sign), offset: a })]
  }
}

const addition = sum(1)

/** A sum; −∞ and the like before Softmax are a mask. */
export const lowerAdd: Lower = (node, inputs, lowering) => {
  const constant = inputs.find((it): it is Constant => it?.kind === 'constant')
  const value = inputs.find((it): it is Activation => it?.kind === 'activation')
  if (constant === undefined || value === undefined || !isMask(constant))
    return addition(node, inputs, lowering)
  const kept = constant.data.map((it) => (hides(it) ? 0 : it))
  const hidden = { ...constant, data: constant.data.map((it) => (hides(it) ? 1 : 0)) }
  const sum = kept.some((it) => it !== 0)
    ? (addition(node, [value, { ...constant, data: kept }], lowering)[0] as Activation)
    : value
  return [hide(lowering, node, sum, hidden)]

  function isMask({ data }: Constant): boolean {
    return lowering.softmaxInputs.has(node.outputs[0]!) && data.some(hides)
  }
}

export const lowerSub: Lower = sum(-1)

/** `Sum` of any number of operands: what is computed first, so that two constants never meet. */
export const lowerSum: Lower = (node, inputs, lowering) => [
  inputs
    .map((_, index) => required(node, inputs, index))
    .toSorted((a, b) => Number(a.kind === 'constant') - Number(b.kind === 'constant'))
    .reduce((a, b) => lowerAdd(node, [a, b], lowering)[0]!),
]

function scaled(lowering: Lowering, node: OnnxNode, value: Activation, scale: Constant): Value {
  return emitElementwise(lowering, node, expandTo(lowering, node, value, scale.shape), { scale })
}

export const lowerMul: Lower = (node, inputs, lowering) => {
  const [a, b] = operands(node, inputs)
  if (a.kind === 'constant') return [scaled(lowering, node, b as Activation, a)]
  if (b.kind === 'constant') return [scaled(lowering, node, a, b)]
  return [emitProduct(lowering, node, a, b)]
}

/** Division by a computed tensor is a product with its reciprocal. */

export const lowerDiv: Lower = (node, inputs, lowering) => {
  const [a, b] = operands(node, inputs)
  if (b.kind === 'activation') {
    const reciprocal = emitElementwise(lowering, node, b, {
      activation: [{ op: 'elementary', name: 'reciprocal' }],
      name: `${b.tensor}:reciprocal`,
    })
    return a.kind === 'constant'
      ? [scaled(lowering, node, reciprocal, a)]
      : [emitProduct(lowering, node, a, reciprocal)]
  }
  if (a.kind === 'constant') throw nodeError(node, 'both operands are constant')
  const scale: Constant = { ...b, data: b.data.map((value) => 1 / value) }
  requireFloat(node, scale, 'reciprocal of the divisor')
  return [scaled(lowering, node, a, scale)]
}

export const lowerNeg: Lower = (node, inputs, lowering) => {
  const value = required(node, inputs, 0) as Activation
  return [emitElementwise(lowering, node, value, { scale: scalar(-1) })]
}
