import { gatherIndex } from '../tensor-index.js'

/**
 * How the elements of a tensor are to be read: digits of a mixed-radix counter over the output, most
 * significant first, each with its step in the tensor underneath. Digits of size 1 are left out and
 * neighbours that count through together are one, so a tensor read in its own order is one digit.
 *
 * A row-major reshape changes nothing here, a transpose reorders digits. Any run of both therefore
 * stays one view, and is one `rearrange` when somebody needs the elements in order.
 */
export type View = readonly Digit[]

export type Digit = { readonly size: number; readonly stride: number }

/** A tensor of `count` elements read in its own order. */
export function identityView(count: number): View {
  return count === 1 ? [] : [{ size: count, stride: 1 }]
}

/** Whether the elements are read in the order in which they lie. */
export function isIdentity(view: View): boolean {
  return view.length === 0 || (view.length === 1 && view[0]!.stride === 1)
}

function join(digits: readonly Digit[]): View {
  const joined: Digit[] = []
  for (const digit of digits) {
    const last = joined.at(-1)
    if (last !== undefined && last.stride === digit.stride * digit.size) {
      joined[joined.length - 1] = { size: last.size * digit.size, stride: digit.stride }
    } else {
      joined.push(digit)
    }
  }
  return joined
}

/** The digits of each axis of `shape`, or undefined where an axis would need a part of a digit. */
function splitByAxes(view: View, shape: readonly number[]): (readonly Digit[])[] | undefined {
  const rest = [...view].reverse()
  const axes: Digit[][] = []
  for (const size of shape) {
    const digits: Digit[] = []
    let need = size
    while (need > 1) {
      const digit = rest.pop()
      if (digit === undefined) return undefined
      if (need % digit.size === 0) {
        digits.push(digit)
        need /= digit.size
      } else if (digit.size % need === 0) {
        const lower = digit.size / need
        digits.push({ size: need, stride: digit.stride * lower })
        rest.push({ size: lower, stride: digit.stride })
        need = 1
      } else {
        return undefined
      }
    }
    axes.push(digits)
  }
  return axes
}

/**
 * The view after a transpose of a tensor of this shape, or undefined where it is no view any more (a
 * reshape regrouped elements across digits): then the tensor must be put in order first.
 */
export function transposeView(
  view: View,
  shape: readonly number[],
  permutation: readonly number[],
): View | undefined {
  const axes = splitByAxes(view, shape)
  return axes && join(permutation.flatMap((axis) => axes[axis]!))
}

/** The view as the one transpose that puts the elements in order. */
export function viewAsTranspose(view: View): {
  readonly inputShape: readonly number[]
  readonly permutation: readonly number[]
} {
  const order = view.map((_, index) => index).sort((a, b) => view[b]!.stride - view[a]!.stride)
  const position = new Map(order.map((index, place) => [index, place]))
  return {
    inputShape: order.map((index) => view[index]!.size),
    permutation: view.map((_, index) => position.get(index)!),
  }
}

/** For every element of the view, in order, the element of the tensor underneath. */
export function viewIndex(view: View): Int32Array {
  return gatherIndex(
    view.map(({ size }) => size),
    view.map(({ stride }) => stride),
  )
}

/** Whether two views read the same elements in the same order. */
export function sameView(a: View, b: View): boolean {
  return (
    a.length === b.length &&
    a.every(({ size, stride }, i) => size === b[i]!.size && stride === b[i]!.stride)
  )
}
