import { assembleModel, type QuantizationPlan } from './assemble-model.js'
import { circuitCost } from './circuit-cost.js'
import type { FloatAffine } from './float-model.js'
import { peakSignalToNoise } from './image-quality.js'
import type { IntegerModel } from './integer-model.js'
import { floatMacs } from './model-size.js'
import { PlatemarkError } from './platemark-error.js'
import type { LayerBits, Profile } from './profiles.js'
import type { Progress } from './progress.js'
import { elementCount } from './tensor-index.js'
import { isCurved, isRounding } from './unary.js'

/*
 * Bits layer by layer, around bits that are the same everywhere. A bit less in one layer multiplies the noise
 * that its rounding adds to the image by four, and noises of different layers add up:
 *
 *     MSE(bits) ≈ MSE(start) + Σ_l n_l · (4^{d_l} − 1)        d_l bits less in layer l
 *
 * n_l and what a bit saves are measured, with a model that lacks a few bits in this layer alone. Then all
 * layers get bits more than at the start, and lose them one by one where most is saved for the noise. How
 * far that may go is tried, as noises do not quite add up.
 */

/** What one bit less in a layer means, around the bits that are the same everywhere. */
export type BitWorth = {
  /** Of the image, in decibels. */
  readonly costs: number
  /** Part of the cost of the circuit. */
  readonly saves: number
}

/** The bits of a layer, and why. */
export type LayerChoice = LayerBits & {
  /** Absent where it is not the layer's own to choose, or was not tried. */
  readonly weightBit?: BitWorth
  readonly activationBit?: BitWorth
}

/** Squared errors of a model's trial images, those of the first `seeds` seeds. */
export type TrialErrors = (model: IntegerModel, seeds?: number) => readonly number[]

/** A model with the same bits everywhere that is close enough, and the errors of its trial images. */
export type Uniform = {
  readonly profile: Profile
  readonly model: IntegerModel
  readonly errors: readonly number[]
}

/** A cheaper model that is close enough too. */
export type ByLayer = {
  readonly model: IntegerModel
  readonly psnr: number
  /** By affine node. */
  readonly layers: readonly LayerChoice[]
  /** Its cost in parts of that of the model with the same bits everywhere. */
  readonly cost: number
}

/** One number of bits that can be chosen. */
type Knob = {
  readonly node: FloatAffine
  readonly kind: keyof LayerBits
  /** Mean squared error of the image that comes from this rounding, at the start. */
  readonly noise: number
  /** Cost that a bit less saves. */
  readonly saving: number
}

/** Seeds and bits of the model that lacks bits in one layer: enough of them that its noise stands out. */
const MEASURED_SEEDS = 4
const MEASURED_DROP = 2
/** Multiplications that are spent on measuring, and the most models that are measured. */
const MEASURED_MACS = 3e9
const MOST_MEASURED = 24
/** Bits that a layer may have more or less than the others. */
const MOST_MORE = 2
const MOST_LESS = 4
const LEAST_BITS = 2
const MOST_BITS: LayerBits = { weightBits: 24, activationBits: 20 }
/** A circuit chooses among at most 2^12 pieces of a table, and a curved function has one for each output. */
const MOST_CURVED_BITS = 12
/** Models that are tried in the end. */
const MOST_CHECKS = 4

/**
 * A model of which some layers have fewer bits and some more, that costs a circuit less and is as close as
 * wanted on the trial seeds; undefined where none was found. Of large models only the layers of most outputs
 * are tried.
 *
 * @param fixed - bits that stay the same everywhere
 * @param errorsOf - of the trial seeds
 */
export function chooseLayerBits(
  plan: QuantizationPlan,
  start: Uniform,
  targetPsnr: number,
  fixed: { readonly [kind in keyof LayerBits]?: number | undefined },
  errorsOf: TrialErrors,
  progress: Progress,
): ByLayer | undefined {
  const knobs = measureKnobs(plan, start, fixed, errorsOf, progress)
  const useful = knobs.filter(({ saving }) => saving > 0)
  if (useful.length === 0) return undefined
  const startCost = circuitCost(start.model)
  const wanted = 255 ** 2 / 10 ** (targetPsnr / 10)
  const moves = planMoves(useful, start, wanted)
  let allowed = wanted
  let reached = -1
  let missed = moves.length
  let best: ByLayer | undefined
  for (let check = 0; check < MOST_CHECKS && reached + 1 < missed; check++) {
    let at = moves.findLastIndex(({ predicted }) => predicted <= allowed)
    at = Math.min(Math.max(at, reached + 1), missed - 1)
    const { bits, predicted } = moves[at]!
    const model = assemble(plan, { ...start.profile, layers: bits })
    if (model === undefined) break
    const error = mean(errorsOf(model))
    progress({ step: 'choose bits by layer', done: knobs.length + check + 1 })
    if (error <= wanted) {
      reached = at
      const layers = describe(plan, start, bits, knobs)
      const cost = circuitCost(model) / startCost
      best = { model, psnr: peakSignalToNoise(error), layers, cost }
    } else missed = at
    // What the noises add up to differs by an amount, or by a factor.
    allowed = Math.min(wanted - (error - predicted), (wanted * predicted) / error)
  }
  return best !== undefined && best.cost < 1 ? best : undefined
}

/** How many decibels a bit less costs in each layer, and what it saves. */
function measureKnobs(
  plan: QuantizationPlan,
  { profile, model, errors }: Uniform,
  fixed: { readonly [kind in keyof LayerBits]?: number | undefined },
  errorsOf: TrialErrors,
  progress: Progress,
): readonly Knob[] {
  const kinds = (['weightBits', 'activationBits'] as const).filter((it) => fixed[it] === undefined)
  const seeds = Math.min(MEASURED_SEEDS, errors.length)
  const affordable = Math.floor(MEASURED_MACS / (seeds * Math.max(1, floatMacs(plan.model))))
  const before = mean(errors.slice(0, seeds))
  const cost = circuitCost(model)
  const open = affineNodes(plan)
    .flatMap((node) => kinds.map((kind) => ({ node, kind })))
    .filter(({ node, kind }) => mayChoose(plan, node, kind))
    .toSorted((a, b) => elementCount(b.node.shape) - elementCount(a.node.shape))
    .slice(0, Math.min(MOST_MEASURED, affordable))
  return open.map(({ node, kind }, i) => {
    const drop = Math.min(MEASURED_DROP, profile[kind] - LEAST_BITS)
    if (drop === 0) return { node, kind, noise: Number.POSITIVE_INFINITY, saving: 0 }
    const { weightBits, activationBits } = profile
    const bits = { weightBits, activationBits, [kind]: profile[kind] - drop }
    const layers = new Map([[node.output, bits]])
    const lowered = assembleModel(plan, { ...profile, layers })
    const added = mean(errorsOf(lowered, seeds)) - before
    progress({ step: 'choose bits by layer', done: i + 1 })
    return {
      node,
      kind,
      // By chance an error may be smaller: nothing is for free.
      noise: Math.max(added, before * 1e-4) / (4 ** drop - 1),
      saving: (cost - circuitCost(lowered)) / drop,
    }
  })
}

/** Integers as they are have no bits of their own; nor have outputs that the model rounds by itself, and pixels. */
function mayChoose({ pixels }: QuantizationPlan, node: FloatAffine, kind: keyof LayerBits) {
  if (node.exact !== undefined) return false
  return kind === 'weightBits'
    ? node.terms.some((term) => term.kind !== 'einsum')
    : node !== pixels && !node.activation.some(isRounding)
}

type Move = { readonly bits: ReadonlyMap<string, LayerBits>; readonly predicted: number }

/** From all layers with more bits on, each model with one bit less than the one before. */
function planMoves(
  knobs: readonly Knob[],
  { profile, errors }: Uniform,
  wanted: number,
): readonly Move[] {
  const least = knobs.map(({ kind }) => Math.max(profile[kind] - MOST_LESS, LEAST_BITS))
  const bits = knobs.map((knob) => mostBits(knob, profile))
  const noiseOf = ({ noise, kind }: Knob, own: number) => noise * 4 ** (profile[kind] - own)
  const start = mean(errors) - knobs.reduce((sum, { noise }) => sum + noise, 0)
  const moves: Move[] = []
  for (;;) {
    const predicted = knobs.reduce((sum, knob, k) => sum + noiseOf(knob, bits[k]!), start)
    moves.push({ bits: bitsByLayer(profile, knobs, bits), predicted })
    // A little beyond what is wanted, in case that noises add up to less.
    if (predicted > 1.5 * wanted) return moves
    let next = -1
    let price = Number.POSITIVE_INFINITY
    knobs.forEach((knob, k) => {
      const own = (3 * noiseOf(knob, bits[k]!)) / knob.saving
      if (bits[k]! > least[k]! && own < price) [next, price] = [k, own]
    })
    if (next < 0) return moves
    bits[next]!--
  }
}

function mostBits({ node, kind }: Knob, profile: Profile): number {
  const curved = kind === 'activationBits' && isCurved(node.activation)
  const limit = curved ? Math.max(profile[kind], MOST_CURVED_BITS) : MOST_BITS[kind]
  return Math.min(profile[kind] + MOST_MORE, limit)
}

function bitsByLayer(
  { weightBits, activationBits }: Profile,
  knobs: readonly Knob[],
  bits: readonly number[],
): ReadonlyMap<string, LayerBits> {
  const layers = new Map<string, LayerBits>()
  knobs.forEach(({ node, kind }, k) => {
    const others = layers.get(node.output) ?? { weightBits, activationBits }
    layers.set(node.output, { ...others, [kind]: bits[k]! })
  })
  return layers
}

function describe(
  plan: QuantizationPlan,
  { profile, model, errors }: Uniform,
  bits: ReadonlyMap<string, LayerBits>,
  knobs: readonly Knob[],
): readonly LayerChoice[] {
  const before = mean(errors)
  const cost = circuitCost(model)
  const worth = (node: FloatAffine, wanted: keyof LayerBits): BitWorth | undefined => {
    const knob = knobs.find((it) => it.node === node && it.kind === wanted)
    if (knob === undefined || knob.saving <= 0) return undefined
    const costs = 10 * Math.log10(1 + (3 * knob.noise) / before)
    return { costs, saves: knob.saving / cost }
  }
  return affineNodes(plan).map((node) => {
    const { weightBits, activationBits } = bits.get(node.output) ?? profile
    const weightBit = worth(node, 'weightBits')
    const activationBit = worth(node, 'activationBits')
    return {
      weightBits,
      activationBits,
      ...(weightBit === undefined ? {} : { weightBit }),
      ...(activationBit === undefined ? {} : { activationBit }),
    }
  })
}

/** Undefined where more bits make numbers or tables too large. */
function assemble(plan: QuantizationPlan, profile: Profile): IntegerModel | undefined {
  try {
    return assembleModel(plan, profile)
  } catch (error) {
    if (error instanceof PlatemarkError) return undefined
    throw error
  }
}

function affineNodes({ model }: QuantizationPlan): readonly FloatAffine[] {
  return model.nodes.filter((node) => node.kind === 'affine')
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
