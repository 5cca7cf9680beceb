import type { IntegerModel, LinearIntegerTerm } from '../../model-export/integer-model.js'
import { elementCount } from '../../model-export/tensor-index.js'
import type { Estimate } from '../backend.js'
import { BACKEND } from './plate-files.js'

/** Beyond this the keys have more than a hundred gigabytes. */
const MAX_ROW_BITS = 22

/** Why a model is not proven with ezkl. */
export const PRODUCTS =
  'The model multiplies activations, which this backend does not write for ezkl.'

/** Another reason. */
export const CONDITIONS = 'The model takes a label or vector, which this backend does not prove.'

/** Rows of an activation: bias, rounding, digits of the dividend, table, sums of products. */
const ROWS_PER_ACTIVATION = 38

/*
 * What 2^18 rows cost with ezkl 23.0.5; all of it grows with the rows. Memory and key are those of the
 * sprite fixture. Seconds are for two cores and come from the CPU seconds of 2^14 rows (setup 8, proof 7),
 * as nothing larger has been measured on an idle machine.
 */
const MEASURED = {
  rowBits: 18,
  setupSeconds: 75,
  proveSeconds: 75,
  peakMemoryBytes: 5.7e9,
  provingKeyBytes: 2.75e9,
}
const PROOF_BYTES = 4_032
const GAS = { base: 690_000, instance: 860 }

/**
 * Predicts from shapes and tables alone, without ezkl: within a factor of two.
 *
 * @example
 * estimateEzkl(plate.model).counts.rows
 */
export function estimateEzkl(model: IntegerModel): Estimate {
  let rows = 0
  let products = false
  for (const node of model.nodes) {
    if (node.kind !== 'affine') continue
    const outputs = elementCount(model.tensors[node.output]!.shape)
    rows += outputs * ROWS_PER_ACTIVATION
    for (const term of node.terms) {
      if (term.kind === 'einsum') products = true
      else rows += productRows(term, outputs)
    }
  }
  const tables = model.tables.reduce((sum, { values }) => sum + values.length, 256)
  const rowBits = Math.ceil(Math.log2(Math.max(rows, tables, 2 ** 11 + 1)))
  const instance =
    model.latent.dimensions + 1 + model.image.height * model.image.width * model.image.channels
  const scale = 2 ** (rowBits - MEASURED.rowBits)
  const reason =
    model.conditions !== undefined
      ? CONDITIONS
      : products
        ? PRODUCTS
        : rowBits > MAX_ROW_BITS
          ? `The circuit would have 2^${rowBits} rows, the limit is 2^${MAX_ROW_BITS}.`
          : undefined
  return {
    backend: BACKEND,
    feasible: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    counts: { rows: Math.round(rows), rowBits, publicValues: instance },
    compileSeconds: 2 + 10 * scale,
    setupSeconds: MEASURED.setupSeconds * scale,
    proveSeconds: MEASURED.proveSeconds * scale,
    peakMemoryBytes: Math.round(MEASURED.peakMemoryBytes * scale),
    provingKeyBytes: Math.round(MEASURED.provingKeyBytes * scale),
    proofBytes: PROOF_BYTES,
    gas: GAS.base + GAS.instance * instance,
  }
}

/** Products of matrices are checked with a random vector: rows of the order of the matrices' sizes. */
function productRows(term: LinearIntegerTerm, outputs: number): number {
  const weights = term.weight.data.length
  if (term.kind === 'elementwise') return 2 * outputs
  if (term.kind === 'gemm') return term.rows === 1 ? weights : 2 * (weights + outputs)
  const windows =
    term.kind === 'conv'
      ? (weights / term.outputChannels) * term.outputHeight * term.outputWidth
      : term.inputChannels * term.inputHeight * term.inputWidth * STRIDED_COPIES
  return 2 * (weights + windows) + outputs * STRIDED_COPIES
}

/** A transposed convolution is cut into about as many products as its stride has phases. */
const STRIDED_COPIES = 4
