import type { Fp2 } from '@noble/curves/abstract/tower.js'
import { bn254 } from '@noble/curves/bn254.js'
import { concatBytes } from '@noble/curves/utils.js'
import { hexToBytes, keccak256, numberToHex, stringToBytes } from 'viem'
import type { Groth16VerifyingKey } from '../../prover/groth16/verifying-key.js'

const { Fr, Fp2: Fq2 } = bn254.fields
const G1 = bn254.G1.Point
const G2 = bn254.G2.Point
type G1Point = InstanceType<typeof G1>
type G2Point = InstanceType<typeof G2>

/**
 * A Groth16 key whose toxic waste is in this file, so that tests make valid proofs of any statement
 * without a circuit: choose A = a·G1 and B = b·G2, then C = ((ab − αβ − γ·Σ input_i·ic_i) / δ)·G1.
 * It is what a development setup's author could do, which is why those are called insecure.
 */
export type KnownKey = {
  readonly verifyingKey: Groth16VerifyingKey
  readonly scalars: {
    readonly alphaBeta: bigint
    readonly gamma: bigint
    readonly deltaInverse: bigint
    readonly ic: readonly bigint[]
    /** Logarithm of `proofB`. */
    readonly b: bigint
  }
  /** The B that tests use where they cannot multiply in G2. */
  readonly proofB: readonly bigint[]
  /** A valid proof, 256 bytes. */
  readonly prove: (inputs: readonly bigint[], a?: bigint, b?: bigint) => Uint8Array
}

/** The known key for a number of public inputs; the same key every time. */
export function knownKey(nPublic: number): KnownKey {
  const alpha = scalar('alpha')
  const beta = scalar('beta')
  const gamma = scalar('gamma')
  const delta = scalar('delta')
  const b = scalar('b')
  const ic = Array.from({ length: nPublic + 1 }, (_, i) => scalar(`ic ${i}`))
  const alphaBeta = Fr.mul(alpha, beta)
  const deltaInverse = Fr.inv(delta)

  const prove = (inputs: readonly bigint[], a = scalar('a'), proofB = b): Uint8Array => {
    const combined = inputs.reduce(
      (sum, input, i) => Fr.add(sum, Fr.mul(input, ic[i + 1]!)),
      ic[0]!,
    )
    const c = Fr.mul(
      Fr.sub(Fr.sub(Fr.mul(a, proofB), alphaBeta), Fr.mul(gamma, combined)),
      deltaInverse,
    )
    return concatBytes(
      ...[
        ...g1Words(G1.BASE.multiply(a)),
        ...g2Words(G2.BASE.multiply(proofB)),
        ...g1Words(G1.BASE.multiply(c)),
      ].map((word) => hexToBytes(numberToHex(word, { size: 32 }))),
    )
  }
  return {
    verifyingKey: {
      format: 'platemark-groth16-verifying-key',
      version: 1,
      nPublic,
      alpha1: g1Hex(G1.BASE.multiply(alpha)),
      beta2: g2Hex(G2.BASE.multiply(beta)),
      gamma2: g2Hex(G2.BASE.multiply(gamma)),
      delta2: g2Hex(G2.BASE.multiply(delta)),
      ic: ic.map((value) => g1Hex(G1.BASE.multiply(value))),
    },
    scalars: { alphaBeta, gamma, deltaInverse, ic, b },
    proofB: g2Words(G2.BASE.multiply(b)),
    prove,
  }
}

/** A point on the twist and outside the prime-order subgroup, as x1 x0 y1 y0. */
export function pointOffSubgroup(): readonly bigint[] {
  const twistB = Fq2.div({ c0: 3n, c1: 0n }, { c0: 9n, c1: 1n })
  for (let c0 = 1n; ; c0++) {
    const x: Fp2 = { c0, c1: 1n }
    const right = Fq2.add(Fq2.mul(Fq2.sqr(x), x), twistB)
    if (!isSquare(right)) continue
    const y = Fq2.sqrt(right)
    const point = G2.fromAffine({ x, y })
    // Almost every point of the twist is outside: the cofactor is as large as the subgroup.
    if (!point.isTorsionFree()) return g2Words(point)
  }
}

function isSquare(value: Fp2): boolean {
  const exponent = (Fq2.ORDER - 1n) / 2n
  return Fq2.eql(Fq2.pow(value, exponent), Fq2.ONE)
}

function scalar(name: string): bigint {
  return Fr.create(BigInt(keccak256(stringToBytes(`platemark known toxic waste: ${name}`))))
}

function g1Words(point: G1Point): readonly bigint[] {
  const { x, y } = point.toAffine()
  return [x, y]
}

function g2Words(point: G2Point): readonly bigint[] {
  const { x, y } = point.toAffine()
  return [x.c1, x.c0, y.c1, y.c0]
}

function g1Hex(point: G1Point) {
  const { x, y } = point.toAffine()
  return [numberToHex(x, { size: 32 }), numberToHex(y, { size: 32 })] as const
}

function g2Hex(point: G2Point) {
  const { x, y } = point.toAffine()
  return [
    [numberToHex(x.c0, { size: 32 }), numberToHex(x.c1, { size: 32 })],
    [numberToHex(y.c0, { size: 32 }), numberToHex(y.c1, { size: 32 })],
  ] as const
}
