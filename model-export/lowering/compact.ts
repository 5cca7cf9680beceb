import type { FloatTensor } from '../float-model.js'
import { broadcastIndex, elementCount } from '../tensor-index.js'

/**
 * Shrinks every axis along which all values are equal to size 1, so that what varies by channel only
 * is stored by channel. Equal means equal to the last bit.
 *
 * @example
 * compact({ shape: [2, 2], data: Float64Array.of(5, 5, 7, 7) }) // shape [2, 1], data 5 7
 */
export function compact(tensor: FloatTensor): FloatTensor {
  const shape = [...tensor.shape]
  let data = tensor.data
  let inner = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!
    if (size > 1 && isConstantAlong(data, size, inner)) {
      data = firstAlong(data, size, inner)
      shape[axis] = 1
    }
    inner *= shape[axis]!
  }
  return { shape, data }
}

function isConstantAlong(data: Float64Array, size: number, inner: number): boolean {
  const block = size * inner
  for (let start = 0; start < data.length; start += block) {
    for (let i = start + inner; i < start + block; i++) {
      if (data[i] !== data[i - inner]) return false
    }
  }
  return true
}

function firstAlong(data: Float64Array, size: number, inner: number): Float64Array {
  const out = new Float64Array(data.length / size)
  for (let i = 0; i < out.length; i++) {
    out[i] = data[Math.floor(i / inner) * size * inner + (i % inner)]!
  }
  return out
}

/** All values of a tensor repeated to `shape`, in a new array. */
export function expand(tensor: FloatTensor, shape: readonly number[]): Float64Array {
  const { data } = tensor
  if (data.length === 1) return new Float64Array(elementCount(shape)).fill(data[0]!)
  if (data.length === elementCount(shape)) return data.slice()
  return Float64Array.from(broadcastIndex(tensor.shape, shape), (at) => data[at]!)
}

/** The one value of a tensor whose elements are all equal, else undefined. */
export function uniformValue(tensor: FloatTensor): number | undefined {
  const first = tensor.data[0]
  return tensor.data.every((value) => value === first) ? first : undefined
}

/** One value, to be repeated to a tensor of this rank. */
export function uniform(rank: number, value: number): FloatTensor {
  return { shape: new Array<number>(rank).fill(1), data: Float64Array.of(value) }
}
