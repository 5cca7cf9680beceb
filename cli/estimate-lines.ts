import { PlatemarkError } from '../model-export/platemark-error.js'
import type { Estimate } from '../prover/backend.js'
import { bytes, rows } from './terminal.js'

/** An estimate for a person. */
export function estimateLines(estimate: Estimate): readonly string[] {
  const seconds = (value: number) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} s`
  return rows([
    ['backend', estimate.backend],
    ['feasible', estimate.feasible ? 'yes' : `no: ${estimate.reason ?? ''}`],
    ...Object.entries(estimate.counts),
    ...powersOfTau(estimate),
    ['compile', seconds(estimate.compileSeconds)],
    ['setup', seconds(estimate.setupSeconds)],
    ['prove', seconds(estimate.proveSeconds)],
    ['peak memory', bytes(estimate.peakMemoryBytes)],
    ['proving key', bytes(estimate.provingKeyBytes)],
    ['proof', bytes(estimate.proofBytes)],
    ['gas of verifyImage', estimate.gas],
  ])
}

/** The power of the file that `setup --ptau` needs. */
function powersOfTau({ counts }: Estimate): readonly (readonly [string, number])[] {
  const needed = counts.domain ?? counts.rows
  return needed === undefined ? [] : [['powers of tau', Math.log2(needed)]]
}

/**
 * Stops before anyone waits for a circuit that cannot be built.
 *
 * @throws {PlatemarkError} with the estimate's numbers when it is not feasible.
 */
export function refuseInfeasible(estimate: Estimate): void {
  if (estimate.feasible) return
  throw new PlatemarkError(`The ${estimate.backend} backend cannot prove this model.`, {
    found: estimate.reason ?? 'more than the backend can do',
    fix: 'Use a smaller model, fewer bits (--weight-bits, --activation-bits), --backend sumcheck, or --backend none to generate without proofs.',
  })
}
