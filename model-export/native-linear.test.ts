import fc from 'fast-check'
import { randomFrom } from '../test/random-model.js'
import type { LinearFloatTerm } from './float-model.js'
import { preparePortable } from './linear-terms.js'
import { prepareNative } from './native-linear.js'

type Convolution = Extract<LinearFloatTerm, { kind: 'conv' | 'convTranspose' }>

const small = (min: number, max: number) => fc.integer({ min, max })
const pair = (min: number, max: number) => fc.tuple(small(min, max), small(min, max))

/** Both kernels of many and of few output channels, edges that no tap reaches, negative padding. */
const convolutions = fc
  .record({
    kind: fc.constantFrom('conv' as const, 'convTranspose' as const),
    groups: small(1, 3),
    channels: fc.tuple(small(1, 9), small(1, 20)),
    input: pair(1, 9),
    output: pair(1, 13),
    kernel: pair(1, 4),
    strides: pair(1, 3),
    dilations: pair(1, 2),
    padBegin: pair(-1, 3),
    seed: fc.nat(),
  })
  .map(({ kind, groups, channels, input, output, kernel, seed, ...rest }) => {
    const [ci, co] = channels
    const shape = kind === 'conv' ? [groups * co, ci, ...kernel] : [groups * ci, co, ...kernel]
    const term: Convolution = {
      ...rest,
      kind,
      groups,
      input: 'x',
      weight: { shape, data: reals(groups * ci * co * kernel[0] * kernel[1], seed) },
      inputChannels: groups * ci,
      inputHeight: input[0],
      inputWidth: input[1],
      outputChannels: groups * co,
      outputHeight: output[0],
      outputWidth: output[1],
    }
    return { term, seed }
  })

/** Sums of such numbers are rounded, so that their order shows; a third of them are zero. */
function reals(count: number, seed: number): Float64Array {
  const random = randomFrom(seed)
  return Float64Array.from({ length: count }, () =>
    random.integer(0, 2) === 0 ? 0 : random.integer(-99_999, 99_999) / 7,
  )
}

/** What a map adds to the same numbers, natively and portably. */
function both(term: LinearFloatTerm, shape: readonly number[], inputs: number, absolute: boolean) {
  const count = shape.reduce((a, b) => a * b, 1)
  const native = prepareNative(term, absolute, 0)
  if (native === undefined) throw new Error('the native addon is not built')
  return [native, preparePortable(term, shape, absolute)].map((add) => {
    const sums = reals(count, 1)
    add(reals(inputs, 2), sums)
    return sums
  })
}

test('convolutions give the same doubles to the bit as without native code', () => {
  fc.assert(
    fc.property(convolutions, fc.boolean(), ({ term }, absolute) => {
      const shape = [term.outputChannels, term.outputHeight, term.outputWidth]
      const inputs = term.inputChannels * term.inputHeight * term.inputWidth
      const [native, portable] = both(term, shape, inputs, absolute)
      expect(native).toEqual(portable)
    }),
    { numRuns: 300 },
  )
})

test('integer weights are taken as they are', () => {
  const weight = { shape: [9, 2, 1, 1], data: Int32Array.from({ length: 18 }, (_, i) => i - 9) }
  const geometry = {
    ...{ inputChannels: 2, inputHeight: 1, inputWidth: 5, outputChannels: 9, outputHeight: 1 },
    ...{ outputWidth: 5, groups: 1 },
    strides: [1, 1] as const,
    dilations: [1, 1] as const,
    padBegin: [0, 0] as const,
  }
  const add = prepareNative({ kind: 'conv', input: 0, weight, ...geometry }, true, 0)
  const sums = new Float64Array(45)
  add?.(
    Float64Array.from({ length: 10 }, (_, i) => i),
    sums,
  )
  expect([...sums.subarray(0, 5)]).toEqual([40, 57, 74, 91, 108])
})

test('products of rows with a matrix give the same doubles', () => {
  fc.assert(
    fc.property(small(1, 5), small(1, 11), small(1, 23), fc.boolean(), (rows, out, inputs, abs) => {
      const weight = { shape: [out, inputs], data: reals(out * inputs, 3) }
      const term = { kind: 'gemm', input: 'x', rows, weight } as const
      const [native, portable] = both(term, [rows, out], rows * inputs, abs)
      expect(native).toEqual(portable)
    }),
  )
})

test('small maps stay in JavaScript', () => {
  const weight = { shape: [1, 1], data: Float64Array.of(1) }
  expect(prepareNative({ kind: 'gemm', input: 'x', rows: 1, weight }, false)).toBeUndefined()
})
