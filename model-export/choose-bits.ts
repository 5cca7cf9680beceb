import { assembleModel, type QuantizationPlan } from './assemble-model.js'
import { realConditions, sampleConditions } from './conditions.js'
import { execute } from './execute.js'
import { prepareFloat } from './execute-float.js'
import { meanSquaredError, peakSignalToNoise } from './image-quality.js'
import type { IntegerModel } from './integer-model.js'
import { realLatent, sampleLatent } from './latent-table.js'
import { chooseLayerBits, type LayerChoice, type TrialErrors, type Uniform } from './layer-bits.js'
import { affordableRuns, floatMacs } from './model-size.js'
import type { Profile } from './profiles.js'
import type { Progress } from './progress.js'
import { assembleWithSharedTables } from './share-tables.js'
import { transposeIndex } from './tensor-index.js'

/** Seeds of a trial, other than those of the calibration; fewer for large models. */
const MOST_TRIAL_SEEDS = 16
const FIRST_TRIAL_SEED = 500_000

/**
 * Bits more than the profile's. Weights get a bit first: they cost circuits less than activations, which make
 * tables larger too.
 */
const BIT_STEPS: readonly (readonly [weight: number, activation: number])[] = [
  [-5, -5],
  [-4, -4],
  [-3, -3],
  [-2, -2],
  [-1, -1],
  [0, 0],
  [1, 0],
  [1, 1],
  [2, 1],
  [2, 2],
  [3, 2],
  [3, 3],
  [4, 3],
  [4, 4],
  [5, 4],
  [6, 5],
  [7, 6],
  [8, 7],
]

/** Bits of tables that are shared: twice the rows each time. */
const TABLE_STEPS: readonly number[] = [0, 1, 2, 3, 4, 5, 6]
const SHORTER_TABLES: readonly number[] = [-3, -2, -1]

/** Up to this step the wanted closeness is worth the rows: beyond, it is enough to be close. */
const CHEAP_TABLE_STEPS = 2
const CLOSE_PSNR = 48

/** No range of a remainder gets longer: layers of a large model are proven in limbs of so many bits. */
const MOST_REMAINDER_BITS = 13

/** What was tried, and how close its images were on the trial seeds. */
export type Trial = {
  readonly weightBits: number
  readonly activationBits: number
  readonly tableBits: number
  readonly remainderBits: number
  readonly psnr: number
}

/** A model, why it is this one, and what else was tried. */
export type Choice = {
  readonly model: IntegerModel
  readonly trials: readonly Trial[]
  readonly why: string
  /** On the trial seeds; absent where bits were given. */
  readonly psnr?: number
  /** Whether that is what was wanted; false where not even the most bits are enough. */
  readonly reached?: boolean
  /** By affine node, where bits were chosen layer by layer. */
  readonly layers?: readonly LayerChoice[]
}

/**
 * The model of fewest bits, or of the shortest tables where they are shared, whose images are at least
 * `profile.targetPsnr` close to the float model's; with the most where none is. Bits are the same everywhere first,
 * around the profile's, then layer by layer. Closeness is taken to grow with bits, so that few trials do.
 *
 * @param given - bits that the user fixed, which stay as they are; and whether the user wants this
 *   closeness and no other: then tables may be shorter than the profile's, and rows are worth any closeness
 */
export function chooseBits(
  plan: QuantizationPlan,
  profile: Profile,
  given: Given,
  progress: Progress,
): Choice {
  const reference = referenceImages(plan)
  return profile.sharedTables
    ? chooseTables(plan, profile, given, reference, progress)
    : searchBits(plan, profile, given, reference, progress)
}

type Given = {
  readonly weightBits: number | undefined
  readonly activationBits: number | undefined
  readonly exactly: boolean
}

function trialOf(profile: Profile, psnr: number): Trial {
  const { weightBits, activationBits, tableBits, remainderBits } = profile
  return { weightBits, activationBits, tableBits, remainderBits, psnr }
}

function because(psnr: number, wanted: number, what: string): string {
  return `${what} with ${psnr.toFixed(1)} dB on the trial seeds, where ${wanted.toFixed(1)} dB are wanted`
}

/** Long tables take longest to try, so they are tried last. */
function chooseTables(
  plan: QuantizationPlan,
  profile: Profile,
  given: Given,
  reference: readonly ReferenceImage[],
  progress: Progress,
): Choice {
  const { targetPsnr } = profile
  const steps = given.exactly ? [...SHORTER_TABLES, ...TABLE_STEPS] : TABLE_STEPS
  const trials: Trial[] = []
  let model: IntegerModel | undefined
  for (const step of steps) {
    const tried = longerTables(profile, step)
    model = assembleWithSharedTables(plan, tried)
    const psnr = psnrOf(trialErrors(model, reference))
    trials.push(trialOf(tried, psnr))
    progress({ step: 'choose tables', done: trials.length, total: steps.length })
    const enough =
      given.exactly || step <= CHEAP_TABLE_STEPS ? targetPsnr : Math.min(targetPsnr, CLOSE_PSNR)
    if (psnr >= enough)
      return {
        model,
        trials,
        psnr,
        reached: true,
        why: because(psnr, enough, 'the shortest tables'),
      }
  }
  const { psnr } = trials.at(-1)!
  const why = because(psnr, targetPsnr, 'the longest tables that are tried,')
  return { model: model!, trials, psnr, reached: false, why }
}

function searchBits(
  plan: QuantizationPlan,
  profile: Profile,
  given: Given,
  reference: readonly ReferenceImage[],
  progress: Progress,
): Choice {
  const { targetPsnr } = profile
  const trials: Trial[] = []
  const errorsOf: TrialErrors = (model, seeds) => trialErrors(model, reference.slice(0, seeds))
  const attempt = (step: number): Uniform & { readonly psnr: number } => {
    const tried = moreBits(profile, BIT_STEPS[step]!, given)
    const model = assembleModel(plan, tried)
    const errors = errorsOf(model)
    const psnr = psnrOf(errors)
    trials.push(trialOf(tried, psnr))
    return { profile: tried, model, errors, psnr }
  }
  let low = 0
  let high = BIT_STEPS.length - 1
  let best: ReturnType<typeof attempt> | undefined
  while (low <= high) {
    // The answer is more often near the start.
    const middle = trials.length === 0 ? Math.floor(high / 3) : (low + high) >> 1
    const tried = attempt(middle)
    progress({ step: 'choose bits', done: trials.length, total: 4 })
    if (tried.psnr >= targetPsnr) {
      best = tried
      high = middle - 1
    } else low = middle + 1
  }
  if (best === undefined) {
    const { model, psnr } = attempt(BIT_STEPS.length - 1)
    const why = because(psnr, targetPsnr, 'the most bits that are tried,')
    return { model, trials, psnr, reached: false, why }
  }
  const byLayer = chooseLayerBits(plan, best, targetPsnr, given, errorsOf, progress)
  const { model, psnr } = byLayer ?? best
  const why = because(psnr, targetPsnr, 'the fewest bits')
  if (byLayer === undefined) return { model, trials, psnr, reached: true, why }
  const { weightBits, activationBits } = best.profile
  const saved = ((1 - byLayer.cost) * 100).toFixed(0)
  const uniform = `${weightBits}-bit weights and ${activationBits}-bit activations`
  return {
    model,
    trials,
    psnr,
    reached: true,
    layers: byLayer.layers,
    why: `${why}; layer by layer, for ${saved}% less than ${uniform} everywhere`,
  }
}

function longerTables(profile: Profile, by: number): Profile {
  return {
    ...profile,
    tableBits: profile.tableBits + by,
    pixelTableBits: profile.pixelTableBits + by,
    remainderBits: Math.min(profile.remainderBits + by, MOST_REMAINDER_BITS),
  }
}

function moreBits(
  profile: Profile,
  [weight, activation]: (typeof BIT_STEPS)[number],
  given: Given,
): Profile {
  return {
    ...profile,
    weightBits: given.weightBits ?? Math.max(2, profile.weightBits + weight),
    activationBits: given.activationBits ?? Math.max(2, profile.activationBits + activation),
  }
}

type ReferenceImage = {
  readonly latentBytes: Uint8Array
  readonly conditions: Uint8Array
  readonly pixels: Float64Array
}

/** The float model's images of the trial seeds, mapped to 0…255 and clipped, height × width × channels. */
function referenceImages({
  model,
  latent,
  conditions: kinds,
  size,
  range,
}: QuantizationPlan): ReferenceImage[] {
  const run = prepareFloat(model)
  const { height, width, channels, layout } = size
  const order = layout === 'CHW' ? [1, 2, 0] : [0, 1, 2]
  const shape = layout === 'CHW' ? [channels, height, width] : [height, width, channels]
  const index = transposeIndex(shape, order)
  const [low, high] = range
  const seeds = affordableRuns(MOST_TRIAL_SEEDS, floatMacs(model))
  return Array.from({ length: seeds }, (_, i) => {
    const latentBytes = sampleLatent(FIRST_TRIAL_SEED + i, latent.dimensions)
    const conditions = sampleConditions(FIRST_TRIAL_SEED + i, kinds)
    const real = realConditions(kinds, conditions)
    const image = run(realLatent(latent, latentBytes), real).get(model.output.name)!
    const pixels = Float64Array.from(index, (at) =>
      Math.min(Math.max(((image[at]! - low) / (high - low)) * 255, 0), 255),
    )
    return { latentBytes, conditions, pixels }
  })
}

/** Mean squared errors of the trial images. */
function trialErrors(model: IntegerModel, reference: readonly ReferenceImage[]): readonly number[] {
  return reference.map(({ latentBytes, conditions, pixels }) =>
    meanSquaredError(execute(model, latentBytes, conditions), pixels),
  )
}

function psnrOf(errors: readonly number[]): number {
  return peakSignalToNoise(errors.reduce((sum, error) => sum + error, 0) / errors.length)
}
