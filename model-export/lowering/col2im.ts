import { intsAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { OnnxAttribute } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import { lowerConvTranspose } from './conv-transpose.js'
import { activationInput, type Lower, reserve } from './lowering.js'
import { integerInput } from './reshape.js'

/** Puts blocks where they belong and adds where they overlap: a transposed convolution of ones. */
export const lowerCol2Im: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  const image = integerInput(node, inputs, 1, 'shape of the image') ?? []
  const block = integerInput(node, inputs, 2, 'shape of a block') ?? []
  const rank = image.length
  const strides = intsAttribute(node, 'strides') ?? image.map(() => 1)
  const dilations = intsAttribute(node, 'dilations') ?? image.map(() => 1)
  const pads = intsAttribute(node, 'pads') ?? [...image, ...image].map(() => 0)
  const reach = image.map(
    (_, i) => (block[i]! - 1) * dilations[i]! + 1 - pads[i]! - pads[i + rank]!,
  )
  const counts = image.map((size, i) => Math.floor((size - reach[i]!) / strides[i]!) + 1)
  const size = elementCount(block)
  const channels = (value.shape[1] ?? 0) / size
  if (
    [block, strides, dilations].some(({ length }) => length !== rank) ||
    value.shape.length !== 3 ||
    value.shape[2] !== elementCount(counts) ||
    !Number.isInteger(channels)
  ) {
    throw nodeError(node, 'the blocks do not fit the image', {
      expected: `${counts.join('×')} blocks of ${block.join('×')}`,
      found: value.shape.join('×'),
    })
  }
  reserve(lowering, node, [channels * size, size])
  const data = new Float64Array(channels * size * size)
  for (let row = 0; row < channels * size; row++) data[row * size + (row % size)] = 1
  const attributes = new Map<string, OnnxAttribute>([
    ['group', { type: 'int', value: channels }],
    ...Object.entries({
      strides,
      dilations,
      pads,
      output_padding: image.map((size, i) => size - (counts[i]! - 1) * strides[i]! - reach[i]!),
    }).map(([name, ints]): [string, OnnxAttribute] => [name, { type: 'ints', value: ints }]),
  ])
  const blocks = { ...value, shape: [value.shape[0]!, channels * size, ...counts] }
  const shape = [channels * size, 1, ...block]
  const ones = { kind: 'constant', dtype: 'float32', shape, data } as const
  return lowerConvTranspose({ ...node, attributes }, [blocks, ones], lowering)
}
