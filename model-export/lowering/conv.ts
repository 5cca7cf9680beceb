import { nodeError } from '../onnx/node-error.js'
import { beginOf, byAxis, convolutionAttributes } from './convolution-geometry.js'
import { activationInput, emitAffine, inOrder, type Lower, weightInput } from './lowering.js'

export const lowerConv: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const weight = weightInput(node, inputs, 1, 'weight')
  const bias = inputs[2] === undefined ? undefined : weightInput(node, inputs, 2, 'bias')
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
  return [
    emitAffine(
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
      },
      [1, outputChannels, ...spatial],
    ),
  ]
}
