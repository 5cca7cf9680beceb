import type { Trial } from './choose-bits.js'
import { rangeBits } from './circuit-cost.js'
import { conditionsOf, sampleConditions } from './conditions.js'
import { execute } from './execute.js'
import { meanSquaredError, peakSignalToNoise, structuralSimilarity } from './image-quality.js'
import type { AffineNode, IntegerModel } from './integer-model.js'
import { sampleLatent } from './latent-table.js'
import type { LayerChoice } from './layer-bits.js'
import type { LayerError } from './layer-errors.js'
import { affordableRuns, type ModelSize, modelSize } from './model-size.js'
import type { Progress } from './progress.js'
import { openReference, type ReferenceOptions } from './reference-images.js'

/**
 * How far the integer model's pixels are from the float model's, written as `report.json`. The
 * reference is onnxruntime's output for the same latent and conditions, mapped from the output range to 0…255 and
 * clipped, not rounded; so rounding to whole pixels alone limits PSNR to about 59 dB.
 */
export type FidelityReport = ModelSize & {
  readonly format: 'platemark-report'
  readonly version: 1
  readonly profile: string
  readonly seeds: number
  /** Decibels, from the mean squared error over all seeds. */
  readonly psnr: number
  readonly medianPsnr: number
  /** Of the worst seed. */
  readonly worstPsnr: number
  /** Largest difference of a pixel from the rounded reference. */
  readonly worstPixelDifference: number
  /** Mean over seeds; 8×8 windows. */
  readonly ssim: number
  /** The closeness that was wanted of the median and of the worst image, and whether both have it. */
  readonly target?: { readonly psnr: number; readonly worstPsnr: number; readonly reached: boolean }
  /** Why the model has the bits that it has, and what was tried. */
  readonly choice?: { readonly why: string; readonly trials: readonly Trial[] }
  readonly nodes: readonly NodeReport[]
}

export type NodeReport = Partial<LayerError> & {
  readonly name: string
  readonly output: readonly number[]
  /** Of the largest weight, with its sign; 0 where there is none. */
  readonly weightBits: number
  readonly outputBits: number
  readonly accumulatorBits: number
  readonly quotientBits: number
  readonly shift: number
  readonly tableRows: number
  /** Where bits were chosen layer by layer. */
  readonly bits?: LayerChoice
}

export type FidelityOptions = ReferenceOptions & {
  /** By default 256, fewer for models of more than 54 million multiplications. */
  readonly seeds?: number
}

const MOST_SEEDS = 256

/**
 * Compares an integer model with the ONNX file that it was made from.
 *
 * @param onnx - the ONNX file; its first output is the image
 * @throws {PlatemarkError} where onnxruntime refuses the file.
 * @example
 * const { psnr } = await measureFidelity(onnx, model, {}, silent)
 */
export async function measureFidelity(
  onnx: Uint8Array,
  model: IntegerModel,
  options: FidelityOptions,
  progress: Progress,
): Promise<FidelityReport> {
  const reference = await openReference(onnx, model, options)
  const { height, width, channels } = model.image
  const seeds = options.seeds ?? affordableRuns(MOST_SEEDS, modelSize(model).macs)
  const errors: number[] = []
  let worstPixelDifference = 0
  let similarity = 0
  try {
    for (let seed = 0; seed < seeds; seed++) {
      // Other seeds than those of the calibration.
      const latentBytes = sampleLatent(1_000_000 + seed, model.latent.dimensions)
      const conditions = sampleConditions(1_000_000 + seed, conditionsOf(model))
      const pixels = execute(model, latentBytes, conditions)
      const wanted = await reference.pixels(latentBytes, conditions)
      errors.push(meanSquaredError(pixels, wanted))
      similarity += structuralSimilarity(pixels, wanted, height, width, channels)
      for (let i = 0; i < pixels.length; i++) {
        const difference = Math.abs(pixels[i]! - Math.floor(wanted[i]! + 0.5))
        if (difference > worstPixelDifference) worstPixelDifference = difference
      }
      progress({ step: 'compare with the float model', done: seed + 1, total: seeds })
    }
  } finally {
    await reference.close()
  }
  const sorted = errors.toSorted((a, b) => a - b)
  return {
    format: 'platemark-report',
    version: 1,
    profile: model.source.profile,
    seeds,
    psnr: peakSignalToNoise(errors.reduce((sum, mse) => sum + mse, 0) / seeds),
    medianPsnr: peakSignalToNoise(sorted[seeds >> 1]!),
    worstPsnr: peakSignalToNoise(sorted[seeds - 1]!),
    worstPixelDifference,
    ssim: similarity / seeds,
    ...modelSize(model),
    nodes: describeNodes(model),
  }
}

function describeNodes(model: IntegerModel): readonly NodeReport[] {
  return model.nodes.flatMap((node) =>
    node.kind === 'rearrange'
      ? []
      : [
          {
            name: node.name,
            output: model.tensors[node.output]!.shape,
            weightBits: weightBits(node),
            outputBits: rangeBits(model.tensors[node.output]!),
            accumulatorBits: rangeBits(node.accumulator),
            quotientBits: rangeBits(node.quotient),
            shift: node.requantize.shift,
            tableRows: model.tables[node.table]!.values.length,
          },
        ],
  )
}

function weightBits({ terms }: AffineNode): number {
  let largest = 0
  for (const term of terms)
    if (term.kind !== 'einsum')
      for (const weight of term.weight.data) largest = Math.max(largest, Math.abs(weight))
  return rangeBits({ min: -largest, max: largest })
}
