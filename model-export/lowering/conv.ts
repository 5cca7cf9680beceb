import { nodeError } from '../onnx/node-error.js'
import type { Constant, OnnxAttribute, OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import { lowerAdd } from './arithmetic.js'
import { beginOf, byAxis, convolutionAttributes } from './convolution-geometry.js'
import { evaluateConstant } from './evaluate-constant.js'
import {
  type Activation,
  activationInput,
  emitAffine,
  inOrder,
  type Lower,
  type Lowering,
  required,
  reserve,
  type Value,
  weightInput,
} from './lowering.js'
import { multiply } from './matrix-product.js'

export const lowerConv: Lower = (node, inputs, lowering) => {
  if (inputs[1]?.kind === 'activation') return [convolveComputed(node, inputs, lowering)]
  const value = activationInput(node, inputs, 0)
  const weight = weightInput(node, inputs, 1, 'weight')
  const bias = inputs[2] === undefined ? undefined : weightInput(node, inputs, 2, 'bias')
  return [convolve(lowering, node, value, weight, bias, false)]
}

/** @param exact - the weight only picks elements */
function convolve(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  weight: Constant,
  bias: Constant | undefined,
  exact: boolean,
): Activation {
  const a = convolutionAttributes(node, value.shape, weight.shape)
  const [outputChannels, groupInputs] = weight.shape as [number, number]
  const inputChannels = value.shape[1]!
  if (
    a.groups < 1 ||
    outputChannels < 1 ||
    inputChannels !== groupInputs * a.groups ||
    outputChannels % a.groups !== 0 ||
    (bias !== undefined && bias.data.length !== outputChannels)
  ) {
    throw nodeError(node, 'channels, groups and bias do not fit', {
      expected: `${groupInputs} input channels a group, a bias of ${outputChannels}`,
      found: `${inputChannels} input channels in ${a.groups} groups, ${outputChannels} output channels${bias ? `, a bias of ${bias.data.length}` : ''}`,
    })
  }
  const axes = byAxis((axis) => {
    const input = a.input[axis]
    const stride = a.strides[axis]
    const reach = (a.kernel[axis] - 1) * a.dilations[axis] + 1
    if (a.autoPad === 'SAME_UPPER' || a.autoPad === 'SAME_LOWER') {
      const output = Math.ceil(input / stride)
      const total = Math.max(0, (output - 1) * stride + reach - input)
      return { begin: beginOf(total, a.autoPad), output }
    }
    const [begin, end] = a.autoPad === 'VALID' ? [0, 0] : [a.padBegin[axis], a.padEnd[axis]]
    return { begin, output: Math.floor((input + begin + end - reach) / stride) + 1 }
  })
  const [outputHeight, outputWidth] = [axes[0].output, axes[1].output]
  const spatial = a.spatialRank === 1 ? [outputWidth] : [outputHeight, outputWidth]
  const ordered = inOrder(lowering, node, value)
  return emitAffine(
    lowering,
    node,
    {
      shape: [outputChannels, outputHeight, outputWidth],
      terms: [
        {
          kind: 'conv',
          input: ordered.tensor,
          weight: { shape: [outputChannels, groupInputs, ...a.kernel], data: weight.data },
          inputChannels,
          inputHeight: a.input[0],
          inputWidth: a.input[1],
          outputChannels,
          outputHeight,
          outputWidth,
          strides: a.strides,
          dilations: a.dilations,
          padBegin: [axes[0].begin, axes[1].begin],
          groups: a.groups,
        },
      ],
      bias: bias && { shape: [outputChannels, 1, 1], data: bias.data },
      exact: exact ? { like: ordered.tensor, clamped: false } : undefined,
    },
    [1, outputChannels, ...spatial],
  )
}

/**
 * A convolution whose weight is computed, as where a style modulates it: the patches of the input are laid
 * side by side, nothing rounded, and multiplied with the weight as matrices.
 */
function convolveComputed(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  lowering: Lowering,
): Value {
  const value = required(node, inputs, 0)
  const weight = activationInput(node, inputs, 1)
  const { groups, kernel, spatialRank } = convolutionAttributes(node, value.shape, weight.shape)
  const channels = value.shape[1] ?? 0
  const [outputs, groupInputs] = weight.shape as [number, number]
  if (groups < 1 || channels !== groupInputs * groups || outputs % groups !== 0) {
    throw nodeError(node, 'channels and groups do not fit', {
      expected: `${groupInputs} input channels a group`,
      found: `${channels} input channels in ${groups} groups, ${outputs} output channels`,
    })
  }
  const area = kernel[0] * kernel[1]
  const shape = [channels * area, 1, ...(spatialRank === 1 ? [kernel[1]] : kernel)]
  reserve(lowering, node, [channels * area, area])
  const data = Float64Array.from({ length: channels * area * area }, (_, i) =>
    Math.floor(i / area) % area === i % area ? 1 : 0,
  )
  const identity: Constant = { kind: 'constant', dtype: 'float32', shape, data }
  const group = { type: 'int', value: channels } as const
  const attributes = new Map<string, OnnxAttribute>(node.attributes).set('group', group)
  const lay: Lower = (own, [image], to) => [
    convolve(to, own, image as Activation, identity, undefined, true),
  ]
  const side = { ...node, attributes }
  const patches =
    value.kind === 'constant'
      ? evaluateConstant(side, [value], lowering, lay)
      : lay(side, [value], lowering)[0]!
  const [batch = 1, , ...spatial] = patches.shape
  const places = elementCount(spatial)
  const product = multiply(
    lowering,
    node,
    { ...weight, shape: [groups, outputs / groups, groupInputs * area] },
    { ...patches, shape: [groups, groupInputs * area, places] },
    1,
  )
  const result = { ...product, shape: [batch, outputs, ...spatial] }
  const bias = inputs[2]
  if (bias === undefined) return result
  const along = { ...bias, shape: [outputs, ...spatial.map(() => 1)] }
  return lowerAdd(node, [result, along], lowering)[0]!
}
