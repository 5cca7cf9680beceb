import { type Claim, valueAt, type Weight } from './columns.js'
import { type PublicTensor, publicAt } from './public-tensors.js'
import type { VerifierKey } from './read-key.js'
import { blockBits, blockIn, regionsOf } from './regions.js'
import { allZero, below, mod, multiply, power } from './scalar-field.js'
import { axisSlice, copyWire, termPoints, validAt, weightPoint } from './wiring.js'

/** Challenges of both phases, and the claims where their sumchecks ended. */
export type PhasesEnd = {
  readonly r: readonly bigint[]
  readonly gamma: bigint
  readonly a: readonly bigint[]
  readonly eta: bigint
  readonly b: readonly bigint[]
  readonly e1: bigint
  readonly e2: bigint
}

/**
 * Claims 0, 1 and 2 (`docs/protocol.md` §6.1–§6.3).
 *
 * @param affineSum A
 * @param contracted the prover's v, one a term or copy
 * @param publics what the verifier knows of the first blocks
 */
export function affineClaims(
  key: VerifierKey,
  affineSum: bigint,
  contracted: readonly bigint[],
  publics: readonly PublicTensor[],
  at: PhasesEnd,
): readonly [Claim, Claim, Claim] {
  const regions = regionsOf(key)
  const values = [affineSum, at.e1, at.e2]
  const weights: [Weight[], Weight[], Weight[]] = [[], [], []]
  let gamma = 1n
  let eta = 1n
  let term = 0

  /** coefficient · (values of block `index`)~(point) joins the left side of a claim. */
  const read = (claim: 1 | 2, index: number, point: readonly bigint[], coefficient: bigint) => {
    const block = key.blocks[index]!
    const known = publics[index]
    if (known !== undefined) values[claim]! -= coefficient * publicAt(block, known, point)
    else {
      const region = block.space === 'copy' ? regions.copy! : regions.output
      weights[claim].push(valueAt(blockIn(region, block), point, coefficient))
    }
  }
  /** The input of a term or copy, after `own` rounds of phase two. */
  const readInput = (input: number, point: readonly bigint[], wire: bigint, own: number) => {
    read(2, input, point, mod(multiply(eta, allZero(at.b.slice(own))) * wire))
    eta = multiply(eta, at.eta)
    term++
  }

  for (const node of key.nodes) {
    const output = key.blocks[node.output]!
    const r = at.r.slice(at.r.length - blockBits(output))
    if (node.kind === 'copy') {
      weights[0].push(valueAt(blockIn(regions.copy!, output), r, gamma))
      values[1]! -= multiply(gamma, allZero(at.a)) * contracted[term]!
      const input = key.blocks[node.input]!
      const point = at.b.slice(0, blockBits(input))
      const wire = copyWire(node.inputAxes, output, input, r, point)
      readInput(node.input, point, wire, point.length)
    } else {
      const own = blockIn(regions.quotient, output)
      weights[0].push(valueAt(own, r, multiply(gamma, power(2n, node.shift))))
      regions.limbs.forEach((region, l) => {
        const scale = multiply(gamma, power(2n, key.limbBits * l))
        weights[0].push(valueAt(blockIn(region, output), r, scale))
      })
      if (node.shift > 0)
        values[0]! += gamma * multiply(power(2n, node.shift - 1), validAt(output, r))
      const scale = multiply(gamma, BigInt(node.multiplier))
      if (node.bias !== null) {
        const { axes, offset } = node.bias
        const mask = output.axes.reduce(
          (all, size, axis) =>
            axes.includes(axis) ? all : multiply(all, below(size, axisSlice(output, axis, r))),
          1n,
        )
        const point = axes.flatMap((axis) => axisSlice(output, axis, r))
        const region = { group: 'key', offset, bits: point.length } as const
        weights[0].push(valueAt(region, point, mod(-scale * mask)))
      }
      for (const own of node.terms) {
        const found = termPoints(own, output, key.blocks[own.input]!, r, at.a, at.b)
        const { weight } = own
        const padded = multiply(scale, allZero(at.a.slice(found.phaseOne)))
        const coefficient = multiply(padded, contracted[term]!)
        if (weight.kind === 'constant') {
          const point = found.weight.flat()
          const region = { group: 'key', offset: weight.offset, bits: point.length } as const
          weights[1].push(valueAt(region, point, coefficient))
        } else read(1, weight.block, weightPoint(weight.axes, found.weight), coefficient)
        readInput(own.input, found.input, found.wire, found.phaseTwo)
      }
    }
    gamma = multiply(gamma, at.gamma)
  }
  const claim = (i: 0 | 1 | 2): Claim => ({ value: mod(values[i]!), weights: weights[i] })
  return [claim(0), claim(1), claim(2)]
}
