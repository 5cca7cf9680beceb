import { layOutModel, type SumcheckLayout } from '../../circuits/sumcheck/layout.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Estimate } from '../backend.js'
import { type ProofShape, proofLength, proofShape } from './verifier/read-proof.js'

/*
 * CPU seconds of one proof, fitted to the measurements in docs/performance.md (AVX-512 IFMA): what
 * every proof costs, a row of a column (the opening), a cell of all columns (sumchecks, evaluations),
 * a lookup (buckets, inverses).
 */
const CPU = { base: 0.1, row: 6.6e-6, cell: 1.1e-7, lookup: 2.2e-6 }
/** Wall-clock seconds per CPU second on two idle cores. */
const TWO_CORES = 0.6
/** Bytes per cell of all columns while proving. */
const BYTES_PER_CELL = 100

/** Gas: base and opening with its pairing, one more column, one round, one pixel word. */
const GAS = { base: 245_000, column: 7_600, round: 1_600, pixelWord: 1_150 }

/**
 * Predicts from the layout alone, without proving.
 *
 * @example
 * estimateSumcheck(plate.model).proveSeconds
 */
export function estimateSumcheck(model: IntegerModel): Estimate {
  let layout: SumcheckLayout
  try {
    layout = layOutModel(model, `0x${'00'.repeat(32)}`)
  } catch (error) {
    if (error instanceof PlatemarkError) return infeasible(error.message)
    throw error
  }
  const { descriptor } = layout
  const shape: ProofShape = proofShape(descriptor)
  const rows = 2 ** descriptor.columnBits
  const cells = rows * shape.allColumns
  const valid = descriptor.blocks
    .filter(({ space }) => space === 'activation')
    .reduce((sum, { axes }) => sum + axes.reduce((a, b) => a * b, 1), 0)
  const lookups = valid * (1 + descriptor.limbs)
  const pixels = descriptor.image.height * descriptor.image.width * descriptor.image.channels
  const rounds = shape.phaseOne + shape.phaseTwo + 2 * descriptor.columnBits
  const proofBytes = proofLength(descriptor)
  return {
    backend: 'sumcheck',
    feasible: true,
    counts: {
      activations: valid,
      rows,
      columns: shape.allColumns,
      rounds,
    },
    compileSeconds: 0.2,
    setupSeconds: 1.2e-5 * rows + 3e-7 * cells,
    proveSeconds: TWO_CORES * (CPU.base + CPU.row * rows + CPU.cell * cells + CPU.lookup * lookups),
    peakMemoryBytes: 150e6 + BYTES_PER_CELL * cells,
    provingKeyBytes: 64 * rows,
    proofBytes,
    gas:
      GAS.base +
      GAS.column * shape.allColumns +
      GAS.round * rounds +
      GAS.pixelWord * Math.ceil(pixels / 16),
  }
}

function infeasible(reason: string): Estimate {
  return {
    backend: 'sumcheck',
    feasible: false,
    reason,
    counts: {},
    compileSeconds: 0,
    setupSeconds: 0,
    proveSeconds: 0,
    peakMemoryBytes: 0,
    provingKeyBytes: 0,
    proofBytes: 0,
    gas: 0,
  }
}
