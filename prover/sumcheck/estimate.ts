import type { SumcheckDescriptor } from '../../circuits/sumcheck/descriptor.js'
import { layOutModel } from '../../circuits/sumcheck/layout.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { modelSize } from '../../model-export/model-size.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { CircuitOptions, Estimate } from '../backend.js'
import { estimateGas } from './estimate-gas.js'
import { hasVectorUnits } from './native.js'
import { proofLength, proofShape } from './verifier/read-proof.js'

/*
 * CPU seconds of one proof in a process of its own: what every proof costs, a row of a column (the
 * opening), a cell of all columns (merging, evaluations), a lookup (buckets, inverses), a multiplication of
 * the executor. With AVX-512 IFMA, and without.
 */
const VECTOR_CPU = { base: 0.4, row: 2.3e-6, cell: 1.8e-7, lookup: 2.7e-6, mac: 2.5e-9 }
const SCALAR_CPU = { ...VECTOR_CPU, base: 0.6, row: 7.8e-6 }
/** The same for development powers and the key's commitments. */
const SETUP_CPU = { base: 0.2, row: 1.1e-5, cell: 2e-7 }
/** Wall-clock seconds per CPU second on two idle cores. */
const TWO_CORES = 0.6

/*
 * Bytes while proving. Kept all the time: the process; for a row its power of tau, as read and as a point;
 * for a cell that execution gives its integer, for a lookup its inverse and its table row, for a cell of the
 * key its integer here and there, and the model. Then either the merging sumcheck has a weight for each of
 * these cells, or the opening has polynomials and sorted points for each row.
 */
const KEPT = { base: 150e6, row: 144, cell: 8, lookup: 36, key: 24 }
const WEIGHT = 32
const OPENED_ROW = 266

/**
 * Predicts from the layout alone, without proving; times are of this machine's kind of processor.
 *
 * @example
 * estimateSumcheck(plate.model).proveSeconds
 */
export function estimateSumcheck(model: IntegerModel, options: CircuitOptions = {}): Estimate {
  let descriptor: SumcheckDescriptor
  try {
    descriptor = layOutModel(model, `0x${'00'.repeat(32)}`, options).descriptor
  } catch (error) {
    if (error instanceof PlatemarkError) return infeasible(error.message)
    throw error
  }
  const { columnBits, columns, limbs } = descriptor
  const rows = 2 ** columnBits
  const allColumns = columns.first + columns.second + columns.key
  const cells = rows * allColumns
  const activations = descriptor.blocks
    .filter(({ space }) => space === 'activation')
    .reduce((sum, { axes }) => sum + product(axes), 0)
  const { phaseOne, phaseTwo, lookups } = proofShape(descriptor)
  const cost = hasVectorUnits() ? VECTOR_CPU : SCALAR_CPU
  const cpu =
    cost.base +
    cost.row * rows +
    cost.cell * cells +
    cost.lookup * activations * (1 + limbs) +
    cost.mac * modelSize(model).macs
  return {
    backend: 'sumcheck',
    feasible: true,
    counts: {
      activations,
      rows,
      columns: allColumns,
      rounds: phaseOne + phaseTwo + lookups + columnBits,
    },
    compileSeconds: 0.2,
    setupSeconds: TWO_CORES * (SETUP_CPU.base + SETUP_CPU.row * rows + SETUP_CPU.cell * cells),
    proveSeconds: TWO_CORES * cpu,
    peakMemoryBytes: peakMemory(descriptor),
    provingKeyBytes: 64 * rows,
    proofBytes: proofLength(descriptor),
    gas: Math.round(estimateGas(descriptor)),
  }
}

/** In bytes; regions are as large as their padding makes them. */
function peakMemory({ columnBits, columns, limbs, activation }: SumcheckDescriptor): number {
  const rows = 2 ** columnBits
  const computed = (2 + limbs) * 2 ** activation.bits
  const lookups = (1 + limbs) * 2 ** activation.bits
  const key = columns.key * rows
  const kept =
    KEPT.base + KEPT.row * rows + KEPT.cell * computed + KEPT.lookup * lookups + KEPT.key * key
  return kept + Math.max(WEIGHT * (computed + lookups + key), OPENED_ROW * rows)
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1)
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
