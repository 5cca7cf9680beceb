import { bestSaturation, calibrate, type TensorStatistics } from './calibrate.js'
import type { FloatModel } from './float-model.js'
import { silent } from './progress.js'

const identity: FloatModel = {
  name: 'identity',
  input: { name: 'z', shape: [3] },
  nodes: [
    {
      kind: 'affine',
      name: 'double',
      output: 'y',
      shape: [3],
      terms: [
        { kind: 'elementwise', input: 'z', weight: { shape: [1], data: Float64Array.of(2) } },
      ],
      activation: [],
    },
  ],
  output: { name: 'y', shape: [3] },
}

test('statistics cover every tensor and every seed', () => {
  const seen: string[] = []
  const statistics = calibrate(
    identity,
    [{ latent: Float64Array.of(0, -1, 0.5) }, { latent: Float64Array.of(7, 3, -2) }],
    ({ step, done, total }) => seen.push(`${step} ${done}/${total}`),
  )
  expect(statistics.get('z')).toMatchObject({ min: -2, max: 7 })
  expect(statistics.get('y')).toMatchObject({ min: -4, max: 14, histogramEnd: 16 })
  expect(statistics.get('y')!.histogram.reduce((a, b) => a + b)).toBe(6)
  expect(seen).toEqual(['calibrate 1/2', 'calibrate 2/2'])
})

test('the histogram keeps its counts where they belong when it grows', () => {
  const { histogram, histogramEnd } = calibrate(
    identity,
    [{ latent: Float64Array.of(0.25, 0.5, 1) }, { latent: Float64Array.of(2, -100, 0) }],
    silent,
  ).get('z')!
  const width = histogramEnd / histogram.length
  const found = [...histogram].flatMap((count, bin) => Array(count).fill(bin * width))
  expect(found).toEqual([0, 0.25, 0.5, 1, 2, 100])
})

test.each([Number.NaN, Number.POSITIVE_INFINITY])('%s is refused', (value) => {
  expect(() => calibrate(identity, [{ latent: Float64Array.of(0, value, 0) }], silent)).toThrow(
    /not finite numbers/,
  )
})

describe('bestSaturation', () => {
  const statistics = (values: readonly number[]): TensorStatistics =>
    calibrate(
      { ...identity, input: { name: 'z', shape: [values.length] }, nodes: [] },
      [{ latent: Float64Array.from(values) }],
      silent,
    ).get('z')!
  const crowd = Array.from({ length: 10_000 }, (_, i) => i / 10_000)

  test('keeps everything where all values are used', () => {
    expect(bestSaturation(statistics(crowd), 255)).toBeGreaterThan(0.97)
  })

  test('gives a rare large value up where levels are few, and keeps it where they are many', () => {
    const outlier = statistics([...crowd, 3])
    expect(bestSaturation(outlier, 7)).toBeLessThan(2)
    expect(bestSaturation(outlier, 2 ** 15)).toBeGreaterThan(2.9)
  })

  test('a tensor of zeros has saturation 0', () => {
    expect(bestSaturation(statistics([0, 0]), 255)).toBe(0)
  })
})
