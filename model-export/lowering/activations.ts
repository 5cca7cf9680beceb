import { floatAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { Constant, OnnxNode } from '../onnx/onnx-graph.js'
import type { UnaryStep } from '../unary.js'
import { broadcastsTo } from './broadcast-shape.js'
import { uniformValue } from './compact.js'
import {
  activationInput,
  constantInput,
  emitElementwise,
  emitSum,
  type Lower,
  type Value,
  weightInput,
} from './lowering.js'

/** An operator that is one step of a table. */
function unary(step: (node: OnnxNode, inputs: readonly (Value | undefined)[]) => UnaryStep): Lower {
  return (node, inputs, lowering) => {
    const value = activationInput(node, inputs, 0)
    return [emitElementwise(lowering, node, value, { activation: [step(node, inputs)] })]
  }
}

export const lowerRelu: Lower = unary(() => ({ op: 'relu' }))
export const lowerSigmoid: Lower = unary(() => ({ op: 'sigmoid' }))
export const lowerTanh: Lower = unary(() => ({ op: 'tanh' }))
export const lowerSoftplus: Lower = unary(() => ({ op: 'softplus' }))

export const lowerLeakyRelu: Lower = unary((node) => ({
  op: 'leakyRelu',
  alpha: floatAttribute(node, 'alpha', 0.01),
}))

export const lowerElu: Lower = unary((node) => ({
  op: 'elu',
  alpha: floatAttribute(node, 'alpha', 1),
}))

export const lowerHardSigmoid: Lower = unary((node) => ({
  op: 'hardSigmoid',
  alpha: floatAttribute(node, 'alpha', 0.2),
  beta: floatAttribute(node, 'beta', 0.5),
}))

/** Bounds are attributes before opset 11 and optional inputs since. */
export const lowerClip: Lower = unary((node, inputs) => {
  const bound = (index: number, name: 'min' | 'max', none: number): number => {
    const constant: Constant | undefined = constantInput(node, inputs, index, `bound "${name}"`)
    if (constant === undefined) return floatAttribute(node, name, none)
    const [value] = constant.data
    if (constant.data.length !== 1 || value === undefined || Number.isNaN(value)) {
      throw nodeError(node, `the bound "${name}" must be one number`, {
        found: `${constant.data.length} values`,
      })
    }
    return value
  }
  return { op: 'clip', min: bound(1, 'min', -Infinity), max: bound(2, 'max', Infinity) }
})

/** One slope is a LeakyRelu; slopes by channel are `slope · x + (1 − slope) · relu(x)`. */
export const lowerPRelu: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const slope = weightInput(node, inputs, 1, 'slope')
  const alpha = uniformValue(slope)
  if (alpha !== undefined) {
    return [emitElementwise(lowering, node, value, { activation: [{ op: 'leakyRelu', alpha }] })]
  }
  if (!broadcastsTo(slope.shape, value.shape)) {
    throw nodeError(node, 'the slope does not fit', {
      expected: `a tensor that broadcasts to ${value.shape.join('×')}`,
      found: slope.shape.join('×'),
    })
  }
  const positive = emitElementwise(lowering, node, value, {
    activation: [{ op: 'relu' }],
    name: `${node.outputs[0]}:positive`,
  })
  return [
    emitSum(lowering, node, [
      { value, weight: slope },
      { value: positive, weight: { ...slope, data: slope.data.map((a) => 1 - a) } },
    ]),
  ]
}
