import type { FloatModel } from '../float-model.js'
import { graphAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { OnnxGraph, OnnxNode } from '../onnx/onnx-graph.js'
import { PlatemarkError } from '../platemark-error.js'
import { elementCount } from '../tensor-index.js'
import { inputShape } from './input-shape.js'
import { lowerNode } from './lower-node.js'
import { emitElementwise, initialBudget, inOrder, type Lowering, type Value } from './lowering.js'
import { identityView } from './view.js'

/**
 * Lowers a graph node by node, nothing fused: shapes are inferred and constants folded on the way.
 *
 * @param name - of the model, for messages and reports
 * @throws PlatemarkError if the graph is not sound or holds something that is not supported
 */
export function lowerGraph(graph: OnnxGraph, name: string): FloatModel {
  const output = onlyOutput(graph)
  const nodes = nodesBehind(graph, output)
  const input = onlyInput(graph, nodes)
  const shape = inputShape(graph, nodes, input)
  const lowering: Lowering = {
    opset: graph.opset,
    nodes: [],
    shapes: new Map([[input, shape]]),
    ordered: new Map(),
    budget: initialBudget,
  }
  const values = new Map<string, Value>(graph.initializers)
  values.set(input, {
    kind: 'activation',
    tensor: input,
    shape,
    view: identityView(elementCount(shape)),
  })
  const inner = new Set<string>()
  for (const node of nodes) run(node, false)
  function run(node: OnnxNode, isInner: boolean): void {
    const inputs = node.inputs.map((tensor) => (tensor === '' ? undefined : find(node, tensor)))
    const results =
      node.operator === 'If' && node.domain === ''
        ? runBranch(node, inputs[0])
        : lowerNode(node, inputs, lowering)
    results.forEach((value, index) => {
      const tensor = node.outputs[index]
      if (tensor === undefined || tensor === '') return
      if (isInner) define(node, tensor, value)
      else values.set(tensor, value)
    })
  }
  /** A tensor of a branch: another branch may have one of the same name, the graph around may not. */
  function define(node: OnnxNode, tensor: string, value: Value): void {
    if (values.has(tensor) && !inner.has(tensor)) {
      throw nodeError(node, `"${tensor}" is defined twice`)
    }
    inner.add(tensor)
    values.set(tensor, value)
  }
  /** Exporters write `If` where a shape decides, which is known here. */
  function runBranch(node: OnnxNode, condition: Value | undefined): readonly Value[] {
    if (condition?.kind !== 'constant') {
      throw nodeError(node, 'its condition must be constant, not computed from the latent')
    }
    const name = condition.data[0] ? 'then_branch' : 'else_branch'
    const branch = graphAttribute(node, name)
    if (branch === undefined) throw nodeError(node, `attribute "${name}" is missing`)
    for (const [tensor, value] of branch.initializers) define(node, tensor, value)
    for (const own of branch.nodes) run(own, true)
    return branch.outputs.map((tensor) => find(node, tensor))
  }
  function find(node: OnnxNode, tensor: string): Value {
    const value = values.get(tensor)
    if (value === undefined) {
      throw nodeError(node, `its input "${tensor}" is not defined before it`, {
        expected: 'a graph in topological order whose tensors are all defined',
        fix: 'The file is damaged, or the tensor is an optional output that is not supported.',
      })
    }
    return value
  }
  const result = values.get(output)
  const last = nodes.at(-1)
  if (result?.kind !== 'activation' || last === undefined) {
    throw new PlatemarkError('The output of the model does not depend on its input.', {
      expected: 'an image computed from a latent',
      found: `output "${output}"`,
    })
  }
  // The output is a tensor of its own, also where the graph only passes its input on.
  const ordered = inOrder(lowering, last, result, output)
  const image = ordered.tensor === input ? emitElementwise(lowering, last, ordered, {}) : ordered
  return {
    name,
    input: { name: input, shape },
    nodes: lowering.nodes,
    output: { name: image.tensor, shape: image.shape },
  }
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
    pending.push(...reads(node))
  }
  return graph.nodes.filter((node) => reached.has(node))
}

/** What a node reads, branches inside it included. */
function reads(node: OnnxNode): readonly string[] {
  const branches = [...node.attributes.values()].flatMap((attribute) =>
    attribute.type === 'graph' ? [attribute.value] : [],
  )
  const inside = branches.flatMap(({ nodes, outputs }) => [...nodes.flatMap(reads), ...outputs])
  return [...node.inputs, ...inside]
}

function onlyInput(graph: OnnxGraph, nodes: readonly OnnxNode[]): string {
  const read = new Set(nodes.flatMap(reads))
  const used = graph.inputs.filter(({ name }) => read.has(name))
  const [first, ...others] = used
  if (first === undefined || others.length > 0) {
    throw new PlatemarkError('The model must have exactly one input, the latent.', {
      expected: '1 input',
      found: `${used.length} in use: ${used.map(({ name }) => `"${name}"`).join(', ') || 'none'}`,
      fix: 'Export a module that takes the latent only; fix labels and other inputs as constants.',
    })
  }
  if (!first.dtype.startsWith('float')) {
    throw new PlatemarkError(`Input "${first.name}" has the wrong element type.`, {
      expected: 'float32, float64 or float16',
      found: first.dtype,
    })
  }
  return first.name
}
