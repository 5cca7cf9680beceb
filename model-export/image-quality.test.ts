import { meanSquaredError, peakSignalToNoise, structuralSimilarity } from './image-quality.js'

const ramp = Float64Array.from({ length: 12 * 12 * 3 }, (_, i) => (i * 37) % 256)

test('PSNR is that of its definition, at most 100', () => {
  expect(meanSquaredError([0, 4], [3, 0])).toBe(12.5)
  expect(peakSignalToNoise(1)).toBeCloseTo(48.1308, 4)
  expect(peakSignalToNoise(0)).toBe(100)
})

test('SSIM is 1 for equal images and falls with noise', () => {
  expect(structuralSimilarity(ramp, ramp, 12, 12, 3)).toBeCloseTo(1, 12)
  const noise = (size: number) => ramp.map((value, i) => value + (i % 2 === 0 ? size : -size))
  const [little, much] = [2, 40].map((size) => structuralSimilarity(ramp, noise(size), 12, 12, 3))
  expect(little).toBeLessThan(1)
  expect(much).toBeLessThan(little!)
})

test('SSIM of flat images is the luminance term alone', () => {
  const flat = (value: number) => new Float64Array(64).fill(value)
  const c1 = 2.55 ** 2
  expect(structuralSimilarity(flat(100), flat(110), 8, 8, 1)).toBeCloseTo(
    (2 * 100 * 110 + c1) / (100 ** 2 + 110 ** 2 + c1),
    10,
  )
})

test('images smaller than a window are one window', () => {
  expect(structuralSimilarity([10, 20], [10, 20], 1, 2, 1)).toBeCloseTo(1, 12)
})
