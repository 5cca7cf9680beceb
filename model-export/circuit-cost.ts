import type { AffineNode, IntegerModel, Table } from './integer-model.js'
import { elementCount } from './tensor-index.js'

/** Up to so many linear pieces a circuit compares; beyond, the prover names the piece. */
const COMPARED_PIECES = 4

/**
 * About how many constraints the layers of a model take in a circuit that writes every accumulator in bits,
 * as groth16 does; by how much one model is cheaper than another is what it is good for. An output takes
 *
 *     bits of the accumulator + 4·√(linear pieces of the table)
 *
 * and the bits of its quotient once more where the table has too many pieces to compare with.
 *
 * @example
 * circuitCost(coarse) / circuitCost(fine) // 0.92
 */
export function circuitCost(model: IntegerModel): number {
  const pieces = new Map<number, number>()
  let cost = 0
  for (const node of model.nodes) {
    if (node.kind !== 'affine') continue
    const known = pieces.get(node.table) ?? linearPieces(model.tables[node.table]!)
    pieces.set(node.table, known)
    cost += elementCount(model.tensors[node.output]!.shape) * outputCost(node, known)
  }
  return cost
}

function outputCost({ accumulator, quotient }: AffineNode, pieces: number): number {
  const named = pieces > COMPARED_PIECES ? rangeBits(quotient) : 0
  return rangeBits(accumulator) + 4 * Math.sqrt(pieces) + named
}

/** Bits that tell the integers of a range apart. */
export function rangeBits({ min, max }: { readonly min: number; readonly max: number }): number {
  return Math.ceil(Math.log2(max - min + 1))
}

/** Runs of rows whose values rise by the same step, or runs of equal values where these are fewer. */
function linearPieces({ values }: Table): number {
  let pieces = 0
  let start = 0
  while (start < values.length) {
    const rise = values[start + 1]! - values[start]!
    let end = start + 1
    while (end < values.length && values[end]! - values[end - 1]! === rise) end++
    start = end
    pieces++
  }
  const runs = values.reduce((sum, value, i) => (value === values[i - 1] ? sum : sum + 1), 0)
  return Math.min(pieces, runs)
}
