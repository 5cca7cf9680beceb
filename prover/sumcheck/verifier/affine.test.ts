import type {
  BlockDescriptor,
  NodeDescriptor,
  SumcheckDescriptor,
  TermDescriptor,
} from '../../../circuits/sumcheck/descriptor.js'
import { affineClaims } from './affine.js'
import { readKey } from './read-key.js'
import { proofShape } from './read-proof.js'
import { ReferenceTerm } from './reference-term.js'
import { blockBits, blockIn, regionsOf } from './regions.js'
import { invert, mod, power } from './scalar-field.js'
import {
  Cells,
  cellOf,
  cellsOf,
  eqAt,
  extend,
  leftSide,
  randomScalars,
  tuples,
} from './test-cells.js'
import { KEYS } from './test-key.js'

type CopyNode = Extract<NodeDescriptor, { kind: 'copy' }>
type AffineNode = Extract<NodeDescriptor, { kind: 'affine' }>

const shaped = (axes: readonly number[]): BlockDescriptor => ({
  space: 'activation',
  offset: 0,
  axes,
})

/** Cells of the output and the input of every copied element (§3.4). */
function copied(key: SumcheckDescriptor, node: CopyNode): readonly (readonly [number, number])[] {
  const output = key.blocks[node.output]!
  const input = key.blocks[node.input]!
  const walk = tuples(node.inputAxes.map((axis) => input.axes[axis]!))
  return tuples(output.axes).map((digits, i) => {
    const from: number[] = []
    node.inputAxes.forEach((axis, at) => {
      from[axis] = walk[i]![at]!
    })
    return [cellOf(output, digits), cellOf(input, from)]
  })
}

/** Columns that satisfy §3 with integers of any size, and the values of every block. */
class Execution {
  readonly cells: Cells
  readonly values: bigint[][] = []
  readonly latent: readonly bigint[]
  readonly #small: () => bigint

  constructor(
    readonly key: SumcheckDescriptor,
    readonly random: (count: number) => bigint[],
  ) {
    this.cells = new Cells(key)
    this.#small = () => (random(1)[0]! % 256n) - 128n
    this.latent = [7, 200, 31].map((byte) => BigInt(key.latent.table[byte]!))
    this.values.push(cellsOf(key.blocks[0]!, ([i]) => this.latent[i!]!))
    const { output, copy } = regionsOf(key)
    key.nodes.forEach((node, j) => {
      const block = key.blocks[j + 1]!
      const own = node.kind === 'copy' ? this.#copy(node) : cellsOf(block, this.#small)
      this.values.push(own)
      this.cells.write(blockIn(node.kind === 'copy' ? copy! : output, block), own)
      if (node.kind === 'affine') this.#affine(node, j)
    })
  }

  #copy(node: CopyNode): bigint[] {
    const own = new Array<bigint>(2 ** blockBits(this.key.blocks[node.output]!)).fill(0n)
    for (const [to, from] of copied(this.key, node)) own[to] = this.values[node.input]![from]!
    return own
  }

  /** Any weights and remainders, and the quotients that follow (§3.1, in the field). */
  #affine(node: AffineNode, j: number): void {
    const { key, cells } = this
    const block = key.blocks[j + 1]!
    const acc = new Array<bigint>(2 ** blockBits(block)).fill(0n)
    if (node.bias !== null) {
      const { axes, offset } = node.bias
      const shape = shaped(axes.map((axis) => block.axes[axis]!))
      const bias = cellsOf(shape, this.#small)
      cells.write({ group: 'key', offset, bits: blockBits(shape) }, bias)
      for (const digits of tuples(block.axes)) {
        const own = axes.map((axis) => digits[axis]!)
        acc[cellOf(block, digits)] = bias[cellOf(shape, own)]!
      }
    }
    for (const term of node.terms) {
      const reference = new ReferenceTerm(key, term, j)
      if (term.weight.kind === 'constant') {
        const { offset } = term.weight
        const region = { group: 'key', offset, bits: blockBits(reference.weight) } as const
        cells.write(region, cellsOf(reference.weight, this.#small))
      }
      const L = reference.apply(this.weightOf(term, reference), this.values[term.input]!)
      L.forEach((value, y) => {
        acc[y] = mod(acc[y]! + value)
      })
    }
    const regions = regionsOf(key)
    const limbs = regions.limbs.map((region) => {
      const limb = cellsOf(block, () => this.random(1)[0]!)
      cells.write(blockIn(region, block), limb)
      return limb
    })
    const half = node.shift === 0 ? 0n : power(2n, node.shift - 1)
    const shift = invert(power(2n, node.shift))
    const quotient = cellsOf(block, (digits) => {
      const y = cellOf(block, digits)
      const rem = limbs.reduce((sum, limb, l) => sum + power(2n, key.limbBits * l) * limb[y]!, 0n)
      return mod(acc[y]! * BigInt(node.multiplier) + half - rem) * shift
    })
    cells.write(blockIn(regions.quotient, block), quotient)
  }

  weightOf({ weight }: TermDescriptor, reference: ReferenceTerm): bigint[] {
    const shape = reference.weight
    if (weight.kind === 'constant')
      return this.cells.read({ group: 'key', offset: weight.offset, bits: blockBits(shape) })
    const block = this.key.blocks[weight.block]!
    return cellsOf(shape, (digits) => {
      const own: number[] = []
      weight.axes.forEach((axis, i) => {
        own[axis] = digits[i]!
      })
      return this.values[weight.block]![cellOf(block, own)]!
    })
  }
}

/** What an honest prover comes to at challenges of any kind, by the sums of §6.1 to §6.3. */
function honestEnds(run: Execution) {
  const { key, random, values } = run
  const shape = proofShape(key)
  const most = Math.max(...key.blocks.slice(1).map((block) => blockBits(block)))
  const [gamma, eta] = random(2) as [bigint, bigint]
  const [r, a, b] = [random(most), random(shape.phaseOne), random(shape.phaseTwo)]
  const padding = (point: readonly bigint[], own: number) => eqAt(0, point.slice(own))
  const contracted: bigint[] = []
  let [affineSum, e1, e2] = [0n, 0n, 0n]
  const phaseTwo = (wire: readonly bigint[], x: readonly bigint[], bits: number) => {
    // The polynomial of §6.3 sums to v.
    const v = mod(wire.reduce((sum, e, i) => sum + e * x[i]!, 0n))
    expect(v).toBe(contracted.at(-1)!)
    const point = b.slice(0, bits)
    const scale = mod(power(eta, contracted.length - 1) * padding(b, bits))
    e2 += scale * mod(extend(wire, point) * extend(x, point))
  }
  key.nodes.forEach((node, j) => {
    const scale = power(gamma, j)
    const own = r.slice(most - blockBits(key.blocks[j + 1]!))
    if (node.kind === 'copy') {
      const v = extend(values[j + 1]!, own)
      contracted.push(v)
      affineSum += scale * v
      e1 += mod(scale * padding(a, 0)) * v
      const x = values[node.input]!
      const wire = new Array<bigint>(x.length).fill(0n)
      for (const [to, from] of copied(key, node)) wire[from] = eqAt(to, own)
      phaseTwo(wire, x, blockBits(key.blocks[node.input]!))
      return
    }
    for (const term of node.terms) {
      const reference = new ReferenceTerm(key, term, j)
      const x = values[term.input]!
      const W = run.weightOf(term, reference)
      const bits = blockBits(reference.own)
      const point = a.slice(0, bits)
      const multiplied = mod(scale * BigInt(node.multiplier))
      affineSum += multiplied * extend(reference.apply(W, x), own)
      const v = reference.contracted(x, own, point)
      contracted.push(v)
      e1 += mod(multiplied * padding(a, bits)) * mod(v * reference.weightAt(W, own, point))
      const two = reference.phaseTwo(x, own, point)
      phaseTwo(two.wire, two.values, blockBits(reference.free))
    }
  })
  const at = { r, gamma, a, eta, b, e1: mod(e1), e2: mod(e2) }
  return { affineSum: mod(affineSum), contracted, at }
}

test.each(KEYS)('claims 0, 1 and 2 hold of what §3 defines: %s', (_, file) => {
  const key = readKey(file)
  const run = new Execution(key, randomScalars(BigInt(key.columnBits)))
  const { affineSum, contracted, at } = honestEnds(run)
  const claims = affineClaims(key, affineSum, contracted, [run.latent], at)
  expect(claims).toHaveLength(3)
  for (const claim of claims) expect(leftSide(run.cells, claim)).toBe(claim.value)
})

test.each([
  ['quotient', 0, 1],
  ['output', 2, 2],
  ['copy', 0, 3],
  ['copy', 1, 3],
] as const)('a false %s breaks claim %d', (region, claim, block) => {
  const key = readKey(KEYS[0]![1])
  const run = new Execution(key, randomScalars(1n))
  const { affineSum, contracted, at } = honestEnds(run)
  const { group, offset } = blockIn(regionsOf(key)[region]!, key.blocks[block]!)
  run.cells.groups[group][offset]! += 1n
  const broken = affineClaims(key, affineSum, contracted, [run.latent], at)[claim]
  expect(leftSide(run.cells, broken)).not.toBe(broken.value)
})
