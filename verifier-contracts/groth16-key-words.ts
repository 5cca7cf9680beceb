import { bn254 } from '@noble/curves/bn254.js'
import type { Hex } from 'viem'
import { PlatemarkError } from '../model-export/platemark-error.js'

type Fp2Coordinates = readonly [real: Hex, imaginary: Hex]
type G1Coordinates = readonly [x: Hex, y: Hex]
type G2Coordinates = readonly [x: Fp2Coordinates, y: Fp2Coordinates]

/** The parts of a `verifying-key.json` that a contract needs; `Groth16VerifyingKey` is one. */
export type Groth16Key = {
  readonly alpha1: G1Coordinates
  readonly beta2: G2Coordinates
  readonly gamma2: G2Coordinates
  readonly delta2: G2Coordinates
  readonly ic: readonly G1Coordinates[]
}

/** One word of a key with the name its constant has in the contract. */
export type KeyWord = { readonly name: string; readonly value: Hex }

/**
 * The words of a key in the order of `Groth16Bn254.sol`: G1 as x y, G2 as x.imaginary x.real
 * y.imaginary y.real.
 *
 * This is the last stop before the key is in a contract for good, so it checks once more what
 * `checkVerifyingKey` checked: a point off its curve, off the subgroup or at infinity, and a key whose
 * phase 2 was left out (delta = ±gamma or ±generator), are refused for every purpose.
 *
 * @throws {PlatemarkError} naming the point.
 * @example
 * groth16KeyWords(verifyingKey).map(({ value }) => value)
 */
export function groth16KeyWords(key: Groth16Key): readonly KeyWord[] {
  checkG1('alpha1', key.alpha1)
  for (const name of ['beta2', 'gamma2', 'delta2'] as const) checkG2(name, key[name])
  for (const [i, point] of key.ic.entries()) checkG1(`ic[${i}]`, point)
  const delta = g2(key.delta2)
  for (const known of [g2(key.gamma2), bn254.G2.Point.BASE])
    if (delta.equals(known) || delta.equals(known.negate()))
      throw new PlatemarkError('Anyone can forge proofs for this verifying key.', {
        expected: 'a delta that differs from gamma and from the G2 generator',
        found: 'a key whose phase 2 was left out',
        fix: 'Finish the setup: `platemark ceremony contribute`, or `platemark setup --dev` for trials.',
      })
  return [
    ...g1Words('ALPHA', key.alpha1),
    ...g2Words('BETA', key.beta2),
    ...g2Words('GAMMA', key.gamma2),
    ...g2Words('DELTA', key.delta2),
    ...key.ic.flatMap((point, i) => g1Words(`IC_${i}`, point)),
  ]
}

function g1Words(name: string, [x, y]: G1Coordinates): readonly KeyWord[] {
  return [
    { name: `${name}_X`, value: x },
    { name: `${name}_Y`, value: y },
  ]
}

function g2Words(name: string, [x, y]: G2Coordinates): readonly KeyWord[] {
  return [
    { name: `${name}_X_IMAGINARY`, value: x[1] },
    { name: `${name}_X_REAL`, value: x[0] },
    { name: `${name}_Y_IMAGINARY`, value: y[1] },
    { name: `${name}_Y_REAL`, value: y[0] },
  ]
}

function g1([x, y]: G1Coordinates) {
  return bn254.G1.Point.fromAffine({ x: BigInt(x), y: BigInt(y) })
}

function g2([x, y]: G2Coordinates) {
  return bn254.G2.Point.fromAffine({
    x: { c0: BigInt(x[0]), c1: BigInt(x[1]) },
    y: { c0: BigInt(y[0]), c1: BigInt(y[1]) },
  })
}

function checkG1(name: string, point: G1Coordinates): void {
  checkPoint(name, point, () => g1(point))
}

function checkG2(name: string, point: G2Coordinates): void {
  checkPoint(name, point.flat(), () => g2(point))
}

function checkPoint(
  name: string,
  words: readonly Hex[],
  read: () => ReturnType<typeof g1> | ReturnType<typeof g2>,
): void {
  const problem = (() => {
    if (words.some((word) => !/^0x[0-9a-f]{64}$/.test(word))) return 'not 0x and 64 hex digits'
    try {
      const point = read()
      if (point.is0()) return 'the point at infinity'
      point.assertValidity()
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  })()
  if (problem !== undefined)
    throw new PlatemarkError(`The verifying key's ${name} is not usable.`, {
      expected: 'a point of the prime-order group other than infinity',
      found: problem,
      fix: 'Run `platemark setup` again, or take the key from its source once more.',
    })
}
