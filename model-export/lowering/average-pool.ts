import type { FloatTerm } from '../float-model.js'
import { intAttribute, intsAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import { beginOf, convolutionAttributes } from './convolution-geometry.js'
import { type Activation, activationInput, emitAffine, inOrder, type Lower } from './lowering.js'
import { asRows, emitRowSum } from './rows.js'
import { mapAlong, type SparseRows } from './select-axis.js'

/** Windows along one axis: how many, and for each the elements and how many its mean divides by. */
type Means = { readonly rows: SparseRows; readonly uniform: boolean; readonly padBegin: number }

/**
 * The mean of windows: a convolution by channel with equal weights. Where the mean does not count
 * elements outside the tensor, windows at the border weigh otherwise, and each axis is a layer.
 */
export const lowerAveragePool: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const kernelShape = intsAttribute(node, 'kernel_shape')
  if (kernelShape === undefined) throw nodeError(node, 'attribute "kernel_shape" is missing')
  const a = convolutionAttributes(node, value.shape, [1, 1, ...kernelShape])
  const countsPadding = intAttribute(node, 'count_include_pad', 0) !== 0
  const ceil = intAttribute(node, 'ceil_mode', 0) !== 0
  const along = (axis: 0 | 1): Means => {
    const [size, kernel, stride] = [a.input[axis], a.kernel[axis], a.strides[axis]]
    const dilation = a.dilations[axis]
    const reach = (kernel - 1) * dilation + 1
    const same = a.autoPad === 'SAME_UPPER' || a.autoPad === 'SAME_LOWER'
    let [begin, end] = a.autoPad === 'VALID' ? [0, 0] : [a.padBegin[axis], a.padEnd[axis]]
    let count = Math.floor((size + begin + end - reach) / stride) + 1
    if (same) {
      count = Math.ceil(size / stride)
      const total = Math.max(0, (count - 1) * stride + reach - size)
      begin = beginOf(total, a.autoPad)
      end = total - begin
    } else if (ceil) {
      count = Math.ceil((size + begin + end - reach) / stride) + 1
      // A window must not start in the padding behind the tensor.
      if ((count - 1) * stride >= size + begin) count--
    }
    const rows = Array.from({ length: count }, (_, y) => {
      const taps = Array.from({ length: kernel }, (_, k) => y * stride + k * dilation - begin)
      const inside = taps.filter((at) => at >= 0 && at < size)
      const counted = countsPadding ? taps.filter((at) => at < size + end) : inside
      return inside.map((at) => [at, 1 / counted.length] as const)
    })
    const uniform = rows.every((row) => row.every(([, weight]) => weight === 1 / kernel))
    return { rows, uniform, padBegin: begin }
  }
  const means = [along(0), along(1)] as const
  if (means.every(({ uniform }) => uniform)) {
    const { tensor } = inOrder(lowering, node, value)
    const channels = value.shape[1]!
    const area = a.kernel[0] * a.kernel[1]
    const [outputHeight, outputWidth] = [means[0].rows.length, means[1].rows.length]
    const term: FloatTerm = {
      kind: 'conv',
      input: tensor,
      weight: {
        shape: [channels, 1, ...a.kernel],
        data: new Float64Array(channels * area).fill(1 / area),
      },
      inputChannels: channels,
      inputHeight: a.input[0],
      inputWidth: a.input[1],
      outputChannels: channels,
      outputHeight,
      outputWidth,
      strides: a.strides,
      dilations: a.dilations,
      padBegin: [means[0].padBegin, means[1].padBegin],
      groups: channels,
    }
    const shape = [channels, outputHeight, outputWidth]
    const spatial = a.spatialRank === 1 ? [outputWidth] : [outputHeight, outputWidth]
    return [emitAffine(lowering, node, { shape, terms: [term] }, [1, channels, ...spatial])]
  }
  let result: Activation = value
  const first = 2 - a.spatialRank
  for (let i = 0; i < a.spatialRank; i++) {
    const { rows } = means[(first + i) as 0 | 1]
    result = mapAlong(lowering, node, [{ value: result, rows }], 2 + i, rows.length, false)
  }
  return [result]
}

/** The mean of each channel. */
export const lowerGlobalAveragePool: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  return [channelMean(lowering, node, value)]
}

function channelMean(
  lowering: Parameters<Lower>[2],
  node: OnnxNode,
  value: Activation,
): Activation {
  const spatial = value.shape.map((_, axis) => axis).slice(2)
  if (elementCount(spatial.map((axis) => value.shape[axis]!)) === 1) return value
  const rows = asRows(lowering, node, value, spatial)
  return rows.restore(emitRowSum(lowering, node, rows, 1 / rows.length))
}
