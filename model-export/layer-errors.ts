import { conditionsOf, realConditions, sampleConditions } from './conditions.js'
import { prepareEinsum } from './einsum.js'
import { expandBias, trace } from './execute.js'
import { type FloatStep, type FloatTensors, floatSteps } from './execute-float.js'
import type { FloatModel } from './float-model.js'
import { meanSquaredError, peakSignalToNoise } from './image-quality.js'
import type { AffineNode, IntegerModel } from './integer-model.js'
import { realLatent, sampleLatent } from './latent-table.js'
import { prepareTerm } from './linear-terms.js'
import { modelSize } from './model-size.js'

/** What quantizing one layer costs, in decibels; larger is better, 100 is none at all. */
export type LayerError = {
  /** Signal to noise of its output when its inputs are the float model's, on their grid. */
  readonly ownSnr: number
  /** The same in the integer model: all layers before add to it. */
  readonly accumulatedSnr: number
  /** PSNR of the image when this layer alone is quantized; absent where the model is too large to try. */
  readonly imagePsnr?: number
}

/** Other seeds than those of calibration, trial and report. */
const FIRST_SEED = 2_000_000
const MOST_SEEDS = 4
/** Multiplications that the images of layers quantized alone may take, over all layers. */
const USUAL_WORK = 5e8
const MOST_WORK = 4e9

/**
 * The error of every layer, to find the one that hurts.
 *
 * @param float - the model as it was quantized, its pixels from a node of their own
 * @returns by node of the integer model; undefined for nodes that only move
 */
export function layerErrors(
  float: FloatModel,
  model: IntegerModel,
): readonly (LayerError | undefined)[] {
  const work = (modelSize(model).macs * float.nodes.length) / 2
  const seeds = Math.max(1, Math.min(MOST_SEEDS, Math.floor(USUAL_WORK / work)))
  const kinds = conditionsOf(model)
  const steps = floatSteps(float)
  const layers = float.nodes.map((_, i) => {
    const node = model.nodes[i]!
    return node.kind === 'affine' ? startLayer(float, model, node, i) : undefined
  })
  const pixelsOf = pixelMap(model)
  for (let seed = 0; seed < seeds; seed++) {
    const bytes = sampleLatent(FIRST_SEED + seed, model.latent.dimensions)
    const chosen = sampleConditions(FIRST_SEED + seed, kinds)
    const run = trace(model, bytes, chosen)
    const tensors: FloatTensors = new Map([[float.input.name, realLatent(model.latent, bytes)]])
    realConditions(kinds, chosen).forEach((value, i) => {
      tensors.set(float.conditions![i]!.name, value)
    })
    for (const [output, step] of steps) tensors.set(output, step(tensors))
    const names = tensorNames(float, model)
    const wanted = pixelsOf(tensors.get(float.output.name)!)
    for (const layer of layers) {
      if (layer === undefined) continue
      const { node, isPixels, own, accumulated } = layer
      const real = tensors.get(layer.output)!
      const reference = isPixels ? pixelsOf(real) : real
      const scale = model.tensors[node.output]!.scale
      const alone = layer.run(tensors, names).map((value) => value * scale)
      addNoise(own, reference, alone)
      const whole = Float64Array.from(run.tensors[node.output]!, (value) => value * scale)
      addNoise(accumulated, reference, whole)
      if (work <= MOST_WORK) {
        const error = isPixels
          ? meanSquaredError(alone, reference)
          : meanSquaredError(pixelsOf(rerun(float, steps, tensors, layer.index, alone)), wanted)
        layer.image += error / seeds
      }
    }
  }
  return model.nodes.map((_, i) => {
    const layer = layers[i]
    return (
      layer && {
        ownSnr: decibels(layer.own),
        accumulatedSnr: decibels(layer.accumulated),
        ...(work <= MOST_WORK ? { imagePsnr: peakSignalToNoise(layer.image) } : {}),
      }
    )
  })
}

type Noise = { signal: number; noise: number }

type Layer = {
  readonly node: AffineNode
  readonly index: number
  readonly output: string
  readonly isPixels: boolean
  readonly run: (tensors: FloatTensors, names: readonly string[]) => Float64Array
  readonly own: Noise
  readonly accumulated: Noise
  /** Mean squared error of the image so far. */
  image: number
}

function startLayer(
  float: FloatModel,
  model: IntegerModel,
  node: AffineNode,
  index: number,
): Layer {
  return {
    node,
    index,
    output: float.nodes[index]!.output,
    isPixels: isPixels(model, node.output),
    run: integerNode(model, node),
    own: { signal: 0, noise: 0 },
    accumulated: { signal: 0, noise: 0 },
    image: 0,
  }
}

/** Whether the image is this tensor or a rearrangement of it. */
function isPixels(model: IntegerModel, tensor: number): boolean {
  let at = model.image.tensor
  for (;;) {
    if (at === tensor) return true
    const node = model.nodes.find(({ output }) => output === at)
    if (node?.kind !== 'rearrange') return false
    at = node.input
  }
}

/** Names of the float model's tensors by tensor id. Nodes of the two models stand in the same order. */
function tensorNames(float: FloatModel, model: IntegerModel): readonly string[] {
  const names = [float.input, ...(float.conditions ?? [])].map(({ name }) => name)
  float.nodes.forEach(({ output }, i) => {
    names[model.nodes[i]!.output] = output
  })
  return names
}

/** One node on real inputs, each brought to its integers first. */
function integerNode(model: IntegerModel, node: AffineNode): Layer['run'] {
  const { shape } = model.tensors[node.output]!
  const bias = expandBias(node, shape)
  const { first, values } = model.tables[node.table]!
  const { multiplier, shift } = node.requantize
  const power = 2 ** shift
  const half = shift > 0 ? power / 2 : 0
  const terms = node.terms.map((term) =>
    term.kind === 'einsum'
      ? { ids: [term.input, term.operand], add: prepareEinsum(term) }
      : { ids: [term.input], add: prepareTerm(term, shape) },
  )
  return (tensors, names) => {
    const onGrid = (id: number): Float64Array => {
      const { min, max, scale } = model.tensors[id]!
      const real = tensors.get(names[id]!)!
      return real.map((value) => Math.min(Math.max(Math.floor(value / scale + 0.5), min), max))
    }
    const sum = bias.slice()
    for (const { ids, add } of terms) {
      const [input, operand] = ids.map(onGrid)
      ;(add as (a: Float64Array, b: Float64Array, to?: Float64Array) => void)(
        input!,
        operand ?? sum,
        sum,
      )
    }
    // Values of different seeds need not meet in one tensor, so bounds of sums may not hold: saturate.
    return sum.map((value) => {
      const row = Math.floor((value * multiplier + half) / power) - first
      return values[Math.min(Math.max(row, 0), values.length - 1)]!
    })
  }
}

/** The float model's output with one tensor replaced. */
function rerun(
  float: FloatModel,
  steps: readonly FloatStep[],
  tensors: FloatTensors,
  index: number,
  replacement: Float64Array,
): Float64Array {
  const changed: FloatTensors = new Map(tensors)
  changed.set(float.nodes[index]!.output, replacement)
  for (const [output, step] of steps.slice(index + 1)) changed.set(output, step(changed))
  return changed.get(float.output.name)!
}

/** Real outputs as pixels 0…255 that are not rounded. */
function pixelMap({ image }: IntegerModel): (values: Float64Array) => Float64Array {
  const [low, high] = image.range
  return (values) => values.map((v) => Math.min(Math.max(((v - low) / (high - low)) * 255, 0), 255))
}

function addNoise(to: Noise, reference: Float64Array, actual: Float64Array): void {
  for (let i = 0; i < reference.length; i++) {
    to.signal += reference[i]! ** 2
    to.noise += (actual[i]! - reference[i]!) ** 2
  }
}

function decibels({ signal, noise }: Noise): number {
  return Math.max(0, Math.min(100, 10 * Math.log10(signal / noise))) || 0
}
