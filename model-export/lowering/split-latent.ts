import { type Constant, integers, type OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import type { ResolvedLatent } from './resolve-inputs.js'

/** Nodes, and the constants that they read, which make the inputs of a model from the one latent. */
type Split = {
  readonly nodes: readonly OnnxNode[]
  readonly constants: ReadonlyMap<string, Constant>
}

/**
 * Takes each of several latent inputs from its place in the one latent that the seed is expanded to.
 *
 * @returns nothing where there is one input: it is the latent
 * @example
 * splitLatent({ name: 'z+noise', shape: [12], parts: [{ name: 'z', shape: [1, 4] }, … ] })
 */
export function splitLatent({ name: latent, parts }: ResolvedLatent): Split {
  const nodes: OnnxNode[] = []
  const constants = new Map<string, Constant>()
  if (parts.length === 1) return { nodes, constants }
  let first = 0
  for (const { name, shape } of parts) {
    const count = elementCount(shape)
    const [places, sizes, flat] = [`${name}:places`, `${name}:shape`, `${name}:flat`]
    constants.set(places, integers(Array.from({ length: count }, (_, i) => first + i)))
    constants.set(sizes, integers(shape))
    nodes.push(node('Gather', [latent, places], flat), node('Reshape', [flat, sizes], name))
    first += count
  }
  return { nodes, constants }
}

function node(operator: string, inputs: readonly string[], output: string): OnnxNode {
  return { name: output, operator, domain: '', inputs, outputs: [output], attributes: new Map() }
}
