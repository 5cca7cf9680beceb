import { planCircuit } from '../../circuits/circom/circuit-plan.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Estimate } from '../backend.js'
import { PROOF_BYTES } from './encoding.js'
import { BACKEND } from './plate-files.js'

/** Proving beyond this takes more than a minute and, in snarkjs' WebAssembly, more than 5 GB. */
export const MAX_CONSTRAINTS = 1_000_000

/** Products of weights and activations: circom expands them one by one, in four minutes for these. */
export const MAX_WEIGHTS = 4_000_000

/*
 * Measured with the sprite fixture (119,395 constraints, 260,288 products) and two models that are
 * nearly all products (416,000) or all constraints (626,395), on two server cores of 2024. circom runs
 * on one core, setup and prover on both.
 */
const COMPILE_SECONDS = { base: 1, constraint: 38e-6, weight: 65e-6 }
const SETUP_SECONDS = { base: 0.3, constraint: 15e-6, weight: 2e-6 }
const PROVE_SECONDS = { base: 1, constraint: 38e-6 }
const COMPILE_BYTES = { base: 550e6, constraint: 300, weight: 500 }
const PROVE_BYTES = { base: 350e6, constraint: 5000 }

/** Coefficients of the matrices A and B in a proving key: each bit has three, each product four. */
const COEFFICIENTS = 4

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
    peakMemoryBytes: Math.round(Math.max(linear(COMPILE_BYTES), linear(PROVE_BYTES))),
    // A, B1 and C in G1 (64 bytes), B2 in G2 (128 bytes) a wire; H a domain point; 44 bytes a coefficient.
    provingKeyBytes: constraints * (64 + 64 + 128 + 64 + COEFFICIENTS * 44) + domain * 64,
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
