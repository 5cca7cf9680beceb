import type { FloatCondition, FloatModel } from '../float-model.js'
import type { InputChoices } from '../input-choice.js'
import { graphAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import { type OnnxGraph, type OnnxNode, reads } from '../onnx/onnx-graph.js'
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
import { softmaxInputs } from './softmax-mask.js'
import { splitLatent } from './split-latent.js'
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
    softmaxInputs: softmaxInputs(nodes, output),
    visible: new WeakMap(),
    budget: initialBudget,
  }
  const values = new Map<string, Value | LabelValue>([...graph.initializers, ...constants])
  values.set(latent.name, wholeTensor(latent))
  const { constants: places, nodes: split } = splitLatent(latent)
  for (const [tensor, place] of places) values.set(tensor, place)
  for (const input of conditions)
    values.set(input.name, input.kind === 'label' ? labelValue(input) : wholeTensor(input))
  const inner = new Set<string>()
  for (const node of [...split, ...nodes]) run(node, false)
  function run(node: OnnxNode, isInner: boolean): void {
    const read = node.inputs.map((tensor) => (tensor === '' ? undefined : find(node, tensor)))
    const results =
      node.operator === 'If' && node.domain === ''
        ? runBranch(node, read[0])
        : (foldByClass(node, read, lowering) ??
          lowerNode(
            node,
            read.map((value, i) => asTensor(node, node.inputs[i]!, value)),
            lowering,
          ))
    results.forEach((value, index) => {
      const tensor = node.outputs[index]
      if (tensor === undefined || tensor === '') return
      if (isInner) define(node, tensor, value)
      else values.set(tensor, value)
    })
  }
  /** A tensor of a branch: another branch may have one of the same name, the graph around may not. */
  function define(node: OnnxNode, tensor: string, value: Value | LabelValue): void {
    if (values.has(tensor) && !inner.has(tensor)) {
      throw nodeError(node, `"${tensor}" is defined twice`)
    }
    inner.add(tensor)
    values.set(tensor, value)
  }
  /** Exporters write `If` where a shape decides, which is known here. */
  function runBranch(
    node: OnnxNode,
    condition: Value | LabelValue | undefined,
  ): readonly (Value | LabelValue)[] {
    if (isLabelValue(condition) || condition?.kind !== 'constant') {
      throw nodeError(node, 'its condition must be constant, not computed from the latent')
    }
    const name = condition.data[0] ? 'then_branch' : 'else_branch'
    const branch = graphAttribute(node, name)
    if (branch === undefined) throw nodeError(node, `attribute "${name}" is missing`)
    for (const [tensor, value] of branch.initializers) define(node, tensor, value)
    for (const own of branch.nodes) run(own, true)
    return branch.outputs.map((tensor) => find(node, tensor))
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
    input: { name: latent.name, shape: latent.shape },
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
    pending.push(...reads(node))
  }
  return graph.nodes.filter((node) => reached.has(node))
}
