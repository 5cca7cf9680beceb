import { intAttribute, intsAttribute, stringAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { OnnxNode } from '../onnx/onnx-graph.js'

/** The sizes of a convolution by axis, a one-dimensional one as height 1. */
export type ConvolutionAttributes = {
  /** 1 or 2. */
  readonly spatialRank: number
  readonly input: readonly [number, number]
  readonly kernel: readonly [number, number]
  readonly strides: readonly [number, number]
  readonly dilations: readonly [number, number]
  readonly outputPadding: readonly [number, number]
  /** Top, left. */
  readonly padBegin: readonly [number, number]
  /** Bottom, right. */
  readonly padEnd: readonly [number, number]
  readonly autoPad: AutoPad
  readonly groups: number
  /** Of the result, where a ConvTranspose fixes it. */
  readonly outputShape?: readonly [number, number]
}

export type AutoPad = 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER'

/** Sizes that no honest model has; below it all index arithmetic is exact. */
const largest = 2 ** 16

/**
 * Reads what Conv and ConvTranspose share.
 *
 * @param inputShape - batch × channels × one or two sizes
 * @param weightShape - two numbers of channels × one or two sizes
 * @throws PlatemarkError for a batch, other ranks, and attributes that do not fit
 */
export function convolutionAttributes(
  node: OnnxNode,
  inputShape: readonly number[],
  weightShape: readonly number[],
): ConvolutionAttributes {
  const spatialRank = inputShape.length - 2
  if ((spatialRank !== 1 && spatialRank !== 2) || weightShape.length !== inputShape.length) {
    throw nodeError(node, 'only one- and two-dimensional convolutions are supported', {
      expected: 'input and weight of rank 3 (1D) or 4 (2D)',
      found: `input [${inputShape.join(', ')}], weight [${weightShape.join(', ')}]`,
    })
  }
  if (inputShape[0] !== 1) {
    throw nodeError(node, 'the batch must be 1', {
      expected: `1×${inputShape.slice(1).join('×')}`,
      found: inputShape.join('×'),
      fix: 'Export with a batch of 1 or a symbolic batch.',
    })
  }
  const list = (name: string, length: number, fallback: number, least: number) => {
    const values = intsAttribute(node, name) ?? new Array<number>(length).fill(fallback)
    if (values.length !== length || values.some((v) => v < least || v > largest)) {
      throw nodeError(node, `attribute "${name}" does not fit`, {
        expected: `${length} integers from ${least} to ${largest}`,
        found: values.join(', '),
      })
    }
    return values
  }
  const pair = (values: readonly number[], missing: number): readonly [number, number] =>
    spatialRank === 1 ? [missing, values[0]!] : [values[0]!, values[1]!]
  const kernel = weightShape.slice(2)
  const declared = intsAttribute(node, 'kernel_shape')
  if (kernel.some((size) => size < 1) || (declared && declared.join() !== kernel.join())) {
    throw nodeError(node, 'the kernel does not fit its weight', {
      expected: `kernel_shape ${kernel.join(', ')}`,
      found: declared?.join(', ') ?? 'an empty kernel',
    })
  }
  const pads = list('pads', 2 * spatialRank, 0, 0)
  const autoPad = stringAttribute(node, 'auto_pad', 'NOTSET') || 'NOTSET'
  if (!['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'].includes(autoPad)) {
    throw nodeError(node, 'attribute "auto_pad" is unknown', {
      expected: 'NOTSET, VALID, SAME_UPPER or SAME_LOWER',
      found: autoPad,
    })
  }
  // Some exporters give the whole shape with batch and channels.
  const outputShape = intsAttribute(node, 'output_shape')?.slice(-spatialRank)
  if (outputShape?.some((size) => size < 1 || size > largest)) {
    throw nodeError(node, 'attribute "output_shape" does not fit', {
      found: outputShape.join(', '),
    })
  }
  return {
    spatialRank,
    input: pair(inputShape.slice(2), 1),
    kernel: pair(kernel, 1),
    strides: pair(list('strides', spatialRank, 1, 1), 1),
    dilations: pair(list('dilations', spatialRank, 1, 1), 1),
    outputPadding: pair(list('output_padding', spatialRank, 0, 0), 0),
    padBegin: pair(pads.slice(0, spatialRank), 0),
    padEnd: pair(pads.slice(spatialRank), 0),
    autoPad: autoPad as AutoPad,
    groups: intAttribute(node, 'group', 1),
    ...(outputShape === undefined || outputShape.length !== spatialRank
      ? {}
      : { outputShape: pair(outputShape, 1) }),
  }
}

/** Padding at the beginning when `total` is to be shared out evenly, the odd one where the mode says. */
export function beginOf(total: number, autoPad: AutoPad): number {
  return autoPad === 'SAME_LOWER' ? Math.ceil(total / 2) : Math.floor(total / 2)
}

/** Applies a function to both axes. */
export function byAxis<T>(f: (axis: 0 | 1) => T): readonly [T, T] {
  return [f(0), f(1)]
}
