import type { SparseRows } from './select-axis.js'

/** Bound once: these loops are hot, and a test runner's realm looks globals up slowly. */
const { abs, ceil, floor, fround, max, min } = Math

/** How one axis is resized, in the words of the ONNX operator `Resize`. */
export type ResizeAxis = {
  readonly size: number
  readonly resized: number
  readonly scale: number
  readonly mode: 'nearest' | 'linear' | 'cubic'
  readonly coordinates: string
  readonly nearest: string
  readonly cubicCoefficient: number
  readonly excludeOutside: boolean
  /** Where it shrinks, the kernel grows, so that every element counts. */
  readonly antialias: boolean
  /** Part of the axis that is resized, for `tf_crop_and_resize`. */
  readonly region: readonly [number, number]
}

/**
 * For every element of the resized axis, the elements of the original with their weights; no element
 * where it lies outside of what `tf_crop_and_resize` can see.
 *
 * @returns undefined for a coordinate or nearest mode that is unknown
 */
export function resizeWeights(axis: ResizeAxis): SparseRows | undefined {
  const original = coordinateOf(axis)
  const round = roundings[axis.nearest]
  if (original === undefined || round === undefined) return undefined
  const last = axis.size - 1
  const clamp = (at: number): number => min(max(at, 0), last)
  return Array.from({ length: axis.resized }, (_, i) => {
    const x = original(i)
    if (axis.coordinates === 'tf_crop_and_resize' && (x < 0 || x > last)) return []
    if (axis.mode === 'nearest') return [[clamp(round(x)), 1]]
    const taps = tapsAround(x, axis)
    const counted = axis.excludeOutside ? taps.filter(([at]) => at >= 0 && at <= last) : taps
    const total = counted.reduce((sum, [, weight]) => sum + weight, 0)
    return counted
      .filter(([, weight]) => weight !== 0)
      .map(([at, weight]) => [clamp(at), weight / total] as const)
  })
}

type Taps = readonly (readonly [at: number, weight: number])[]

/** The elements around a place with their weights, also outside of the axis. */
function tapsAround(x: number, axis: ResizeAxis): Taps {
  const first = floor(x)
  const t = x - first
  if (axis.antialias && axis.scale < 1) return stretchedTaps(x, axis)
  if (axis.mode === 'linear')
    return [
      [first, 1 - t],
      [first + 1, t],
    ]
  return cubicWeights(t, axis.cubicCoefficient).map((w, k) => [first - 1 + k, w] as const)
}

/** As many as are behind one element of what comes out. */
function stretchedTaps(x: number, { mode, scale, cubicCoefficient }: ResizeAxis): Taps {
  const reach = (mode === 'linear' ? 1 : 2) / scale
  const first = ceil(x - reach)
  return Array.from({ length: floor(x + reach) - first + 1 }, (_, k) => {
    const distance = abs(first + k - x) * scale
    const weight = mode === 'linear' ? max(1 - distance, 0) : cubic(distance, cubicCoefficient)
    return [first + k, weight] as const
  })
}

/** Rounding of coordinates; halves as the name says. */
const roundings: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => ceil(x - 0.5),
  round_prefer_ceil: (x) => floor(x + 0.5),
  floor,
  ceil,
}

/** The place in the original axis, in single precision as onnxruntime has it: ties depend on it. */
function coordinateOf(axis: ResizeAxis): ((i: number) => number) | undefined {
  const { size, resized, region } = axis
  const scale = fround(axis.scale)
  const halfPixel = (i: number): number => fround(fround(fround(i + 0.5) / scale) - 0.5)
  switch (axis.coordinates) {
    case 'half_pixel':
      return halfPixel
    case 'pytorch_half_pixel':
      return (i) => (resized > 1 ? halfPixel(i) : 0)
    case 'half_pixel_symmetric': {
      const adjustment = resized / fround(scale * size)
      const offset = (size / 2) * (1 - adjustment)
      return (i) => fround(offset + halfPixel(i))
    }
    case 'align_corners':
      return (i) => (resized > 1 ? fround((i * (size - 1)) / (resized - 1)) : 0)
    case 'asymmetric':
      return (i) => fround(i / scale)
    case 'tf_half_pixel_for_nn':
      return (i) => fround(fround(i + 0.5) / scale)
    case 'tf_crop_and_resize': {
      const [start, end] = region
      return (i) =>
        fround(
          resized > 1
            ? start * (size - 1) + (i * (end - start) * (size - 1)) / (resized - 1)
            : 0.5 * (start + end) * (size - 1),
        )
    }
    default:
      return undefined
  }
}

/** Keys' kernel at the four neighbours of a place that is `t` behind the second. */
function cubicWeights(t: number, a: number): readonly number[] {
  return [far(1 + t, a), near(t, a), near(abs(1 - t), a), far(2 - t, a)]
}

function cubic(distance: number, a: number): number {
  return distance <= 1 ? near(distance, a) : distance < 2 ? far(distance, a) : 0
}

const near = (x: number, a: number): number => ((a + 2) * x - (a + 3)) * x * x + 1
const far = (x: number, a: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
