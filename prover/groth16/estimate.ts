import { planCircuit } from '../../circuits/circom/circuit-plan.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Estimate } from '../backend.js'
import { PROOF_BYTES } from './encoding.js'
import { BACKEND } from './plate-files.js'

/** Beyond this the circom compiler, a 32-bit WebAssembly program, runs out of its 4 GB. */
export const MAX_CONSTRAINTS = 1_000_000

/** Products of weights and activations, which the compiler expands one by one. */
export const MAX_WEIGHTS = 4_000_000

/** Measured on two 2024 server cores (test/benchmarks); every other figure is proportional. */
const COMPILE_SECONDS = { base: 1.5, constraint: 55e-6, weight: 50e-6 }
const SETUP_SECONDS = { base: 0.5, constraint: 100e-6, weight: 10e-6 }
const PROVE_SECONDS = { base: 1.5, constraint: 60e-6 }
const MEMORY_BYTES = { base: 200e6, constraint: 8000, weight: 1500 }

/** Whole transaction of `verifyImage`; one limb more costs a multiplication, an addition and a block of keccak. */
const GAS = { base: 229_000, limb: 7_200 }

/**
 * What the backend will cost for a model, from its shapes, bounds and tables alone.
 *
 * @example
 * const { feasible, reason, counts } = estimateGroth16(plate.model)
 */
export function estimateGroth16(model: IntegerModel): Estimate {
  const size = measure(model)
  if (typeof size === 'string') return infeasible(size)
  const { constraints, weights, latentLimbs, publicSignals } = size
  const reasons = [
    ...(constraints > MAX_CONSTRAINTS
      ? [`${format(constraints)} constraints, the limit is ${format(MAX_CONSTRAINTS)}`]
      : []),
    ...(weights > MAX_WEIGHTS
      ? [`${format(weights)} products with weights, the limit is ${format(MAX_WEIGHTS)}`]
      : []),
  ]
  const domain = 2 ** Math.ceil(Math.log2(constraints + publicSignals + 1))
  const linear = (cost: { base: number; constraint: number; weight?: number }) =>
    cost.base + cost.constraint * constraints + (cost.weight ?? 0) * weights
  return {
    backend: BACKEND,
    feasible: reasons.length === 0,
    ...(reasons.length === 0 ? {} : { reason: `The circuit would have ${reasons.join(' and ')}.` }),
    counts: { constraints, weights, domain, publicSignals },
    compileSeconds: linear(COMPILE_SECONDS),
    setupSeconds: linear(SETUP_SECONDS),
    proveSeconds: linear(PROVE_SECONDS),
    peakMemoryBytes: Math.round(linear(MEMORY_BYTES)),
    // A, B1 and C in G1 (64 bytes), B2 in G2 (128 bytes) a wire; H a domain point; 44 bytes a coefficient.
    provingKeyBytes: constraints * (64 + 64 + 128 + 64 + 3 * 44) + domain * 64,
    proofBytes: PROOF_BYTES,
    gas: GAS.base + GAS.limb * latentLimbs,
  }
}

type Size = {
  readonly constraints: number
  readonly weights: number
  readonly latentLimbs: number
  readonly publicSignals: number
}

/** The circuit's size, or why there is no circuit. */
function measure(model: IntegerModel): Size | string {
  try {
    const { counts, latentLimbs } = planCircuit(model)
    return { ...counts, latentLimbs }
  } catch (error) {
    if (!(error instanceof PlatemarkError)) throw error
    const found = error.found === undefined ? '' : ` (${error.found})`
    return `${error.shortMessage.replace(/\.$/, '')}${found}.`
  }
}

function infeasible(reason: string): Estimate {
  return {
    backend: BACKEND,
    feasible: false,
    reason,
    counts: {},
    compileSeconds: 0,
    setupSeconds: 0,
    proveSeconds: 0,
    peakMemoryBytes: 0,
    provingKeyBytes: 0,
    proofBytes: PROOF_BYTES,
    gas: 0,
  }
}

function format(count: number): string {
  return count.toLocaleString('en-US')
}
