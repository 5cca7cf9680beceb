/**
 * One axis of a tensor's layout. Where two readers of a tensor see different shapes, an axis is split
 * into an outer and an inner one; whoever holds the axis sees the parts through `leaves`.
 */
export type Axis = { readonly size: number; parts?: readonly [Axis, Axis] }

/** Counts splits, so that a caller can repeat its wishes until nothing changes. */
export type SplitCounter = { splits: number }

/** The axes that nothing splits, in order; axes of size 1 vanish. */
export function leaves(axes: readonly Axis[]): Axis[] {
  return axes.flatMap((axis) =>
    axis.parts !== undefined ? leaves(axis.parts) : axis.size === 1 ? [] : [axis],
  )
}

function split(axis: Axis, outer: number, counter: SplitCounter): readonly [Axis, Axis] {
  counter.splits++
  axis.parts = [{ size: outer }, { size: axis.size / outer }]
  return axis.parts
}

/**
 * Splits axes so that a view of them has the given shape.
 *
 * @returns the leaves of each axis of the shape, or undefined where the boundaries do not divide
 * @example
 * cut([{ size: 24 }], [4, 6], { splits: 0 }) // one axis of 4, one of 6
 */
export function cut(
  view: readonly Axis[],
  shape: readonly number[],
  counter: SplitCounter,
): Axis[][] | undefined {
  const rest = leaves(view)
  const groups: Axis[][] = []
  for (const size of shape) {
    const group: Axis[] = []
    let missing = size
    while (missing > 1) {
      const next = rest.shift()
      if (next === undefined) return undefined
      if (missing % next.size === 0) {
        group.push(next)
        missing /= next.size
      } else if (next.size % missing === 0) {
        const [outer, inner] = split(next, missing, counter)
        group.push(outer)
        rest.unshift(inner)
        missing = 1
      } else return undefined
    }
    groups.push(group)
  }
  return rest.length === 0 ? groups : undefined
}

/** Splits two lists of axes of one total size until they have the same leaves; false where impossible. */
export function match(
  left: readonly Axis[],
  right: readonly Axis[],
  counter: SplitCounter,
): boolean {
  const a = leaves(left)
  const b = leaves(right)
  while (a.length > 0 && b.length > 0) {
    const x = a.shift()!
    const y = b.shift()!
    if (x.size === y.size) continue
    if (y.size % x.size === 0) b.unshift(split(y, x.size, counter)[1])
    else if (x.size % y.size === 0) a.unshift(split(x, y.size, counter)[1])
    else return false
  }
  return a.length === 0 && b.length === 0
}

/** ⌈log2 size⌉: bits of an axis padded to a power of two. */
export function axisBits(size: number): number {
  return size <= 1 ? 0 : 32 - Math.clz32(size - 1)
}

/** Bits of several axes. */
export function totalBits(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + axisBits(size), 0)
}

/**
 * Padded address of every element of a row-major tensor: digits side by side, each in its own bits.
 *
 * @example
 * paddedAddresses([2, 3]) // [0, 1, 2, 4, 5, 6]
 */
export function paddedAddresses(sizes: readonly number[]): Int32Array {
  let addresses = Int32Array.of(0)
  for (const size of sizes) {
    const scale = 2 ** axisBits(size)
    const next = new Int32Array(addresses.length * size)
    let at = 0
    for (const address of addresses) for (let i = 0; i < size; i++) next[at++] = address * scale + i
    addresses = next
  }
  return addresses
}
