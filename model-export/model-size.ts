import { contractedLabels, einsumCount } from './einsum.js'
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

function termMacs(term: IntegerTerm, outputs: number): number {
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
