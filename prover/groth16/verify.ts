import { bn254 } from '@noble/curves/bn254.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Verdict, VerifyRequest } from '../backend.js'
import { decodeProof, type Groth16Proof, publicSignalCount, publicSignals } from './encoding.js'
import {
  checkVerifyingKey,
  type G1Point,
  type G2Point,
  type Groth16VerifyingKey,
  g1Point,
  g2Point,
  parseVerifyingKey,
} from './verifying-key.js'

/**
 * Verifies a statement with nothing of the prover's: own arithmetic by @noble/curves, public signals
 * from the statement, strict encodings. Accepts when
 *
 *     e(A, B) = e(α, β) · e(IC_0 + Σ signal_i · IC_{i+1}, γ) · e(C, δ)        (eprint 2016/260, §3.2)
 *
 * Any answer but a clear yes is `valid: false`, with the check that failed.
 *
 * @example
 * verifyGroth16({ verifyingKey, latentDimensions: 16, statement, proof })
 */
export function verifyGroth16(request: VerifyRequest): Verdict {
  if (request.statement.conditions !== undefined) return no('conditions: this backend proves none')
  let key: Groth16VerifyingKey
  try {
    key = parseVerifyingKey(request.verifyingKey)
    checkVerifyingKey(key)
  } catch (error) {
    return no(`verifying key: ${error instanceof PlatemarkError ? error.shortMessage : error}`)
  }
  const { latentDimensions } = request
  const expected = publicSignalCount(latentDimensions)
  if (expected !== key.nPublic)
    return no(
      `verifying key: for ${key.nPublic} public signals, ${latentDimensions} latent dimensions have ${expected}`,
    )
  const signals = publicSignals(request.statement, latentDimensions)
  if (typeof signals === 'string') return no(signals)
  const proof = decodeProof(request.proof)
  if (typeof proof === 'string') return no(proof)
  return verifySignals(key, signals, proof)
}

/** The proof equation itself, for signals below r and coordinates below q. */
export function verifySignals(
  key: Groth16VerifyingKey,
  signals: readonly bigint[],
  proof: Groth16Proof,
): Verdict {
  const a = onCurve(() => bn254.G1.Point.fromAffine(proof.a))
  if (a === undefined) return no('proof point A: not on the curve')
  const b = onCurve(() => bn254.G2.Point.fromAffine(proof.b))
  if (b === undefined) return no('proof point B: not on the curve or not in the subgroup')
  const c = onCurve(() => bn254.G1.Point.fromAffine(proof.c))
  if (c === undefined) return no('proof point C: not on the curve')
  const [constant, ...bases] = key.ic.map(g1Point)
  let inputs = constant!
  signals.forEach((signal, i) => {
    // Public numbers: there is no secret that the time of a multiplication could tell.
    inputs = inputs.add(bases[i]!.multiplyUnsafe(signal))
  })
  const pairs = [
    { g1: a.negate(), g2: b },
    { g1: g1Point(key.alpha1), g2: g2Point(key.beta2) },
    { g1: inputs, g2: g2Point(key.gamma2) },
    { g1: c, g2: g2Point(key.delta2) },
    // A pairing with infinity is 1; the library does not take infinity.
  ].filter(({ g1 }) => !g1.is0())
  const { Fp12 } = bn254.fields
  return Fp12.eql(bn254.pairingBatch(pairs), Fp12.ONE)
    ? { valid: true }
    : no('proof equation: it does not hold for this statement')
}

/** The point, if it is on the curve, not infinity and in the subgroup of order r. */
function onCurve<T extends G1Point | G2Point>(make: () => T): T | undefined {
  try {
    const point = make()
    point.assertValidity()
    return !point.is0() && point.isTorsionFree() ? point : undefined
  } catch {
    return undefined
  }
}

function no(reason: string): Verdict {
  return { valid: false, reason }
}
