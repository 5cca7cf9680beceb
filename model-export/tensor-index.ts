/** Number of elements of a shape; 1 for the empty shape. */
export function elementCount(shape: readonly number[]): number {
  let count = 1
  for (const size of shape) count *= size
  return count
}

/** Row-major strides of a shape, in elements. */
export function rowMajorStrides(shape: readonly number[]): readonly number[] {
  const strides: number[] = new Array(shape.length).fill(1)
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = strides[axis + 1]! * shape[axis + 1]!
  return strides
}

/**
 * Walks a shape in row-major order and gives, for every element, `Σ index_axis · stride_axis`.
 *
 * @example
 * gatherIndex([2, 3], [1, 2]) // [0, 2, 4, 1, 3, 5]: the transpose of a 3 × 2 tensor
 */
export function gatherIndex(shape: readonly number[], strides: readonly number[]): Int32Array {
  const count = elementCount(shape)
  const index = new Int32Array(count)
  const position: number[] = new Array(shape.length).fill(0)
  let offset = 0
  for (let element = 0; element < count; element++) {
    index[element] = offset
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position[axis]!++
      offset += strides[axis]!
      if (position[axis]! < shape[axis]!) break
      offset -= position[axis]! * strides[axis]!
      position[axis] = 0
    }
  }
  return index
}

/** The values at these places. In a plain loop: `Float64Array.from` allocates for every element. */
export function gather(values: ArrayLike<number>, index: Int32Array): Float64Array {
  const gathered = new Float64Array(index.length)
  for (let i = 0; i < index.length; i++) gathered[i] = values[index[i]!]!
  return gathered
}

/**
 * For every element of `transpose(x, permutation)`, `x` of shape `inputShape`, the element of `x` that
 * it is (row-major positions).
 *
 * @example
 * transposeIndex([3, 2], [1, 0]) // [0, 2, 4, 1, 3, 5]
 */
export function transposeIndex(
  inputShape: readonly number[],
  permutation: readonly number[],
): Int32Array {
  const strides = rowMajorStrides(inputShape)
  return gatherIndex(
    permutation.map((axis) => inputShape[axis]!),
    permutation.map((axis) => strides[axis]!),
  )
}

/** Whether `from` broadcasts to `to` by NumPy's rules (aligned at the last axis, 1 repeats). */
export function broadcastsTo(from: readonly number[], to: readonly number[]): boolean {
  const missing = to.length - from.length
  return missing >= 0 && from.every((size, axis) => size === 1 || size === to[axis + missing])
}

/** For every element of `to`, the element of `from` that broadcasting repeats there. */
export function broadcastIndex(from: readonly number[], to: readonly number[]): Int32Array {
  const missing = to.length - from.length
  const own = rowMajorStrides(from)
  return gatherIndex(
    to,
    to.map((_, axis) => {
      const source = axis - missing
      return source < 0 || from[source] === 1 ? 0 : own[source]!
    }),
  )
}
