/**
 * The shape to which both broadcast by NumPy's rules (aligned at the last axis, 1 repeats), or
 * undefined where they do not fit.
 *
 * @example
 * broadcastShape([3, 1], [2]) // [3, 2]
 */
export function broadcastShape(
  a: readonly number[],
  b: readonly number[],
): readonly number[] | undefined {
  const rank = Math.max(a.length, b.length)
  const shape: number[] = []
  for (let axis = 0; axis < rank; axis++) {
    const own = a[axis - rank + a.length] ?? 1
    const other = b[axis - rank + b.length] ?? 1
    if (own !== other && own !== 1 && other !== 1) return undefined
    shape.push(own === 1 ? other : own)
  }
  return shape
}

/** Whether two shapes are the same. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis])
}

/** Whether `from` broadcasts to `to` as it is. */
export function broadcastsTo(from: readonly number[], to: readonly number[]): boolean {
  const shape = broadcastShape(from, to)
  return shape !== undefined && sameShape(shape, to)
}
