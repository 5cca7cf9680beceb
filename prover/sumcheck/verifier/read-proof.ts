import { bytesToNumberBE } from '@noble/curves/utils.js'
import type { SumcheckDescriptor } from '../../../circuits/sumcheck/descriptor.js'
import type { VerifierKey } from './read-key.js'
import { type G1, readG1 } from './read-points.js'
import { blockBits } from './regions.js'
import { ensure, reject } from './reject.js'
import { bitsOf, ORDER } from './scalar-field.js'

/** A run of proof bytes with what they encode. */
export type Scalars = { readonly bytes: Uint8Array; readonly values: readonly bigint[] }
export type Points = { readonly bytes: Uint8Array; readonly values: readonly G1[] }

/** Two coefficients with their bytes, one entry a round. */
export type Rounds = readonly Scalars[]

/** A decoded proof, `docs/protocol.md` §4.2. */
export type SumcheckProof = {
  /** One point a column, then C_I where the key binds the image by commitment. */
  readonly first: Points
  readonly second: Points
  /** A, then y where the key binds the image by commitment. */
  readonly sums: Scalars
  readonly phaseOne: Rounds
  readonly contracted: Scalars
  readonly phaseTwo: Rounds
  readonly lookups: Rounds
  readonly inverses: Scalars
  readonly merge: Rounds
  readonly columns: Scalars
  /** C_h C_g C_q C_S C_D W W′. */
  readonly openingPoints: Points
  readonly openingScalars: Scalars
}

/** Numbers that follow from a key. */
export type ProofShape = {
  readonly firstColumns: number
  readonly secondColumns: number
  readonly allColumns: number
  readonly phaseOne: number
  readonly phaseTwo: number
  readonly lookups: number
  readonly terms: number
  /** 1 where the proof commits to the image: C_I and y. */
  readonly imageCommitments: number
}

export function proofShape(key: SumcheckDescriptor): ProofShape {
  let phaseOne = 0
  let phaseTwo = 0
  let terms = 0
  for (const node of key.nodes) {
    if (node.kind === 'copy') {
      phaseTwo = Math.max(phaseTwo, blockBits(key.blocks[node.input]!))
      terms++
      continue
    }
    for (const term of node.terms) {
      const input = key.blocks[term.input]!
      const group = blockBits(
        input,
        term.groupAxes.map(([, u]) => u),
      )
      const kernel = bitsOf(term.kernel[0] * term.kernel[1])
      phaseOne = Math.max(phaseOne, group + blockBits(input, term.contractAxes) + kernel)
      phaseTwo = Math.max(
        phaseTwo,
        term.spatial.reduce((sum, axis) => sum + blockBits(input, axis.input), group),
      )
      terms++
    }
  }
  const { first, second, key: own } = key.columns
  return {
    firstColumns: first,
    secondColumns: second,
    allColumns: first + second + own,
    phaseOne,
    phaseTwo,
    lookups: Math.max(key.activation.bits, key.table.bits),
    terms,
    imageCommitments: key.image.binding === 'commitment' ? 1 : 0,
  }
}

/** Bytes of a proof under a key. */
export function proofLength(key: SumcheckDescriptor): number {
  const shape = proofShape(key)
  const extra = shape.imageCommitments
  const rounds = shape.phaseOne + shape.phaseTwo + shape.lookups + key.columnBits
  const scalars = 1 + extra + 2 * rounds + shape.terms + key.limbs + 2 + shape.allColumns + 7
  return 64 * (shape.firstColumns + shape.secondColumns + 7 + extra) + 32 * scalars
}

/**
 * Decodes strictly.
 *
 * @throws {Rejection} for a wrong length, a scalar that is not canonical, a point off the curve
 */
export function readProof(key: VerifierKey, bytes: Uint8Array): SumcheckProof {
  const shape = proofShape(key)
  const length = proofLength(key)
  ensure(bytes.length === length, `proof length: expected ${length} bytes, found ${bytes.length}`)
  let at = 0
  const scalars = (count: number): Scalars => {
    const own = bytes.subarray(at, at + 32 * count)
    const values = Array.from({ length: count }, (_, i) => {
      const value = bytesToNumberBE(own.subarray(32 * i, 32 * (i + 1)))
      ensure(value < ORDER, `scalar not canonical at byte ${at + 32 * i}`)
      return value
    })
    at += own.length
    return { bytes: own, values }
  }
  const points = (count: number): Points => {
    const own = bytes.subarray(at, at + 64 * count)
    const values = Array.from(
      { length: count },
      (_, i) =>
        readG1(own.subarray(64 * i, 64 * (i + 1))) ??
        reject(`point not on the curve at byte ${at + 64 * i}`),
    )
    at += own.length
    return { bytes: own, values }
  }
  const pairs = (count: number): Rounds => Array.from({ length: count }, () => scalars(2))
  const extra = shape.imageCommitments
  return {
    first: points(shape.firstColumns + extra),
    second: points(shape.secondColumns),
    sums: scalars(1 + extra),
    phaseOne: pairs(shape.phaseOne),
    contracted: scalars(shape.terms),
    phaseTwo: pairs(shape.phaseTwo),
    lookups: pairs(shape.lookups),
    inverses: scalars(key.limbs + 2),
    merge: pairs(key.columnBits),
    columns: scalars(shape.allColumns),
    openingPoints: points(7),
    openingScalars: scalars(7),
  }
}
