import { PlatemarkError, type PlatemarkErrorOptions } from '../platemark-error.js'
import type { OnnxNode } from './onnx-graph.js'

/** How messages call a node: its name, or the first tensor it defines where it has none. */
export function nodeLabel(node: OnnxNode): string {
  const operator = node.domain === '' ? node.operator : `${node.domain}.${node.operator}`
  return node.name === ''
    ? `Node of output "${node.outputs[0] ?? '?'}" (${operator})`
    : `Node "${node.name}" (${operator})`
}

/**
 * An error about one node of the file.
 *
 * @example
 * throw nodeError(node, 'the bias must be constant', { fix: 'Export with constant weights.' })
 */
export function nodeError(
  node: OnnxNode,
  message: string,
  options: PlatemarkErrorOptions = {},
): PlatemarkError {
  return new PlatemarkError(`${nodeLabel(node)}: ${message}.`, options)
}
