import { assembleModel, type QuantizationPlan } from './assemble-model.js'
import { execute } from './execute.js'
import { prepareFloat } from './execute-float.js'
import { meanSquaredError, peakSignalToNoise } from './image-quality.js'
import type { IntegerModel } from './integer-model.js'
import { realLatent, sampleLatent } from './latent-table.js'
import { affordableRuns, floatMacs } from './model-size.js'
import type { Profile } from './profiles.js'
import type { Progress } from './progress.js'
import { assembleWithSharedTables } from './share-tables.js'
import { transposeIndex } from './tensor-index.js'

/** Seeds of a trial, other than those of the calibration; fewer for large models. */
const MOST_TRIAL_SEEDS = 16
const FIRST_TRIAL_SEED = 500_000

/** Weights get a bit first: they cost circuits less than activations, which make tables larger too. */
const BIT_STEPS: readonly (readonly [weight: number, activation: number])[] = [
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

/** Up to this step the wanted closeness is worth the rows: beyond, it is enough to be close. */
const CHEAP_TABLE_STEPS = 2
const CLOSE_PSNR = 48

/** No range of a remainder gets longer: layers of a large model are proven in limbs of so many bits. */
const MOST_REMAINDER_BITS = 13

/**
 * The model of fewest bits, or of the shortest tables where they are shared, whose images are at least
 * `targetPsnr` close to the float model's, starting from the profile's bits; with the most where none is.
 * Closeness is taken to grow with bits, so that few trials do.
 *
 * @param given - bits that the user fixed, which stay as they are
 */
export function chooseBits(
  plan: QuantizationPlan,
  profile: Profile,
  targetPsnr: number,
  given: { readonly weightBits?: number; readonly activationBits?: number },
  progress: Progress,
): IntegerModel {
  const reference = referenceImages(plan)
  return profile.sharedTables
    ? chooseTables(plan, profile, targetPsnr, reference, progress)
    : searchBits(plan, profile, targetPsnr, given, reference, progress)
}

/** Long tables take longest to try, so they are tried last. */
function chooseTables(
  plan: QuantizationPlan,
  profile: Profile,
  targetPsnr: number,
  reference: readonly ReferenceImage[],
  progress: Progress,
): IntegerModel {
  let model: IntegerModel | undefined
  for (const step of TABLE_STEPS) {
    model = assembleWithSharedTables(plan, longerTables(profile, step))
    progress({ step: 'choose tables', done: step + 1, total: TABLE_STEPS.length })
    const wanted = step <= CHEAP_TABLE_STEPS ? targetPsnr : Math.min(targetPsnr, CLOSE_PSNR)
    if (trialPsnr(model, reference) >= wanted) break
  }
  return model!
}

function searchBits(
  plan: QuantizationPlan,
  profile: Profile,
  targetPsnr: number,
  given: { readonly weightBits?: number; readonly activationBits?: number },
  reference: readonly ReferenceImage[],
  progress: Progress,
): IntegerModel {
  const attempt = (step: number): { model: IntegerModel; psnr: number } => {
    const model = assembleModel(plan, moreBits(profile, BIT_STEPS[step]!, given))
    return { model, psnr: trialPsnr(model, reference) }
  }
  let low = 0
  let high = BIT_STEPS.length - 1
  let best: IntegerModel | undefined
  let trials = 0
  while (low <= high) {
    // The answer is more often near the start.
    const middle = trials === 0 ? Math.floor(high / 4) : (low + high) >> 1
    const { model, psnr } = attempt(middle)
    progress({ step: 'choose bits', done: ++trials, total: 4 })
    if (psnr >= targetPsnr) {
      best = model
      high = middle - 1
    } else low = middle + 1
  }
  return best ?? attempt(BIT_STEPS.length - 1).model
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
  given: { readonly weightBits?: number; readonly activationBits?: number },
): Profile {
  return {
    ...profile,
    weightBits: given.weightBits ?? profile.weightBits + weight,
    activationBits: given.activationBits ?? profile.activationBits + activation,
  }
}

type ReferenceImage = { readonly latentBytes: Uint8Array; readonly pixels: Float64Array }

/** The float model's images of the trial seeds, mapped to 0…255 and clipped, height × width × channels. */
function referenceImages({ model, latent, size, range }: QuantizationPlan): ReferenceImage[] {
  const run = prepareFloat(model)
  const { height, width, channels, layout } = size
  const order = layout === 'CHW' ? [1, 2, 0] : [0, 1, 2]
  const shape = layout === 'CHW' ? [channels, height, width] : [height, width, channels]
  const index = transposeIndex(shape, order)
  const [low, high] = range
  const seeds = affordableRuns(MOST_TRIAL_SEEDS, floatMacs(model))
  return Array.from({ length: seeds }, (_, i) => {
    const latentBytes = sampleLatent(FIRST_TRIAL_SEED + i, latent.dimensions)
    const image = run(realLatent(latent, latentBytes)).get(model.output.name)!
    const pixels = Float64Array.from(index, (at) =>
      Math.min(Math.max(((image[at]! - low) / (high - low)) * 255, 0), 255),
    )
    return { latentBytes, pixels }
  })
}

function trialPsnr(model: IntegerModel, reference: readonly ReferenceImage[]): number {
  let total = 0
  for (const { latentBytes, pixels } of reference)
    total += meanSquaredError(execute(model, latentBytes), pixels)
  return peakSignalToNoise(total / reference.length)
}
