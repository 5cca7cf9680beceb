import type {
  BlockDescriptor,
  SumcheckDescriptor,
  TermDescriptor,
} from '../../../circuits/sumcheck/descriptor.js'
import { blockBits } from './regions.js'
import { bitsOf, mod } from './scalar-field.js'
import { cellOf, eqAt, extend, tuples } from './test-cells.js'

/** One summand W(w)·x(u) of L(y): cells; k is the part of w without output axes. */
type Summand = { readonly w: number; readonly k: number; readonly y: number; readonly u: number }

type Point = readonly bigint[]

const block = (axes: readonly number[]): BlockDescriptor => ({
  space: 'activation',
  offset: 0,
  axes,
})

/** The digits of every valid cell. */
const digitsOf = (of: BlockDescriptor) =>
  new Map(tuples(of.axes).map((digits) => [cellOf(of, digits), digits]))

/** One slice of a point for each size. */
function slices(sizes: readonly number[], point: Point): Point[] {
  let at = 0
  return sizes.map((size) => {
    const start = at
    at += bitsOf(size)
    return point.slice(start, at)
  })
}

/**
 * A term of an affine node by `docs/protocol.md` §3.3: all its summands, found by trying every output,
 * input and kernel index. What §6.2 and §6.3 make of it is computed by summing over them.
 */
export class ReferenceTerm {
  /** The weight: output, group and contract axes, then the kernel index. */
  readonly weight: BlockDescriptor
  /** The weight without its output axes: the variables of phase one. */
  readonly own: BlockDescriptor
  /** Group axes of the input, then its spatial axes: the variables of phase two. */
  readonly free: BlockDescriptor
  readonly #output: BlockDescriptor
  readonly #input: BlockDescriptor
  readonly #summands: readonly Summand[]
  readonly #outputs: ReadonlyMap<number, readonly number[]>
  readonly #inputs: ReadonlyMap<number, readonly number[]>

  constructor(
    key: SumcheckDescriptor,
    readonly term: TermDescriptor,
    node: number,
  ) {
    this.#output = key.blocks[node + 1]!
    this.#input = key.blocks[term.input]!
    this.#outputs = digitsOf(this.#output)
    this.#inputs = digitsOf(this.#input)
    const ownSizes = [
      ...term.groupAxes.map(([axis]) => this.#output.axes[axis]!),
      ...term.contractAxes.map((axis) => this.#input.axes[axis]!),
      term.kernel[0] * term.kernel[1],
    ]
    this.own = block(ownSizes)
    this.weight = block([...term.outputAxes.map((axis) => this.#output.axes[axis]!), ...ownSizes])
    this.free = block(this.#freeAxes.map((axis) => this.#input.axes[axis]!))
    const found: Summand[] = []
    for (const [y, yDigits] of this.#outputs)
      for (const [u, uDigits] of this.#inputs)
        for (const k of tuples(term.kernel))
          if (this.#related(yDigits, uDigits, k)) found.push(this.#summand(y, u, k))
    this.#summands = found
  }

  get #freeAxes(): readonly number[] {
    const { groupAxes, spatial } = this.term
    return [...groupAxes.map(([, axis]) => axis), ...spatial.flatMap((axis) => axis.input)]
  }

  #related(y: readonly number[], u: readonly number[], k: readonly number[]): boolean {
    const { rowAxes, groupAxes, spatial } = this.term
    const index = (of: BlockDescriptor, axes: readonly number[], digits: readonly number[]) =>
      axes.reduce((sum, axis) => sum * of.axes[axis]! + digits[axis]!, 0)
    return (
      [...rowAxes, ...groupAxes].every(([o, i]) => y[o] === u[i]) &&
      spatial.every((axis) => {
        const outer = index(this.#output, axis.output, y)
        const inner = index(this.#input, axis.input, u)
        const [from, to] = axis.transposed ? [inner, outer] : [outer, inner]
        return to === from * axis.stride + k[axis.kernelAxis]! * axis.dilation - axis.pad
      })
    )
  }

  #summand(y: number, u: number, k: readonly number[]): Summand {
    const { outputAxes, groupAxes, contractAxes, kernel } = this.term
    const yDigits = this.#outputs.get(y)!
    const uDigits = this.#inputs.get(u)!
    const w = cellOf(this.weight, [
      ...outputAxes.map((axis) => yDigits[axis]!),
      ...groupAxes.map(([axis]) => yDigits[axis]!),
      ...contractAxes.map((axis) => uDigits[axis]!),
      k[0]! * kernel[1] + k[1]!,
    ])
    return { w, k: w % 2 ** blockBits(this.own), y, u }
  }

  /** L(y) of every cell y. */
  apply(W: Point, x: Point): bigint[] {
    const L = new Array<bigint>(2 ** blockBits(this.#output)).fill(0n)
    for (const { w, y, u } of this.#summands) L[y] = mod(L[y]! + W[w]! * x[u]!)
    return L
  }

  /** W~(r at outputAxes, a). */
  weightAt(W: Point, r: Point, a: Point): bigint {
    const ofR = slices(this.#output.axes, r)
    return extend(W, [...this.term.outputAxes.flatMap((axis) => ofR[axis]!), ...a])
  }

  /** Summands at output digits 0: W apart, those of the others are the same. */
  get #once(): readonly Summand[] {
    const { outputAxes } = this.term
    return this.#summands.filter(({ y }) =>
      outputAxes.every((axis) => this.#outputs.get(y)![axis] === 0),
    )
  }

  /** Π eq of some digits with their slices. */
  #eq(digits: readonly number[], axes: readonly number[], of: readonly Point[]): bigint {
    return axes.reduce((product, axis) => mod(product * eqAt(digits[axis]!, of[axis]!)), 1n)
  }

  /** V~(a) = Σ_k eq(k, a)·Σ_{y, u related to k} eq(r, y)·x(u), y without its output axes. */
  contracted(x: Point, r: Point, a: Point): bigint {
    const ofR = slices(this.#output.axes, r)
    const axes = this.#output.axes
      .map((_, axis) => axis)
      .filter((axis) => !this.term.outputAxes.includes(axis))
    const sum = this.#once.reduce((total, { k, y, u }) => {
      const e = this.#eq(this.#outputs.get(y)!, axes, ofR)
      return total + eqAt(k, a) * mod(e * x[u]!)
    }, 0n)
    return mod(sum)
  }

  /** wire and x over the variables of phase two: Σ wire·x = V~(a). */
  phaseTwo(x: Point, r: Point, a: Point): { readonly wire: bigint[]; readonly values: bigint[] } {
    const { groupAxes, contractAxes, rowAxes, spatial, kernel } = this.term
    const ofR = slices(this.#output.axes, r)
    const ofA = slices(this.own.axes, a)
    const groups = groupAxes.map(([, axis]) => axis)
    const fixed = [...contractAxes, ...rowAxes.map(([, axis]) => axis), ...groups]
    const free = (u: number) => {
      const digits = this.#inputs.get(u)!
      return cellOf(
        this.free,
        this.#freeAxes.map((axis) => digits[axis]!),
      )
    }

    const spatialBits = blockBits(
      this.#input,
      spatial.flatMap((axis) => axis.input),
    )
    const taps = new Array<bigint>(2 ** spatialBits).fill(0n)
    const kernels = 2 ** bitsOf(kernel[0] * kernel[1])
    for (const { k, y, u } of this.#once) {
      if (fixed.some((axis) => this.#inputs.get(u)![axis] !== 0)) continue
      const outputs = spatial.flatMap((axis) => axis.output)
      const e = this.#eq(this.#outputs.get(y)!, outputs, ofR)
      taps[free(u)] = mod(taps[free(u)]! + e * eqAt(k % kernels, ofA.at(-1)!))
    }
    // eq(r, group)·eq(a, group) on all digits, padding included: there x is zero.
    const wire = Array.from({ length: 2 ** blockBits(this.free) }, (_, cell) => {
      let e = taps[cell % 2 ** spatialBits]!
      let rest = Math.floor(cell / 2 ** spatialBits)
      for (const [at, [o]] of [...groupAxes.entries()].reverse()) {
        const size = 2 ** ofR[o]!.length
        e = mod(e * mod(eqAt(rest % size, ofR[o]!) * eqAt(rest % size, ofA[at]!)))
        rest = Math.floor(rest / size)
      }
      return e
    })

    const values = new Array<bigint>(wire.length).fill(0n)
    for (const [u, digits] of this.#inputs) {
      let e = x[u]!
      contractAxes.forEach((axis, i) => {
        e = mod(e * eqAt(digits[axis]!, ofA[groupAxes.length + i]!))
      })
      for (const [o, axis] of rowAxes) e = mod(e * eqAt(digits[axis]!, ofR[o]!))
      values[free(u)] = mod(values[free(u)]! + e)
    }
    return { wire, values }
  }
}
