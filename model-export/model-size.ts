import { contractedLabels, einsumCount } from './einsum.js'
import type { FloatModel, FloatTerm } from './float-model.js'
import type { IntegerModel, IntegerTerm } from './integer-model.js'
import { elementCount } from './tensor-index.js'

/** How large a model is, in the usual counts. */
export type ModelSize = {
  /** Weights and biases. */
  readonly parameters: number
  /** Outputs of affine nodes, pixels included. */
  readonly activations: number
  /** Multiplications by a weight or of two activations, padding included. */
  readonly macs: number
}

/** Counts a model's parameters, activations and multiplications. */
export function modelSize(model: IntegerModel): ModelSize {
  let parameters = 0
  let activations = 0
  let macs = 0
  for (const node of model.nodes) {
    if (node.kind !== 'affine') continue
    const outputs = elementCount(model.tensors[node.output]!.shape)
    activations += outputs
    parameters += node.bias?.data.length ?? 0
    for (const term of node.terms) {
      if (term.kind !== 'einsum') parameters += term.weight.data.length
      macs += termMacs(term, outputs)
    }
  }
  return { parameters, activations, macs }
}

/** Runs of a float model that take no more than so many multiplications, from a few to as many as are wanted. */
export function affordableRuns(model: FloatModel, wanted: number, work: number): number {
  let macs = 1
  for (const node of model.nodes)
    if (node.kind === 'affine')
      for (const term of node.terms) macs += termMacs(term, elementCount(node.shape))
  return Math.max(Math.min(wanted, FEWEST_RUNS), Math.min(wanted, Math.floor(work / macs)))
}

const FEWEST_RUNS = 4

function termMacs(term: IntegerTerm | FloatTerm, outputs: number): number {
  switch (term.kind) {
    case 'gemm':
      return term.rows * term.weight.data.length
    case 'conv':
      return term.outputHeight * term.outputWidth * term.weight.data.length
    case 'convTranspose':
      return term.inputHeight * term.inputWidth * term.weight.data.length
    case 'elementwise':
      return outputs
    case 'einsum':
      return outputs * einsumCount(term, contractedLabels(term))
  }
}
