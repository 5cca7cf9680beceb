import fc from 'fast-check'
import { randomFrom, randomModel } from '../test/random-model.js'
import { execute, trace } from './execute.js'
import type { AffineNode, IntegerEinsum, IntegerModel, LinearIntegerTerm } from './integer-model.js'
import { PlatemarkError } from './platemark-error.js'

/*
 * The reference: integers of any size, one loop per index, written from the words of
 * `integer-model.ts` and `float-model.ts` and sharing no code with the executor.
 */

function naive(model: IntegerModel, latentBytes: Uint8Array) {
  const tensors: bigint[][] = [Array.from(latentBytes, (b) => BigInt(model.latent.table[b]!))]
  const nodes = model.nodes.map((node) => {
    const { shape } = model.tensors[node.output]!
    if (node.kind === 'rearrange') {
      tensors[node.output] = naiveTranspose(tensors[node.input]!, node.inputShape, node.permutation)
      return undefined
    }
    const accumulator = naiveBias(node, shape)
    for (const term of node.terms)
      if (term.kind === 'einsum') addNaiveProduct(accumulator, term, tensors)
      else addNaive(accumulator, term, tensors[term.input]!, shape)
    const { multiplier, shift } = node.requantize
    const half = shift > 0 ? 1n << BigInt(shift - 1) : 0n
    const scaled = accumulator.map((acc) => acc * BigInt(multiplier) + half)
    const quotient = scaled.map((value) => value >> BigInt(shift))
    const remainder = scaled.map((value, i) => value - (quotient[i]! << BigInt(shift)))
    const table = model.tables[node.table]!
    tensors[node.output] = quotient.map((q) => BigInt(table.values[Number(q) - table.first]!))
    return { accumulator, quotient, remainder }
  })
  return { tensors, nodes }
}

function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, size) => all.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  )
}

function at(shape: readonly number[], index: readonly number[]): number {
  return shape.reduce((offset, size, axis) => offset * size + index[axis]!, 0)
}

function naiveTranspose(x: bigint[], shape: readonly number[], permutation: readonly number[]) {
  return indices(permutation.map((axis) => shape[axis]!)).map((index) => {
    const source: number[] = []
    permutation.forEach((axis, i) => {
      source[axis] = index[i]!
    })
    return x[at(shape, source)]!
  })
}

function naiveBias({ bias }: AffineNode, shape: readonly number[]): bigint[] {
  return indices(shape).map((index) =>
    bias === undefined
      ? 0n
      : BigInt(
          bias.data[
            at(
              bias.shape,
              index.map((i, axis) => (bias.shape[axis] === 1 ? 0 : i)),
            )
          ]!,
        ),
  )
}

/** Over all indices of all labels. */
function addNaiveProduct(acc: bigint[], term: IntegerEinsum, tensors: bigint[][]): void {
  for (const index of indices(term.sizes)) {
    const element = (labels: readonly number[]) =>
      at(
        labels.map((label) => term.sizes[label]!),
        labels.map((label) => index[label]!),
      )
    acc[element(term.outputAxes)]! +=
      tensors[term.input]![element(term.inputAxes)]! *
      tensors[term.operand]![element(term.operandAxes)]!
  }
}

function addNaive(
  acc: bigint[],
  term: LinearIntegerTerm,
  x: bigint[],
  shape: readonly number[],
): void {
  const w = (...index: number[]) => BigInt(term.weight.data[at(term.weight.shape, index)]!)
  if (term.kind === 'gemm') {
    const [out = 0, inputs = 0] = term.weight.shape
    for (let r = 0; r < term.rows; r++)
      for (let o = 0; o < out; o++)
        for (let i = 0; i < inputs; i++) acc[r * out + o]! += w(o, i) * x[r * inputs + i]!
    return
  }
  if (term.kind === 'elementwise') {
    indices(shape).forEach((index, i) => {
      const own = index.map((k, axis) => (term.weight.shape[axis] === 1 ? 0 : k))
      acc[i]! += w(...own) * x[i]!
    })
    return
  }
  const inputShape = [term.inputChannels, term.inputHeight, term.inputWidth]
  const outputShape = [term.outputChannels, term.outputHeight, term.outputWidth]
  const inGroup = term.inputChannels / term.groups
  const outGroup = term.outputChannels / term.groups
  const [, , kh = 0, kw = 0] = term.weight.shape
  const [sy, sx] = term.strides
  const [dy, dx] = term.dilations
  const [py, px] = term.padBegin
  for (const [co, y, xx] of indices(outputShape) as [number, number, number][])
    for (const [ci, iy, ix] of indices(inputShape) as [number, number, number][])
      for (const [ky, kx] of indices([kh, kw]) as [number, number][]) {
        const group = Math.floor(ci / inGroup)
        if (group !== Math.floor(co / outGroup)) continue
        const meets =
          term.kind === 'conv'
            ? iy === y * sy + ky * dy - py && ix === xx * sx + kx * dx - px
            : y === iy * sy + ky * dy - py && xx === ix * sx + kx * dx - px
        if (!meets) continue
        const weight =
          term.kind === 'conv'
            ? w(co, ci - group * inGroup, ky, kx)
            : w(ci, co - group * outGroup, ky, kx)
        acc[at(outputShape, [co, y, xx])]! += weight * x[at(inputShape, [ci, iy, ix])]!
      }
}

function randomLatent(model: IntegerModel, seed: number): Uint8Array {
  const random = randomFrom(seed)
  return Uint8Array.from({ length: model.latent.dimensions }, () => random.integer(0, 255))
}

test('every value of an execution is that of the naive definition', () => {
  const kinds = new Set<string>()
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
      const model = randomModel(seed)
      for (const node of model.nodes) {
        kinds.add(node.kind)
        if (node.kind === 'affine') for (const term of node.terms) kinds.add(term.kind)
      }
      const latentBytes = randomLatent(model, seed)
      const expected = naive(model, latentBytes)
      const found = trace(model, latentBytes)
      expect(found.tensors.map((t) => Array.from(t, BigInt))).toEqual(expected.tensors)
      expect(
        found.nodes.map(
          (node) =>
            node && {
              accumulator: Array.from(node.accumulator, BigInt),
              quotient: Array.from(node.quotient, BigInt),
              remainder: Array.from(node.remainder, BigInt),
            },
        ),
      ).toEqual(expected.nodes)
      expect(Array.from(execute(model, latentBytes))).toEqual(
        expected.tensors[model.image.tensor]!.map(Number),
      )
      expect(found.pixels).toEqual(execute(model, latentBytes))
    }),
    { numRuns: 120 },
  )
  expect([...kinds].sort()).toEqual([
    'affine',
    'conv',
    'convTranspose',
    'einsum',
    'elementwise',
    'gemm',
    'rearrange',
  ])
})

test('executions do not disturb each other', () => {
  const model = randomModel(7)
  const [a, b] = [randomLatent(model, 1), randomLatent(model, 2)]
  const first = trace(model, a)
  const copy = structuredClone(first)
  trace(model, b)
  execute(model, b)
  expect(first).toEqual(copy)
  expect(trace(model, a)).toEqual(copy)
})

test('a latent of the wrong length is refused', () => {
  const model = randomModel(7)
  expect(() => execute(model, new Uint8Array(model.latent.dimensions + 1))).toThrow(PlatemarkError)
})

test('leaving a table is an error, never a value', () => {
  const model = randomModel(7)
  const last = model.tables.length - 1
  const tables = model.tables.map((table, i) =>
    i === last ? { ...table, first: table.first + 100_000 } : table,
  )
  expect(() => execute({ ...model, tables }, randomLatent(model, 1))).toThrow(
    'The model is not sound',
  )
})

test('a value that is no pixel is an error, never wrapped', () => {
  const model = randomModel(7)
  const last = model.tables.length - 1
  const tables = model.tables.map((table, i) =>
    i === last ? { ...table, values: table.values.map((value) => value + 256) } : table,
  )
  expect(() => execute({ ...model, tables }, randomLatent(model, 1))).toThrow('no pixel')
})
