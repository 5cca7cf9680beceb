import { assembleModel, type QuantizationPlan } from './assemble-model.js'
import { calibrate } from './calibrate.js'
import { type Choice, chooseBits } from './choose-bits.js'
import { realConditions, sampleConditions } from './conditions.js'
import type { FloatCondition, FloatModel } from './float-model.js'
import {
  anyImageSize,
  anyOutputRange,
  detectImageSize,
  detectOutputRange,
  type FlatSize,
  type ImageLayout,
} from './image-output.js'
import type { Condition, IntegerModel, Latent } from './integer-model.js'
import { isolatePixels } from './isolate-pixels.js'
import { latentTable, rangeTable, realLatent, sampleLatent } from './latent-table.js'
import { affordableRuns, floatMacs } from './model-size.js'
import { PlatemarkError } from './platemark-error.js'
import { withPreActivations } from './pre-activations.js'
import { PROFILES, type Profile, type ProfileName } from './profiles.js'
import { type Progress, silent } from './progress.js'
import { assembleWithSharedTables } from './share-tables.js'
import { elementCount } from './tensor-index.js'

export type QuantizeOptions = {
  readonly profile: ProfileName
  /** The distribution that the model was trained to take. */
  readonly latent: Latent['distribution']
  /** Float output that is black and white; detected where absent. */
  readonly outputRange?: readonly [number, number]
  /** Order of the output's axes; detected where absent. */
  readonly layout?: ImageLayout
  /** Height, width and channels where the output has one axis; detected where absent. */
  readonly size?: FlatSize
  /** Takes every output for a picture, also one that is none: see `anyImageSize`. */
  readonly anyOutput?: boolean
  /** These override the profile. */
  readonly weightBits?: number
  readonly activationBits?: number
  readonly tableBits?: number
  /** In decibels: how close images are to be, at the least cost, instead of the profile's own target. */
  readonly targetPsnr?: number
  /** Layers saturate at this many times where the profile has them do; 1 by default. */
  readonly headroom?: number
  /**
   * Seeds of the calibration, 128 by default and up to 1,024 to meet every class; fewer for models of
   * more than 109 million multiplications.
   */
  readonly calibrationSeeds?: number
  readonly toolVersion: string
  /** SHA-256 of the ONNX file, 0x-hex. */
  readonly onnxSha256: string
}

/** Seeds of the calibration so that every class is met. */
const MOST_SEEDS = 1024

/**
 * Quantizes a real model to an exact integer model: calibrates, chooses scales, builds the tables, and
 * proves with interval analysis that no seed leaves them.
 *
 * Scales are symmetric (integer 0 is real 0, as zero padding needs). A node rounds once, at its
 * output; see `quantizeAffine`.
 *
 * The same input gives the same model on the same JavaScript engine. (Tables are computed with `Math`,
 * which another engine may round differently; so a model is shared as its plate, not as its recipe.)
 *
 * @throws {PlatemarkError} where the output is no image, its range is unclear or numbers get too large.
 * @example
 * const model = quantize(lowerOnnx(bytes, 'sprites'), {
 *   profile: 'compact', latent: 'normal', toolVersion: '0.1.0', onnxSha256,
 * })
 */
export function quantize(
  model: FloatModel,
  options: QuantizeOptions,
  progress: Progress = silent,
): IntegerModel {
  return quantizeWithReasons(model, options, progress).model
}

/** As `quantize`, with what was tried and why it was chosen. */
export function quantizeWithReasons(
  model: FloatModel,
  options: QuantizeOptions,
  progress: Progress = silent,
): Choice {
  return prepareQuantization(model, options, progress)(options)
}

/** What may be asked for again, of the same plan. */
export type Wish = {
  readonly [option in 'targetPsnr' | 'headroom']?: QuantizeOptions[option] | undefined
}

/**
 * `quantizeWithReasons` in two steps: calibrates once, then gives a model for each wish.
 *
 * @example
 * const choose = prepareQuantization(model, options, silent)
 * choose({}).psnr // 45.1
 * choose({ targetPsnr: 48 }).psnr // 48.2
 */
export function prepareQuantization(
  model: FloatModel,
  options: QuantizeOptions,
  progress: Progress,
): (wish: Wish) => Choice {
  const plan = planQuantization(model, options, chooseProfile(options), progress)
  return ({ targetPsnr, headroom }) => {
    const profile = chooseProfile({
      ...options,
      ...(targetPsnr === undefined ? {} : { targetPsnr }),
      ...(headroom === undefined ? {} : { headroom }),
    })
    const fixed = profile.sharedTables
      ? options.tableBits !== undefined
      : options.weightBits !== undefined && options.activationBits !== undefined
    if (fixed) {
      const assemble = profile.sharedTables ? assembleWithSharedTables : assembleModel
      return { model: assemble(plan, profile), trials: [], why: 'bits as given' }
    }
    const { weightBits, activationBits } = options
    const given = { weightBits, activationBits, exactly: targetPsnr !== undefined }
    return chooseBits(plan, profile, given, progress)
  }
}

function planQuantization(
  model: FloatModel,
  options: QuantizeOptions,
  profile: Profile,
  progress: Progress,
): QuantizationPlan {
  const { onnxSha256, toolVersion } = options
  const latent = makeLatent(elementCount(model.input.shape), options.latent, profile)
  const [sizeOf, rangeOf] = options.anyOutput
    ? [anyImageSize, anyOutputRange]
    : [detectImageSize, detectOutputRange]
  const size = sizeOf(model.output.shape, options.layout, options.size)
  const { nodes, output, pixels } = isolatePixels(model)
  const prepared: FloatModel = { ...model, nodes, output }
  const conditions = (model.conditions ?? []).map((condition) => makeCondition(condition, profile))
  const classes = conditions.map((it) => (it.kind === 'label' ? it.classes : 0))
  const wanted = Math.max(128, Math.min(MOST_SEEDS, Math.max(0, ...classes)))
  const seeds = options.calibrationSeeds ?? affordableRuns(wanted, floatMacs(model))
  const runs = Array.from({ length: seeds }, (_, seed) => ({
    latent: realLatent(latent, sampleLatent(seed, latent.dimensions)),
    conditions: realConditions(conditions, sampleConditions(seed, conditions)),
  }))
  const statistics = calibrate(withPreActivations(prepared), runs, progress)
  const range = checkRange(
    options.outputRange ?? rangeOf(pixels.activation, statistics.get(output.name)!),
  )
  const source = { onnxSha256, profile: options.profile, toolVersion }
  return { model: prepared, pixels, statistics, latent, conditions, size, range, source }
}

function checkRange(range: readonly [number, number], what = 'output'): readonly [number, number] {
  const [low, high] = range
  if (Number.isFinite(low) && Number.isFinite(high) && low < high) return range
  throw new PlatemarkError(`The ${what} range is not one.`, {
    expected: 'two finite numbers, the lower first',
    found: `${low}, ${high}`,
  })
}

function chooseProfile(options: QuantizeOptions): Profile {
  const preset = PROFILES[options.profile]
  const tableBits = bits('table', options.tableBits ?? preset.tableBits, 4, 20)
  return {
    ...preset,
    headroom: preset.headroom * (options.headroom ?? 1),
    weightBits: bits('weight', options.weightBits ?? preset.weightBits, 2, 24),
    activationBits: bits('activation', options.activationBits ?? preset.activationBits, 2, 20),
    tableBits,
    pixelTableBits: preset.pixelTableBits + tableBits - preset.tableBits,
    ...(options.targetPsnr === undefined ? {} : { targetPsnr: checkTarget(options.targetPsnr) }),
  }
}

function checkTarget(psnr: number): number {
  if (psnr >= 20 && psnr <= 58) return psnr
  throw new PlatemarkError('The wanted PSNR is out of range.', {
    expected: 'from 20 to 58 dB (rounding to whole pixels alone leaves 59)',
    found: String(psnr),
  })
}

function bits(what: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new PlatemarkError(`The number of ${what} bits is out of range.`, {
    expected: `an integer from ${min} to ${max}`,
    found: String(value),
  })
}

function makeLatent(
  dimensions: number,
  distribution: Latent['distribution'],
  profile: Profile,
): Latent {
  // Uniform values are odd multiples of 2^-8: exact at that scale, whatever the profile.
  const scale = 2 ** -(distribution === 'uniform' ? 8 : profile.latentBits)
  return { dimensions, distribution, table: latentTable(distribution, scale), scale }
}

function makeCondition(condition: FloatCondition, profile: Profile): Condition {
  if (condition.kind === 'label') return { kind: 'label', classes: condition.classes }
  const dimensions = elementCount(condition.shape)
  const { values } = condition
  if (values === 'normal' || values === 'uniform') {
    const { table, scale } = makeLatent(dimensions, values, profile)
    return { kind: 'vector', dimensions, table, scale }
  }
  const [low, high] = checkRange(values, 'vector’s')
  // A power of two, as a latent's: the largest value has as many bits as 1 has there.
  const size = Math.ceil(Math.log2(Math.max(Math.abs(low), Math.abs(high))))
  const scale = 2 ** (size - Math.max(profile.latentBits, 8))
  return { kind: 'vector', dimensions, table: rangeTable(low, high, scale), scale }
}
