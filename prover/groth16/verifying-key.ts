import type { Fp2 } from '@noble/curves/abstract/tower.js'
import type { WeierstrassPoint } from '@noble/curves/abstract/weierstrass.js'
import { bn254 } from '@noble/curves/bn254.js'
import { concat, type Hex, keccak256 } from 'viem'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { SetupRecord } from '../backend.js'

/**
 * Coordinates are base field elements below q, written as `0x` and 64 lowercase hex digits, big-endian.
 * An Fp2 coordinate is `[real, imaginary]` here and in `verifying-key.json`; EIP-197, and with it
 * `verifyingKeyHash` and every contract, puts the imaginary part first.
 */
export type G1Coordinates = readonly [x: Hex, y: Hex]
export type Fp2Coordinates = readonly [real: Hex, imaginary: Hex]
export type G2Coordinates = readonly [x: Fp2Coordinates, y: Fp2Coordinates]

/** The content of `verifying-key.json`: a Groth16 verifying key over BN254. */
export type Groth16VerifyingKey = {
  readonly format: 'platemark-groth16-verifying-key'
  readonly version: 1
  /** Number of public signals, not counting the constant one. */
  readonly nPublic: number
  readonly alpha1: G1Coordinates
  readonly beta2: G2Coordinates
  readonly gamma2: G2Coordinates
  readonly delta2: G2Coordinates
  /** nPublic + 1 points; the first belongs to the constant one. */
  readonly ic: readonly G1Coordinates[]
}

export type G1Point = WeierstrassPoint<bigint>
export type G2Point = WeierstrassPoint<Fp2>

/** More public signals than this no circuit of ours has, and no block could pay for. */
const MAX_PUBLIC = 4096

const canonicalHex = /^0x[0-9a-f]{64}$/

const KEYS = ['format', 'version', 'nPublic', 'alpha1', 'beta2', 'gamma2', 'delta2', 'ic'] as const

const FIX = 'Run `platemark setup` again, or take the key from its source once more.'

/**
 * Reads a verifying key and accepts nothing but the one canonical form: exactly the fields of the
 * type, canonical coordinates, every point on the curve, in the prime-order subgroup and not infinity.
 * It does not judge the setup; {@link checkVerifyingKey} does.
 *
 * @param json - parsed JSON of `verifying-key.json`
 * @throws {PlatemarkError} naming the field.
 * @example
 * parseVerifyingKey(JSON.parse(readFileSync('m.plate/groth16/verifying-key.json', 'utf8')))
 */
export function parseVerifyingKey(json: unknown): Groth16VerifyingKey {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    refuse('verifying key', 'a JSON object', json)
  const fields = json as Record<string, unknown>
  const unknownKey = Object.keys(fields).find((key) => !(KEYS as readonly string[]).includes(key))
  if (unknownKey !== undefined) refuse('field name', KEYS.join(', '), unknownKey)
  if (fields.format !== 'platemark-groth16-verifying-key')
    refuse('format', "'platemark-groth16-verifying-key'", fields.format)
  if (fields.version !== 1) refuse('version', '1', fields.version)
  const nPublic = fields.nPublic
  if (
    typeof nPublic !== 'number' ||
    !Number.isInteger(nPublic) ||
    nPublic < 1 ||
    nPublic > MAX_PUBLIC
  )
    return refuse('nPublic', `an integer from 1 to ${MAX_PUBLIC}`, nPublic)
  const ic = fields.ic
  if (!Array.isArray(ic) || ic.length !== nPublic + 1)
    return refuse(
      'ic',
      `${nPublic + 1} points`,
      Array.isArray(ic) ? `${ic.length} entries` : typeof ic,
    )
  return {
    format: 'platemark-groth16-verifying-key',
    version: 1,
    nPublic,
    alpha1: g1(fields.alpha1, 'alpha1'),
    beta2: g2(fields.beta2, 'beta2'),
    gamma2: g2(fields.gamma2, 'gamma2'),
    delta2: g2(fields.delta2, 'delta2'),
    ic: ic.map((point, i) => g1(point, `ic[${i}]`)),
  }
}

/**
 * keccak256 of the canonical encoding: every coordinate 32 bytes big-endian, in the order alpha1,
 * beta2, gamma2, delta2, ic[0], …; G1 as x y, G2 as x.imaginary x.real y.imaginary y.real (EIP-197).
 *
 * @example
 * verifyingKeyHash(parseVerifyingKey(json)) // '0x…'
 */
export function verifyingKeyHash(key: Groth16VerifyingKey): Hex {
  return keccak256(
    concat([
      ...key.alpha1,
      ...[key.beta2, key.gamma2, key.delta2].flatMap(([x, y]) => [x[1], x[0], y[1], y[0]]),
      ...key.ic.flat(),
    ]),
  )
}

/**
 * Refuses a key under which anyone can forge proofs because phase 2 was left out.
 *
 * The verifier accepts when e(A,B) = e(α,β) · e(Σ pub_i·IC_i, γ) · e(C, δ). Whoever knows k with
 * δ = k·γ takes A = α, B = β, C = −k⁻¹·Σ pub_i·IC_i for public inputs of their choice. `snarkjs groth16
 * setup` leaves γ = δ = G2 generator, so k = 1, until somebody contributes. Refused are therefore
 * δ = ±γ and δ = ±G2 generator, and with them two equal or opposite IC points, which would make public
 * inputs interchangeable.
 *
 * γ = G2 generator is not refused here: it is what every phase-2 ceremony in the manner of Bowe, Gabizon
 * and Miers (eprint 2017/1050, and snarkjs) ends with, and it is sound when δ's ratio to it is unknown.
 * Whether it is, the key cannot tell; the setup record can, and {@link checkVerifyingKeyForExport} asks it.
 *
 * @throws {PlatemarkError} naming the flaw; also everything {@link parseVerifyingKey} refuses.
 * @example
 * checkVerifyingKey(parseVerifyingKey(json))
 */
export function checkVerifyingKey(key: Groth16VerifyingKey): void {
  parseVerifyingKey(key)
  const generator = bn254.G2.Point.BASE
  const gamma = g2Point(key.gamma2)
  const delta = g2Point(key.delta2)
  if (sameUpToSign(delta, gamma))
    insecure('delta equals gamma: anyone can forge proofs for this key.', key.delta2)
  if (sameUpToSign(delta, generator))
    insecure(
      'delta is the G2 generator: nobody has contributed to phase 2 of the setup.',
      key.delta2,
    )
  const seen = new Map<string, number>()
  for (const [i, [x]] of key.ic.entries()) {
    const other = seen.get(x)
    if (other !== undefined)
      insecure(
        `ic[${other}] and ic[${i}] are equal or opposite: public inputs could be swapped.`,
        x,
      )
    seen.set(x, i)
  }
}

/**
 * The check before a key leaves for a contract: {@link checkVerifyingKey}, the record's hash is the
 * key's, and γ = ±G2 generator only when the record names at least one phase-2 contribution. A
 * development setup draws γ at random, so there γ = generator means a key that is not what its record
 * says.
 *
 * It does not refuse insecure records; that is a choice of the caller, who knows the chain.
 *
 * @throws {PlatemarkError} naming the flaw.
 * @example
 * checkVerifyingKeyForExport(key, setupRecord)
 */
export function checkVerifyingKeyForExport(
  key: Groth16VerifyingKey,
  setup: Pick<SetupRecord, 'kind' | 'contributions' | 'verifyingKeyHash'>,
): void {
  checkVerifyingKey(key)
  const hash = verifyingKeyHash(key)
  if (setup.verifyingKeyHash !== hash)
    throw new PlatemarkError('The verifying key is not the one its setup record describes.', {
      expected: `verifyingKeyHash ${setup.verifyingKeyHash}`,
      found: hash,
      fix: 'Run `platemark setup` again; the two files do not belong together.',
    })
  const fromCeremony = setup.kind === 'ptau' && (setup.contributions?.length ?? 0) > 0
  if (!fromCeremony && sameUpToSign(g2Point(key.gamma2), bn254.G2.Point.BASE))
    insecure(
      'gamma is the G2 generator and the setup record names no phase-2 contribution.',
      key.gamma2,
    )
}

/** The noble point of checked coordinates. */
export function g1Point([x, y]: G1Coordinates): G1Point {
  return bn254.G1.Point.fromAffine({ x: BigInt(x), y: BigInt(y) })
}

/** The noble point of checked coordinates. */
export function g2Point([x, y]: G2Coordinates): G2Point {
  return bn254.G2.Point.fromAffine({
    x: { c0: BigInt(x[0]), c1: BigInt(x[1]) },
    y: { c0: BigInt(y[0]), c1: BigInt(y[1]) },
  })
}

/** Coordinates of a noble point that is not infinity. */
export function g1Coordinates(point: G1Point): G1Coordinates {
  const { x, y } = point.toAffine()
  return [toHex32(x), toHex32(y)]
}

/** Coordinates of a noble point that is not infinity. */
export function g2Coordinates(point: G2Point): G2Coordinates {
  const { x, y } = point.toAffine()
  return [
    [toHex32(x.c0), toHex32(x.c1)],
    [toHex32(y.c0), toHex32(y.c1)],
  ]
}

function toHex32(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`
}

function sameUpToSign(a: G2Point, b: G2Point): boolean {
  return a.equals(b) || a.equals(b.negate())
}

function coordinate(value: unknown, field: string): Hex {
  if (
    typeof value !== 'string' ||
    !canonicalHex.test(value) ||
    BigInt(value) >= bn254.fields.Fp.ORDER
  )
    return refuse(field, '0x and 64 lowercase hex digits, below the base field modulus', value)
  return value as Hex
}

function pair(value: unknown, field: string): readonly [unknown, unknown] {
  if (!Array.isArray(value) || value.length !== 2) return refuse(field, 'an array of two', value)
  return value as [unknown, unknown]
}

function g1(value: unknown, field: string): G1Coordinates {
  const [x, y] = pair(value, field)
  const point = [coordinate(x, `${field}[0]`), coordinate(y, `${field}[1]`)] as const
  requireGroupElement(() => g1Point(point), field)
  return point
}

function g2(value: unknown, field: string): G2Coordinates {
  const [x, y] = pair(value, field)
  const fp2 = (part: unknown, name: string): Fp2Coordinates => {
    const [real, imaginary] = pair(part, name)
    return [coordinate(real, `${name}[0]`), coordinate(imaginary, `${name}[1]`)]
  }
  const point = [fp2(x, `${field}[0]`), fp2(y, `${field}[1]`)] as const
  requireGroupElement(() => g2Point(point), field)
  return point
}

/** noble reads (0, 0) as infinity and checks curve and subgroup only when asked. */
function requireGroupElement(read: () => G1Point | G2Point, field: string): void {
  let flaw: string | undefined
  try {
    const point = read()
    if (point.is0()) flaw = 'the point at infinity'
    else point.assertValidity()
  } catch (error) {
    flaw = error instanceof Error ? error.message : String(error)
  }
  if (flaw !== undefined)
    throw new PlatemarkError(`The verifying key's ${field} is not usable.`, {
      expected: 'a point of the prime-order group other than infinity',
      found: flaw,
      fix: FIX,
    })
}

function refuse(field: string, expected: string, found: unknown): never {
  throw new PlatemarkError(`The verifying key's ${field} is wrong.`, {
    expected,
    found: (JSON.stringify(found) ?? String(found)).slice(0, 100),
    fix: FIX,
  })
}

function insecure(message: string, found: unknown): never {
  throw new PlatemarkError(message, {
    expected: 'a key whose delta nobody can relate to gamma',
    found: JSON.stringify(found),
    fix: 'Finish the setup: `platemark ceremony contribute`, or `platemark setup --dev` for trials.',
  })
}
