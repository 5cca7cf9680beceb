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

/** Multiplications that are spent on runs of a model while it is compiled, for each purpose. */
const MACS_OF_RUNS = 1.4e10

/** However large a model is, so many runs. */
const LEAST_RUNS = 4

/**
 * How often a model is run where `most` runs would take many minutes: a large model has many
 * activations, so that fewer runs show as much.
 *
 * @param macs - multiplications of one run
 * @example
 * affordableRuns(128, 1e8) // 128
 * affordableRuns(128, 1e9) // 14
 */
export function affordableRuns(most: number, macs: number): number {
  return Math.min(most, Math.max(LEAST_RUNS, Math.floor(MACS_OF_RUNS / Math.max(1, macs))))
}

/** Multiplications of one run of a float model. */
export function floatMacs(model: FloatModel): number {
  return model.nodes
    .flatMap((node) =>
      node.kind === 'rearrange'
        ? []
        : node.terms.map((term) => termMacs(term, elementCount(node.shape))),
    )
    .reduce((sum, macs) => sum + macs, 0)
}

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
