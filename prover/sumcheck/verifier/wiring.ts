import type {
  BlockDescriptor,
  SpatialDescriptor,
  TermDescriptor,
} from '../../../circuits/sumcheck/descriptor.js'
import { blockBits } from './regions.js'
import { below, bitsOf, eqTable, mod, multiply } from './scalar-field.js'

/** The slice of a block's point that belongs to an axis. */
export function axisSlice(
  block: BlockDescriptor,
  axis: number,
  point: readonly bigint[],
): readonly bigint[] {
  const start = blockBits(
    block,
    Array.from({ length: axis }, (_, i) => i),
  )
  return point.slice(start, start + bitsOf(block.axes[axis]!))
}

/** valid~: 1 on a block's valid cells, 0 on padding. */
export function validAt(block: BlockDescriptor, point: readonly bigint[]): bigint {
  return block.axes.reduce(
    (all, size, axis) => multiply(all, below(size, axisSlice(block, axis, point))),
    1n,
  )
}

/** eq(point, ·) for all valid composite indices over `axes`, row-major. */
export function compositeEq(
  block: BlockDescriptor,
  axes: readonly number[],
  point: readonly bigint[],
): readonly bigint[] {
  let values = [1n]
  for (const axis of axes) {
    const own = eqTable(axisSlice(block, axis, point)).slice(0, block.axes[axis]!)
    values = values.flatMap((value) => own.map((e) => multiply(value, e)))
  }
  return values
}

/** Where the two phases leave a term, `docs/protocol.md` §6.2 and §6.3. */
export type TermPoints = {
  /** In the weight: slices of the output, group and contract axes, then of the kernel index. */
  readonly weight: readonly (readonly bigint[])[]
  /** In the input block. */
  readonly input: readonly bigint[]
  readonly wire: bigint
  /** Rounds of each phase that are the term's own. */
  readonly phaseOne: number
  readonly phaseTwo: number
}

export function termPoints(
  term: TermDescriptor,
  output: BlockDescriptor,
  input: BlockDescriptor,
  r: readonly bigint[],
  a: readonly bigint[],
  b: readonly bigint[],
): TermPoints {
  const slices: (readonly bigint[])[] = []
  let usedA = 0
  let usedB = 0
  const takeA = (count: number) => {
    usedA += count
    return a.slice(usedA - count, usedA)
  }
  const takeB = (count: number) => {
    usedB += count
    return b.slice(usedB - count, usedB)
  }
  const size = (axis: number) => bitsOf(input.axes[axis]!)

  const weight = term.outputAxes.map((axis) => axisSlice(output, axis, r))
  let wire = 1n
  for (const [o, u] of term.groupAxes) {
    const fromR = axisSlice(output, o, r)
    const fromA = takeA(size(u))
    weight.push(fromA)
    const fromB = takeB(size(u))
    fromR.forEach((x, k) => {
      const y = fromA[k]!
      const z = fromB[k]!
      wire = mod(wire * (x * y * z + (1n - x) * (1n - y) * (1n - z)))
    })
    slices[u] = fromB
  }
  for (const u of term.contractAxes) {
    slices[u] = takeA(size(u))
    weight.push(slices[u])
  }
  const kernelSlice = takeA(bitsOf(term.kernel[0] * term.kernel[1]))
  for (const [o, u] of term.rowAxes) slices[u] = axisSlice(output, o, r)
  for (const axis of term.spatial) for (const u of axis.input) slices[u] = takeB(size(u))
  const point = input.axes.flatMap((_, axis) => slices[axis] ?? [])

  const taps: [bigint[], bigint[]] = [[1n], [1n]]
  for (const axis of term.spatial)
    taps[axis.kernelAxis as 0 | 1] = axisTaps(
      axis,
      term.kernel[axis.kernelAxis]!,
      compositeEq(output, axis.output, r),
      compositeEq(input, axis.input, point),
    )
  const kernel = eqTable(kernelSlice)
  let spatial = 0n
  taps[0].forEach((ty, ky) => {
    taps[1].forEach((tx, kx) => {
      spatial = mod(spatial + kernel[ky * term.kernel[1] + kx]! * multiply(ty, tx))
    })
  })
  return {
    weight: [...weight, kernelSlice],
    input: point,
    wire: multiply(wire, spatial),
    phaseOne: usedA,
    phaseTwo: usedB,
  }
}

/** The point of a tensor that is a weight: slice i belongs to its axis `axes[i]` (§6.3). */
export function weightPoint(
  axes: readonly number[],
  slices: readonly (readonly bigint[])[],
): readonly bigint[] {
  const ordered: (readonly bigint[])[] = []
  axes.forEach((axis, i) => {
    ordered[axis] = slices[i]!
  })
  return ordered.flat()
}

/** For every kernel index the sum over its triples of eq(y)·eq(u). */
function axisTaps(
  axis: SpatialDescriptor,
  kernel: number,
  outputs: readonly bigint[],
  inputs: readonly bigint[],
): bigint[] {
  // The driving index t runs freely, the driven one is t·stride + k·dilation − pad.
  const [driving, driven] = axis.transposed ? [inputs, outputs] : [outputs, inputs]
  return Array.from({ length: kernel }, (_, k) => {
    let sum = 0n
    driving.forEach((e, t) => {
      const other = driven[t * axis.stride + k * axis.dilation - axis.pad]
      if (other !== undefined) sum += e * other
    })
    return mod(sum)
  })
}

/** Σ over the elements of a copy of eq(r, output cell)·eq(point, input cell). */
export function copyWire(
  inputAxes: readonly number[],
  output: BlockDescriptor,
  input: BlockDescriptor,
  r: readonly bigint[],
  point: readonly bigint[],
): bigint {
  const left = compositeEq(
    output,
    output.axes.map((_, axis) => axis),
    r,
  )
  const right = compositeEq(input, inputAxes, point)
  return mod(left.reduce((sum, e, i) => sum + e * right[i]!, 0n))
}
