import type { FloatCondition, FloatModel } from '../float-model.js'
import type { InputChoices } from '../input-choice.js'
import { nodeError } from '../onnx/node-error.js'
import type { OnnxGraph, OnnxNode } from '../onnx/onnx-graph.js'
import { PlatemarkError } from '../platemark-error.js'
import { elementCount } from '../tensor-index.js'
import {
  foldByClass,
  isLabelValue,
  type LabelValue,
  labelValue,
  pickByClass,
} from './label-values.js'
import { lowerNode } from './lower-node.js'
import { emitElementwise, initialBudget, inOrder, type Lowering, type Value } from './lowering.js'
import { type ResolvedCondition, type ResolvedInputs, resolveInputs } from './resolve-inputs.js'
import { identityView } from './view.js'

/**
 * Lowers a graph node by node, nothing fused: shapes are inferred and constants folded on the way.
 *
 * @param name - of the model, for messages and reports
 * @param inputs - what the user says of the graph's inputs
 * @throws PlatemarkError if the graph is not sound or holds something that is not supported
 */
export function lowerGraph(graph: OnnxGraph, name: string, inputs?: InputChoices): FloatModel {
  return lowerResolved(graph, name, inputs).model
}

/** A lowered graph, and what its inputs were taken for. */
export type LoweredGraph = { readonly model: FloatModel; readonly inputs: ResolvedInputs }

/** As `lowerGraph`, for who also runs the graph itself. */
export function lowerResolved(
  graph: OnnxGraph,
  name: string,
  choices?: InputChoices,
): LoweredGraph {
  const output = onlyOutput(graph)
  const nodes = nodesBehind(graph, output)
  const inputs = resolveInputs(graph, nodes, choices)
  const { latent, conditions, constants } = inputs
  const lowering: Lowering = {
    opset: graph.opset,
    nodes: [],
    shapes: new Map([latent, ...conditions].map((input) => [input.name, input.shape])),
    ordered: new Map(),
    budget: initialBudget,
  }
  const values = new Map<string, Value | LabelValue>([...graph.initializers, ...constants])
  values.set(latent.name, wholeTensor(latent))
  for (const input of conditions)
    values.set(input.name, input.kind === 'label' ? labelValue(input) : wholeTensor(input))
  for (const node of nodes) {
    const read = node.inputs.map((tensor) => (tensor === '' ? undefined : find(node, tensor)))
    const results =
      foldByClass(node, read, lowering) ??
      lowerNode(
        node,
        read.map((value, i) => asTensor(node, node.inputs[i]!, value)),
        lowering,
      )
    results.forEach((value, index) => {
      const tensor = node.outputs[index]
      if (tensor !== undefined && tensor !== '') values.set(tensor, value)
    })
  }
  function find(node: OnnxNode, tensor: string): Value | LabelValue {
    const value = values.get(tensor)
    if (value === undefined) {
      throw nodeError(node, `its input "${tensor}" is not defined before it`, {
        expected: 'a graph in topological order whose tensors are all defined',
        fix: 'The file is damaged, or the tensor is an optional output that is not supported.',
      })
    }
    return value
  }
  function asTensor(node: OnnxNode, tensor: string, value: Value | LabelValue | undefined) {
    if (!isLabelValue(value)) return value
    const picked = pickByClass(node, tensor, value, lowering)
    values.set(tensor, picked)
    return picked
  }
  const last = nodes.at(-1)
  const result = last && asTensor(last, output, values.get(output))
  if (result?.kind !== 'activation' || last === undefined) {
    throw new PlatemarkError('The output of the model does not depend on its input.', {
      expected: 'an image computed from a latent',
      found: `output "${output}"`,
    })
  }
  // The output is a tensor of its own, also where the graph only passes an input on.
  const ordered = inOrder(lowering, last, result, output)
  const isInput = [latent, ...conditions].some((input) => input.name === ordered.tensor)
  const image = isInput ? emitElementwise(lowering, last, ordered, {}) : ordered
  const model: FloatModel = {
    name,
    input: latent,
    ...(conditions.length === 0 ? {} : { conditions: conditions.map(withoutInput) }),
    nodes: lowering.nodes,
    output: { name: image.tensor, shape: image.shape },
  }
  return { model, inputs }
}

function wholeTensor({
  name,
  shape,
}: {
  readonly name: string
  readonly shape: readonly number[]
}): Value {
  return { kind: 'activation', tensor: name, shape, view: identityView(elementCount(shape)) }
}

function withoutInput({ input: _, ...condition }: ResolvedCondition): FloatCondition {
  return condition
}

function onlyOutput(graph: OnnxGraph): string {
  const [first, ...others] = graph.outputs
  if (first === undefined || others.length > 0) {
    throw new PlatemarkError('The model must have exactly one output, the image.', {
      expected: '1 output',
      found: `${graph.outputs.length}: ${graph.outputs.map(({ name }) => `"${name}"`).join(', ')}`,
      fix: 'Export a module whose forward returns the image only.',
    })
  }
  return first.name
}

/** The nodes that the output depends on, in file order. */
function nodesBehind(graph: OnnxGraph, output: string): readonly OnnxNode[] {
  const producers = new Map<string, OnnxNode>()
  for (const node of graph.nodes) {
    for (const tensor of node.outputs) {
      if (tensor === '') continue
      if (producers.has(tensor) || graph.initializers.has(tensor)) {
        throw nodeError(node, `its output "${tensor}" is defined twice`)
      }
      producers.set(tensor, node)
    }
  }
  const reached = new Set<OnnxNode>()
  const pending = [output]
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    const node = producers.get(tensor)
    if (node === undefined || reached.has(node)) continue
    reached.add(node)
    for (const name of node.inputs) pending.push(name)
  }
  return graph.nodes.filter((node) => reached.has(node))
}
