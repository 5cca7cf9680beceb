import { contractedLabels, einsumCount } from '../einsum.js'
import { prepareFloat } from '../execute-float.js'
import type { FloatTerm } from '../float-model.js'
import { nodeError } from '../onnx/node-error.js'
import type { Constant, OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import {
  inOrder,
  type Lower,
  type Lowering,
  requireFloat,
  reserve,
  type Value,
} from './lowering.js'
import { identityView } from './view.js'

/** Multiplications that a constant may cost. */
const mostWork = 2 ** 31

function workOf(term: FloatTerm): number {
  if (term.kind === 'einsum')
    return einsumCount(term, term.outputAxes) * einsumCount(term, contractedLabels(term))
  const weights = term.weight.data.length
  if (term.kind === 'gemm') return weights * term.rows
  if (term.kind === 'conv') return weights * term.outputHeight * term.outputWidth
  return term.kind === 'convTranspose' ? weights * term.inputHeight * term.inputWidth : weights
}

/** Operators that make whole numbers of whole numbers: these are evaluated on integers, too. */
const wholeNumbers: readonly string[] = [
  'Clip',
  'ConvInteger',
  'CumSum',
  'GlobalMaxPool',
  'MatMulInteger',
  'MaxPool',
  'Pad',
  'QLinearConv',
  'Trilu',
]

/** A constant of a layer of constants: lowered as if its first input were the latent, then run. */
export function evaluateConstant(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  lowering: Lowering,
  lower: Lower,
): Constant {
  const [first, ...rest] = inputs
  if (first?.kind !== 'constant') throw nodeError(node, 'input 0 is missing')
  if (!wholeNumbers.includes(node.operator)) requireFloat(node, first, 'constant')
  reserve(lowering, node, first.shape)
  const name = 'constant'
  const inner: Lowering = {
    opset: lowering.opset,
    nodes: [],
    shapes: new Map([[name, first.shape]]),
    ordered: new Map(),
    softmaxInputs: new Set(),
    visible: new WeakMap(),
    budget: lowering.budget,
  }
  const view = identityView(elementCount(first.shape))
  const value = lower(
    node,
    [{ kind: 'activation', tensor: name, shape: first.shape, view }, ...rest],
    inner,
  )[0]!
  if (value.kind === 'constant') return value
  const ordered = inOrder(inner, node, value)
  lowering.budget = inner.budget
  const work = inner.nodes
    .flatMap((it) => (it.kind === 'affine' ? it.terms : []))
    .reduce((sum, term) => sum + workOf(term), 0)
  if (work > mostWork) {
    throw nodeError(node, 'too much work for a constant', {
      expected: `at most ${mostWork} multiplications`,
      found: String(work),
    })
  }
  const tensors = prepareFloat({
    name,
    input: { name, shape: first.shape },
    nodes: inner.nodes,
    output: { name: ordered.tensor, shape: ordered.shape },
  })(first.data)
  return { ...first, shape: ordered.shape, data: tensors.get(ordered.tensor)! }
}
