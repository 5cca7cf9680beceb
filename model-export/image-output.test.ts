import { anyImageSize, anyOutputRange, detectImageSize, detectOutputRange } from './image-output.js'
import { PlatemarkError } from './platemark-error.js'
import type { UnaryChain } from './unary.js'

describe('detectImageSize', () => {
  test.each([
    [[1, 3, 32, 32], { height: 32, width: 32, channels: 3, layout: 'CHW' }],
    [[3, 32, 16], { height: 32, width: 16, channels: 3, layout: 'CHW' }],
    [[1, 32, 16, 3], { height: 32, width: 16, channels: 3, layout: 'HWC' }],
    [[1, 64, 64, 4], { height: 64, width: 64, channels: 4, layout: 'HWC' }],
    [[1, 28, 28], { height: 28, width: 28, channels: 1, layout: 'CHW' }],
    [[1, 1, 28, 28], { height: 28, width: 28, channels: 1, layout: 'CHW' }],
    [[1, 28, 28, 1], { height: 28, width: 28, channels: 1, layout: 'HWC' }],
    [[1, 784], { height: 28, width: 28, channels: 1, layout: 'CHW' }],
    [[784], { height: 28, width: 28, channels: 1, layout: 'CHW' }],
    [[28, 20], { height: 28, width: 20, channels: 1, layout: 'CHW' }],
  ])('%j', (shape, expected) => {
    expect(detectImageSize(shape)).toEqual(expected)
  })

  test('asks where both readings fit', () => {
    expect(() => detectImageSize([3, 4, 4])).toThrow(/ambiguous/)
    expect(detectImageSize([3, 4, 4], 'CHW')).toMatchObject({ height: 4, width: 4, channels: 3 })
    expect(detectImageSize([3, 4, 4], 'HWC')).toMatchObject({ height: 3, width: 4, channels: 4 })
  })

  test.each([[[]], [[785]], [[1, 3072]], [[1, 2, 8, 8]], [[2, 3, 8, 8]], [[1, 1, 1, 3, 8, 8, 9]]])(
    'refuses %j',
    (shape) => {
      expect(() => detectImageSize(shape)).toThrow(PlatemarkError)
    },
  )

  test('takes an output of one axis by its size', () => {
    const color = { height: 32, width: 32, channels: 3 }
    expect(detectImageSize([1, 3072], 'HWC')).toEqual({ ...color, layout: 'HWC' })
    expect(detectImageSize([1, 3072], undefined, [32, 32, 3])).toEqual({ ...color, layout: 'CHW' })
    expect(detectImageSize([800], undefined, [20, 40, 1])).toMatchObject({ height: 20, width: 40 })
    expect(() => detectImageSize([1, 3072], 'CHW', [32, 32, 4])).toThrow(PlatemarkError)
  })

  test('refuses a layout that does not fit', () => {
    expect(() => detectImageSize([1, 3, 32, 32], 'HWC')).toThrow(PlatemarkError)
  })
})

describe('detectOutputRange', () => {
  const statistics = (min: number, max: number) => ({
    min,
    max,
    histogram: new Float64Array(1),
    histogramEnd: 1,
  })
  const narrow = statistics(0.4, 0.6)
  const half = { op: 'linear', factor: 0.5, offset: 0.5 } as const

  test.each<[string, UnaryChain, readonly [number, number]]>([
    ['sigmoid', [{ op: 'sigmoid' }], [0, 1]],
    ['tanh', [{ op: 'tanh' }], [-1, 1]],
    ['tanh moved to [0, 1]', [{ op: 'tanh' }, half], [0, 1]],
    ['minus tanh', [{ op: 'tanh' }, { op: 'linear', factor: -1, offset: 0 }], [-1, 1]],
    ['clip', [{ op: 'clip', min: 0, max: 1 }], [0, 1]],
    ['sigmoid times 255', [{ op: 'sigmoid' }, { op: 'linear', factor: 255, offset: 0 }], [0, 255]],
    ['hard sigmoid', [{ op: 'hardSigmoid', alpha: 0.2, beta: 0.5 }], [0, 1]],
  ])('%s decides alone', (_, chain, range) => {
    expect(detectOutputRange(chain, narrow)).toEqual(range)
  })

  test('else the values decide', () => {
    expect(detectOutputRange([], statistics(0.01, 0.97))).toEqual([0, 1])
    expect(detectOutputRange([{ op: 'relu' }], statistics(0, 1.05))).toEqual([0, 1])
    expect(detectOutputRange([], statistics(-0.9, 0.95))).toEqual([-1, 1])
    expect(detectOutputRange([], statistics(2, 250))).toEqual([0, 255])
  })

  test('asks where nothing decides', () => {
    expect(() => detectOutputRange([], statistics(-40, 30))).toThrow(/--range/)
    expect(() => detectOutputRange([], statistics(0.5, 0.5))).toThrow(PlatemarkError)
  })
})

test('any output is a picture where somebody wants it', () => {
  const grey = { channels: 1, layout: 'HWC' }
  expect(anyImageSize([1, 10])).toEqual({ ...grey, height: 1, width: 10 })
  expect(anyImageSize([1, 3, 4, 3, 2, 2])).toEqual({ ...grey, height: 72, width: 2 })
  expect(anyImageSize([1])).toMatchObject({ height: 1, width: 1, channels: 1 })
  expect(anyImageSize([2, 2 ** 16, 2])).toEqual({ ...grey, height: 2, width: 2 ** 17 })
  expect(anyImageSize([1, 3, 32, 32])).toEqual(detectImageSize([1, 3, 32, 32]))
  const seen = { min: -3, max: 7, histogram: new Float64Array(1), histogramEnd: 8 }
  expect(anyOutputRange([], seen)).toEqual([-3, 7])
  expect(anyOutputRange([], { ...seen, min: 7 })).toEqual([6.5, 7.5])
  expect(anyOutputRange([{ op: 'sigmoid' }], seen)).toEqual([0, 1])
})
