import { halfToNumber, numberToHalf } from './half-precision.js'

test('every half comes back as it was', () => {
  const all = Array.from({ length: 2 ** 16 }, (_, bits) => bits)
  const numbers = all.filter((bits) => !Number.isNaN(halfToNumber(bits)))
  expect(numbers.length).toBe(2 ** 16 - 2 * 1023)
  expect(numbers.filter((bits) => numberToHalf(halfToNumber(bits)) !== bits)).toEqual([])
})

test.each([
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [2 - 2 ** -12, 0x4000],
  [2 ** -25, 0],
  [1.5 * 2 ** -25, 1],
  [65519, 0x7bff],
  [65520, 0x7c00],
  [1e9, 0x7c00],
  [-Infinity, 0xfc00],
])('%d is rounded to the nearest, ties to even', (value, bits) => {
  expect(numberToHalf(value)).toBe(bits)
})

test('what is no number stays none', () => {
  expect(halfToNumber(numberToHalf(Number.NaN))).toBeNaN()
})
