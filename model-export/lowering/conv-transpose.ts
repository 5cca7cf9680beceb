import { nodeError } from '../onnx/node-error.js'
import { beginOf, byAxis, convolutionAttributes } from './convolution-geometry.js'
import { activationInput, emitAffine, inOrder, type Lower, weightInput } from './lowering.js'

export const lowerConvTranspose: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const weight = weightInput(node, inputs, 1, 'weight')
  const bias = inputs[2] === undefined ? undefined : weightInput(node, inputs, 2, 'bias')
  const a = convolutionAttributes(node, value.shape, weight.shape)
  const [inputChannels, groupOutputs] = weight.shape as [number, number]
  const outputChannels = groupOutputs * a.groups
  if (
    a.groups < 1 ||
    outputChannels < 1 ||
    inputChannels !== value.shape[1] ||
    inputChannels % a.groups !== 0 ||
    (bias !== undefined && bias.data.length !== outputChannels)
  ) {
    throw nodeError(node, 'channels, groups and bias do not fit', {
      expected: `${inputChannels} input channels, a bias of ${outputChannels}`,
      found: `${value.shape[1]} input channels in ${a.groups} groups${bias ? `, a bias of ${bias.data.length}` : ''}`,
    })
  }
  const axes = byAxis((axis) => {
    const full =
      (a.input[axis] - 1) * a.strides[axis] +
      a.outputPadding[axis] +
      (a.kernel[axis] - 1) * a.dilations[axis] +
      1
    // The specification gives the odd one to the beginning unless the mode is SAME_UPPER.
    const mode = a.autoPad === 'SAME_UPPER' ? 'SAME_UPPER' : 'SAME_LOWER'
    const fixed = a.outputShape?.[axis]
    if (fixed !== undefined) {
      return { begin: beginOf(Math.max(0, full - fixed), mode), output: fixed }
    }
    if (a.autoPad === mode) {
      // A kernel smaller than its stride leaves no padding to take away: onnxruntime then makes less.
      const total = Math.max(0, full - a.input[axis] * a.strides[axis])
      return { begin: beginOf(total, mode), output: full - total }
    }
    const [begin, end] = a.autoPad === 'VALID' ? [0, 0] : [a.padBegin[axis], a.padEnd[axis]]
    return { begin, output: full - begin - end }
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
            kind: 'convTranspose',
            input: ordered.tensor,
            weight: { shape: [inputChannels, groupOutputs, ...a.kernel], data: weight.data },
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
