import { intAttribute, stringAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import { type Lower, required } from './lowering.js'
import { transposeValue } from './transpose.js'

/** PixelShuffle: channels become blocks of pixels. Moves only. */
export const lowerDepthToSpace: Lower = (node, inputs, lowering) => {
  const value = required(node, inputs, 0)
  const block = intAttribute(node, 'blocksize', 0)
  const [batch = 0, channels = 0, height = 0, width = 0] = value.shape
  const depth = channels / (block * block)
  if (value.shape.length !== 4 || block < 1 || !Number.isInteger(depth)) {
    throw nodeError(node, 'the block size does not fit the channels', {
      expected: 'batch×channels×height×width, channels a multiple of blocksize²',
      found: `${value.shape.join('×')}, blocksize ${block}`,
    })
  }
  const columnFirst = stringAttribute(node, 'mode', 'DCR') === 'CRD'
  const split = columnFirst
    ? [batch, depth, block, block, height, width]
    : [batch, block, block, depth, height, width]
  const order = columnFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]
  const moved = transposeValue(lowering, node, { ...value, shape: split }, order)
  return [{ ...moved, shape: [batch, depth, height * block, width * block] }]
}

/** The inverse: blocks of pixels become channels. */
export const lowerSpaceToDepth: Lower = (node, inputs, lowering) => {
  const value = required(node, inputs, 0)
  const block = intAttribute(node, 'blocksize', 0)
  const [batch = 0, channels = 0, height = 0, width = 0] = value.shape
  const [rows, columns] = [height / block, width / block]
  if (value.shape.length !== 4 || !Number.isInteger(rows) || !Number.isInteger(columns)) {
    throw nodeError(node, 'the block size does not fit the height and width', {
      expected: 'batch×channels×height×width, multiples of blocksize',
      found: `${value.shape.join('×')}, blocksize ${block}`,
    })
  }
  const split = { ...value, shape: [batch, channels, rows, block, columns, block] }
  const moved = transposeValue(lowering, node, split, [0, 3, 5, 1, 2, 4])
  return [{ ...moved, shape: [batch, channels * block * block, rows, columns] }]
}
