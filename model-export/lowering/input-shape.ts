import type { OnnxGraph, OnnxNode } from '../onnx/onnx-graph.js'
import { PlatemarkError } from '../platemark-error.js'
import { elementCount } from '../tensor-index.js'

/** A latent has a dimension a byte of the seed's expansion; 2^20 is far beyond any model. */
export const LARGEST_LATENT = 2 ** 20

/**
 * The shape of the latent. A symbolic first dimension of several is the batch and means 1; another
 * symbolic one is what the layers that read the input need.
 *
 * @throws PlatemarkError naming the input and the dimension if nothing determines it
 */
export function inputShape(
  graph: OnnxGraph,
  nodes: readonly OnnxNode[],
  input: string,
): readonly number[] {
  const declared = graph.inputs.find(({ name }) => name === input)?.shape
  if (declared === undefined) {
    throw new PlatemarkError(`Input "${input}" has no shape.`, {
      expected: 'a shape such as batch×16',
      fix: 'Export again with a latent of fixed size.',
    })
  }
  const shape = declared.map((size, axis) => {
    if (typeof size === 'number') return size
    if (axis === 0 && declared.length > 1) return 1
    const needed = neededSize(graph, nodes, input, axis, declared.length)
    if (needed === undefined) {
      throw new PlatemarkError(`Input "${input}" has a dynamic dimension.`, {
        expected: 'fixed sizes after the batch',
        found: `${declared.join('×')} ("${size}" is unknown)`,
        fix: 'Export with a fixed latent size; only the batch may be symbolic.',
      })
    }
    return needed
  })
  const count = elementCount(shape)
  if (count > LARGEST_LATENT) {
    throw new PlatemarkError(`Input "${input}" is too large for a latent.`, {
      expected: `at most ${LARGEST_LATENT} values`,
      found: shape.join('×'),
    })
  }
  return shape
}

function neededSize(
  graph: OnnxGraph,
  nodes: readonly OnnxNode[],
  input: string,
  axis: number,
  rank: number,
): number | undefined {
  for (const { operator, inputs, attributes } of nodes) {
    if (inputs[0] !== input) continue
    const weight = graph.initializers.get(inputs[1] ?? '')?.shape
    if (weight === undefined) continue
    const number = (name: string, fallback: number): number => {
      const attribute = attributes.get(name)
      return attribute?.type === 'int' ? attribute.value : fallback
    }
    const last = axis === rank - 1
    const size =
      operator === 'MatMul' && last
        ? weight.at(-2 + (weight.length === 1 ? 1 : 0))
        : operator === 'Gemm' && last && number('transA', 0) === 0
          ? weight[number('transB', 0) === 0 ? 0 : 1]
          : operator === 'Conv' && axis === 1
            ? (weight[1] ?? 0) * number('group', 1)
            : (operator === 'ConvTranspose' || operator === 'BatchNormalization') && axis === 1
              ? weight[0]
              : undefined
    if (size !== undefined && Number.isSafeInteger(size) && size > 0) return size
  }
  return undefined
}
