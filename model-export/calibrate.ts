import { prepareFloat } from './execute-float.js'
import type { FloatModel } from './float-model.js'
import { PlatemarkError } from './platemark-error.js'
import type { Progress } from './progress.js'

/** Bound once: these loops are hot, and a test runner's realm looks globals up slowly. */
const { abs, floor, max } = Math

/** What one run of a float model is fed with. */
export type FloatInputs = {
  /** As many elements as the model's input. */
  readonly latent: Float64Array
  /** One tensor a condition. */
  readonly conditions?: readonly Float64Array[]
}

/** Values of one tensor over the calibration seeds. */
export type TensorStatistics = {
  readonly min: number
  readonly max: number
  /** Counts of |value| in equal bins from 0 to `histogramEnd`. */
  readonly histogram: Float64Array
  readonly histogramEnd: number
}

const BINS = 4096

/**
 * Runs the float model and collects what values its tensors take.
 *
 * @param runs - real latents and conditions, one a seed
 * @returns statistics by tensor name
 * @throws {PlatemarkError} where a value is not finite.
 * @example
 * calibrate(model, [{ latent }], silent).get(model.output.name)?.max
 */
export function calibrate(
  model: FloatModel,
  runs: readonly FloatInputs[],
  progress: Progress,
): ReadonlyMap<string, TensorStatistics> {
  const run = prepareFloat(model)
  const collectors = new Map<string, Collector>()
  runs.forEach(({ latent, conditions }, index) => {
    for (const [name, values] of run(latent, conditions)) {
      const collector = collectors.get(name) ?? startCollecting()
      collectors.set(name, collector)
      collect(collector, values)
      if (!Number.isFinite(collector.max - collector.min)) throw notFinite(model.name, name)
    }
    progress({ step: 'calibrate', done: index + 1, total: runs.length })
  })
  return collectors
}

type Collector = { min: number; max: number; histogram: Float64Array; histogramEnd: number }

function startCollecting(): Collector {
  return {
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    histogram: new Float64Array(BINS),
    histogramEnd: 2 ** -20,
  }
}

function collect(collector: Collector, values: Float64Array): void {
  let excess = 0
  for (const value of values) {
    if (value < collector.min) collector.min = value
    if (value > collector.max) collector.max = value
    // 0 for numbers, NaN for the rest.
    excess += value - value
  }
  collector.min += excess
  const largest = max(abs(collector.min), abs(collector.max))
  if (!Number.isFinite(largest)) return
  while (collector.histogramEnd <= largest) widen(collector)
  const { histogram, histogramEnd } = collector
  const perUnit = BINS / histogramEnd
  for (const value of values) histogram[floor(abs(value) * perUnit)]!++
}

/** Doubles the histogram's range by adding neighbours. */
function widen(collector: Collector): void {
  const { histogram } = collector
  for (let i = 0; i < BINS / 2; i++) histogram[i] = histogram[2 * i]! + histogram[2 * i + 1]!
  histogram.fill(0, BINS / 2)
  collector.histogramEnd *= 2
}

/**
 * The bound at which to saturate |value| so that rounding and saturation together lose least: with
 * few levels, a rare large value is not worth a coarser step for all others.
 *
 * @param levels - number of positive integers that the range is divided into
 * @returns a bound in (0, largest |value|]; the mean square error is smallest there
 */
export function bestSaturation(statistics: TensorStatistics, levels: number): number {
  const { histogram, histogramEnd } = statistics
  const largest = max(abs(statistics.min), abs(statistics.max))
  const width = histogramEnd / BINS
  let count = 0
  for (const n of histogram) count += n
  let best = { bound: largest, error: Number.POSITIVE_INFINITY }
  for (let percent = 100; percent >= 30; percent -= 2) {
    const bound = (largest * percent) / 100
    const step = bound / levels
    let error = (count * step * step) / 12
    for (let bin = floor(bound / width); bin < BINS; bin++) {
      const excess = max(0, (bin + 0.5) * width - bound)
      error += histogram[bin]! * excess * excess
    }
    if (error < best.error) best = { bound, error }
  }
  return best.bound
}

function notFinite(model: string, tensor: string): PlatemarkError {
  return new PlatemarkError(`The model "${model}" computes values that are not finite numbers.`, {
    found: `infinity or NaN in tensor "${tensor}"`,
    fix: 'Check the weights, and that --latent is the distribution that the model was trained with.',
  })
}
