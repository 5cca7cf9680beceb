import fc from 'fast-check'
import { elementCount, transposeIndex } from '../tensor-index.js'
import {
  identityView,
  isIdentity,
  transposeView,
  type View,
  viewAsTranspose,
  viewIndex,
} from './view.js'

const shape = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
const transposes = fc.array(fc.tuple(shape, fc.array(fc.double({ noNaN: true }), { minLength: 4 })))

/** Some order of the axes of a shape, from arbitrary keys. */
function orderBy(keys: readonly number[], rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => axis).sort(
    (a, b) => keys[a]! - keys[b]! || a - b,
  )
}

test('any run of reshapes and transposes reads the elements that moving them would', () => {
  fc.assert(
    fc.property(shape, transposes, (first, steps) => {
      const count = elementCount(first)
      let view: View = identityView(count)
      let moved = Int32Array.from({ length: count }, (_, i) => i)
      for (const [wanted, keys] of steps) {
        const next = elementCount(wanted) === count ? wanted : first
        const permutation = orderBy(keys, next.length)
        const result = transposeView(view, next, permutation)
        // Where it is no view any more, lowering puts the elements in order and goes on.
        if (result === undefined) return
        view = result
        const before = moved
        moved = transposeIndex(next, permutation).map((at) => before[at]!)
      }
      expect(viewIndex(view)).toEqual(moved)
      const { inputShape, permutation } = viewAsTranspose(view)
      expect(transposeIndex(inputShape, permutation)).toEqual(moved)
      expect(isIdentity(view)).toBe(moved.every((at, i) => at === i))
    }),
    { numRuns: 2000 },
  )
})

test('a transpose and its inverse are nothing', () => {
  const there = transposeView(identityView(24), [2, 3, 4], [2, 0, 1])!
  expect(isIdentity(there)).toBe(false)
  expect(transposeView(there, [4, 2, 3], [1, 2, 0])).toEqual(identityView(24))
})

test('PixelShuffle is one transpose', () => {
  const view = transposeView(
    identityView(2 * 2 * 2 * 3 * 3),
    [1, 2, 2, 2, 3, 3],
    [0, 1, 4, 2, 5, 3],
  )!
  expect(viewAsTranspose(view)).toEqual({
    inputShape: [2, 2, 2, 3, 3],
    permutation: [0, 3, 1, 4, 2],
  })
})

test('a reshape that cuts through moved elements is no view', () => {
  const moved = transposeView(identityView(6), [2, 3], [1, 0])!
  expect(transposeView(moved, [2, 3], [1, 0])).toBeUndefined()
})
