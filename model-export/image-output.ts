import type { TensorStatistics } from './calibrate.js'
import { elementary } from './elementary.js'
import { PlatemarkError } from './platemark-error.js'
import { evaluateStep, type UnaryChain, type UnaryStep } from './unary.js'

/** Order of the float model's output axes. */
export type ImageLayout = 'CHW' | 'HWC'

export type ImageSize = {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3 | 4
  readonly layout: ImageLayout
}

/** Height, width and channels of an image that an output of one axis holds. */
export type FlatSize = readonly [height: number, width: number, channels: number]

/** The ranges that generators use for pixels. */
const PIXEL_RANGES: readonly (readonly [number, number])[] = [
  [0, 1],
  [-1, 1],
  [0, 255],
]

/**
 * Which axes of the output are height, width and channels. Leading axes of size 1 are batch axes; two
 * axes that are left are a grey image. One axis is an image of the given size, or else a square one: grey,
 * or of 3 or 4 channels where a layout is given.
 *
 * @param shape - shape of the float model's output
 * @param layout - decides where both readings are possible
 * @param flat - size of the image where the output has one axis
 * @throws {PlatemarkError} where there is no reading, or two and no layout is given.
 * @example
 * detectImageSize([1, 3, 32, 32]) // 32 × 32 × 3, CHW
 * detectImageSize([1, 784]) // 28 × 28 × 1, CHW
 */
export function detectImageSize(
  shape: readonly number[],
  layout?: ImageLayout,
  flat?: FlatSize,
): ImageSize {
  const axes = shape.filter((size) => size !== 1)
  const [elements] = axes
  if (axes.length === 1 && elements !== undefined && shape.length <= 2)
    return flatSize(elements, layout, flat)
  const kept = shape.slice(0)
  while (kept.length > 3) {
    if (kept[0] !== 1) throw notAnImage(shape)
    kept.shift()
  }
  const readings = candidates(kept).filter((size) => layout === undefined || size.layout === layout)
  const [first, second] = readings
  if (first === undefined) throw notAnImage(shape, layout)
  if (second === undefined || first.channels === 1) return first
  throw new PlatemarkError('The layout of the output is ambiguous.', {
    expected: 'channels × height × width or height × width × channels',
    found: `${shape.join('×')}, which could be either`,
    fix: 'Pass the layout: --layout CHW or --layout HWC.',
  })
}

/**
 * As `detectImageSize`, for any output: where it is no image, its rows are the picture's, one grey pixel a
 * number. So a classifier's scores can be proven too.
 *
 * @example
 * anyImageSize([1, 10]) // 1 × 10 × 1
 */
export function anyImageSize(
  shape: readonly number[],
  layout?: ImageLayout,
  flat?: FlatSize,
): ImageSize {
  try {
    return detectImageSize(shape, layout, flat)
  } catch (error) {
    if (!(error instanceof PlatemarkError) || flat !== undefined) throw error
  }
  let [height, width] = [shape.reduce((product, size) => product * size, 1), 1]
  // Whole axes, from the last, until a picture can have so many rows.
  for (const size of [...shape].reverse()) {
    if (width > 1 && height <= MOST_ROWS) break
    height /= size
    width *= size
  }
  return { height, width, channels: 1, layout: 'HWC' }
}

const MOST_ROWS = 2 ** 16

function flatSize(elements: number, layout?: ImageLayout, flat?: FlatSize): ImageSize {
  if (flat !== undefined) {
    const [height, width, channels] = flat
    if (height * width * channels === elements && isChannels(channels))
      return { height, width, channels, layout: layout ?? 'CHW' }
    throw new PlatemarkError('The image size does not fit the output.', {
      expected: `${elements} elements, 1, 3 or 4 channels`,
      found: `${flat.join('×')}`,
    })
  }
  for (const channels of layout === undefined ? ([1] as const) : ([1, 3, 4] as const)) {
    const side = Math.sqrt(elements / channels)
    if (Number.isInteger(side))
      return { height: side, width: side, channels, layout: layout ?? 'CHW' }
  }
  throw new PlatemarkError('The output has one axis, and its image is not clear.', {
    expected: 'a square grey image, or its size',
    found: `${elements} elements`,
    fix: 'Pass the size and the order: --size 32x32x3 --layout CHW',
  })
}

function candidates(shape: readonly number[]): readonly ImageSize[] {
  const [a = 0, b = 0, c = 0] = shape
  if (shape.length === 2) return [{ height: a, width: b, channels: 1, layout: 'CHW' }]
  if (shape.length !== 3) return []
  return [
    ...(isChannels(a) ? [{ height: b, width: c, channels: a, layout: 'CHW' as const }] : []),
    ...(isChannels(c) ? [{ height: a, width: b, channels: c, layout: 'HWC' as const }] : []),
  ]
}

function isChannels(size: number): size is 1 | 3 | 4 {
  return size === 1 || size === 3 || size === 4
}

/**
 * The range of outputs that becomes 0…255: what the last activation bounds the output to where that
 * is a usual pixel range, else the usual range that the calibrated values fill.
 *
 * @throws {PlatemarkError} where neither says.
 * @example
 * detectOutputRange([{ op: 'tanh' }], statistics) // [-1, 1]
 */
export function detectOutputRange(
  activation: UnaryChain,
  statistics: TensorStatistics,
): readonly [number, number] {
  const [low, high] = imageOf(activation)
  const byActivation = PIXEL_RANGES.find(
    ([min, max]) => Math.abs(low - min) <= max * 1e-5 && Math.abs(high - max) <= max * 1e-5,
  )
  if (byActivation !== undefined) return byActivation
  const slack = 0.1
  const byValues = PIXEL_RANGES.find(
    ([min, max]) =>
      statistics.min >= min - slack * max &&
      statistics.max <= max + slack * max &&
      statistics.max - statistics.min >= (max - min) / 4,
  )
  if (byValues !== undefined) return byValues
  throw new PlatemarkError('The range of the output is not clear.', {
    expected: 'an output within [0, 1], [-1, 1] or [0, 255]',
    found: `values from ${statistics.min.toPrecision(4)} to ${statistics.max.toPrecision(4)}`,
    fix: 'Pass the range that is black to white: --range 0,1',
  })
}

/**
 * As `detectOutputRange`, for any output: where neither says, black and white are the least and the most
 * that calibration saw, and what goes further saturates.
 */
export function anyOutputRange(
  activation: UnaryChain,
  statistics: TensorStatistics,
): readonly [number, number] {
  try {
    return detectOutputRange(activation, statistics)
  } catch (error) {
    if (!(error instanceof PlatemarkError)) throw error
  }
  const { min, max } = statistics
  return min < max ? [min, max] : [min - 0.5, max + 0.5]
}

/** The values that a chain can take on all reals, or more. */
function imageOf(chain: UnaryChain): readonly [number, number] {
  let low = Number.NEGATIVE_INFINITY
  let high = Number.POSITIVE_INFINITY
  for (const step of chain) {
    if (!isMonotone(step)) {
      ;[low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
      continue
    }
    if (step.op === 'linear' && step.factor === 0) [low, high] = [step.offset, step.offset]
    const inside = low < 0 && high > 0 ? [low, 0, high] : [low, high]
    const values = inside.map((x) => evaluateStep(step, x))
    low = Math.min(...values)
    high = Math.max(...values)
  }
  return [low, high]
}

/** Whether the values of a step follow from those at the ends of an interval and at 0. */
function isMonotone(step: UnaryStep): boolean {
  if (step.op === 'elementary') return elementary(step.name).monotone === true
  return !['sum', 'product', 'power', 'thresholdedRelu', 'shrink'].includes(step.op)
}

function notAnImage(shape: readonly number[], layout?: ImageLayout): PlatemarkError {
  return new PlatemarkError('The output of the model is not an image.', {
    expected: `${layout === undefined ? '' : `${layout}, `}one image of 1, 3 or 4 channels: height × width, channels × height × width or height × width × channels`,
    found: shape.join('×') || 'a scalar',
    fix: 'Export the model with the image itself as its first output.',
  })
}
