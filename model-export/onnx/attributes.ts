import { nodeError } from './node-error.js'
import type { Constant, OnnxAttribute, OnnxNode, OnnxSubgraph } from './onnx-graph.js'

type AttributeValues = {
  readonly [A in OnnxAttribute as A['type']]: A['value']
}

function typed<T extends keyof AttributeValues>(
  node: OnnxNode,
  name: string,
  type: T,
): AttributeValues[T] | undefined {
  const attribute = node.attributes.get(name)
  if (attribute === undefined) return undefined
  if (attribute.type !== type) {
    throw nodeError(node, `attribute "${name}" has the wrong type`, {
      expected: type,
      found: attribute.type,
    })
  }
  return attribute.value as AttributeValues[T]
}

/** An integer attribute. @throws PlatemarkError if it has another type or is beyond 2^53 */
export function intAttribute(node: OnnxNode, name: string): number | undefined
export function intAttribute(node: OnnxNode, name: string, fallback: number): number
export function intAttribute(node: OnnxNode, name: string, fallback?: number): number | undefined {
  const value = typed(node, name, 'int')
  if (value !== undefined && !Number.isSafeInteger(value)) {
    throw nodeError(node, `attribute "${name}" is out of range`, { found: String(value) })
  }
  return value ?? fallback
}

/** A list of integers. @throws PlatemarkError if it has another type or an entry is beyond 2^53 */
export function intsAttribute(node: OnnxNode, name: string): readonly number[] | undefined {
  const values = typed(node, name, 'ints')
  if (values?.some((value) => !Number.isSafeInteger(value))) {
    throw nodeError(node, `attribute "${name}" is out of range`, { found: values.join(', ') })
  }
  return values
}

/** A real attribute. @throws PlatemarkError if it has another type or is not a number */
export function floatAttribute(node: OnnxNode, name: string, fallback: number): number {
  const value = typed(node, name, 'float') ?? fallback
  if (Number.isNaN(value)) throw nodeError(node, `attribute "${name}" is not a number`)
  return value
}

/** A list of reals. @throws PlatemarkError if it has another type */
export function floatsAttribute(node: OnnxNode, name: string): readonly number[] | undefined {
  return typed(node, name, 'floats')
}

/** A branch. @throws PlatemarkError if it has another type */
export function graphAttribute(node: OnnxNode, name: string): OnnxSubgraph | undefined {
  return typed(node, name, 'graph')
}

/** A text attribute. @throws PlatemarkError if it has another type */
export function stringAttribute(node: OnnxNode, name: string, fallback: string): string {
  return typed(node, name, 'string') ?? fallback
}

/** A tensor attribute. @throws PlatemarkError if it has another type */
export function tensorAttribute(node: OnnxNode, name: string): Constant | undefined {
  return typed(node, name, 'tensor')
}

/**
 * Brings an axis into 0 … rank − 1, counting negative ones from the end.
 *
 * @throws PlatemarkError if there is no such axis
 */
export function normalizeAxis(node: OnnxNode, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(normal) || normal < 0 || normal >= rank) {
    throw nodeError(node, 'there is no such axis', {
      expected: `an axis of a tensor of rank ${rank}`,
      found: String(axis),
    })
  }
  return normal
}
