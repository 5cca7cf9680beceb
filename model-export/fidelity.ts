import { InferenceSession, Tensor } from 'onnxruntime-node'
import { execute } from './execute.js'
import { detectImageSize, type FlatSize, type ImageLayout } from './image-output.js'
import { meanSquaredError, peakSignalToNoise, structuralSimilarity } from './image-quality.js'
import type { IntegerModel } from './integer-model.js'
import { sampleLatent } from './latent-table.js'
import { affordableRuns, type ModelSize, modelSize } from './model-size.js'
import { PlatemarkError } from './platemark-error.js'
import type { Progress } from './progress.js'
import { elementCount, transposeIndex } from './tensor-index.js'

/**
 * How far the integer model's pixels are from the float model's, written as `report.json`. The
 * reference is onnxruntime's output for the same latent, mapped from the output range to 0…255 and
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
  readonly nodes: readonly NodeReport[]
}

export type NodeReport = {
  readonly name: string
  readonly output: readonly number[]
  readonly accumulatorBits: number
  readonly quotientBits: number
  readonly shift: number
  readonly tableRows: number
}

export type FidelityOptions = {
  readonly layout?: ImageLayout
  readonly size?: FlatSize
  /** By default 64, fewer for models of more than 218 million multiplications. */
  readonly seeds?: number
}

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
  const seeds = options.seeds ?? affordableRuns(64, modelSize(model).macs)
  const errors: number[] = []
  let worstPixelDifference = 0
  let similarity = 0
  try {
    for (let seed = 0; seed < seeds; seed++) {
      // Other seeds than those of the calibration.
      const latentBytes = sampleLatent(1_000_000 + seed, model.latent.dimensions)
      const pixels = execute(model, latentBytes)
      const wanted = await reference.pixels(latentBytes)
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

type Reference = {
  /** Real values 0…255, row-major height × width × channels. */
  readonly pixels: (latentBytes: Uint8Array) => Promise<Float64Array>
  readonly close: () => Promise<void>
}

/** The float model in onnxruntime. Its one input that is no initializer is the latent. */
async function openReference(
  onnx: Uint8Array,
  model: IntegerModel,
  { layout, size: flat }: FidelityOptions,
): Promise<Reference> {
  const session = await InferenceSession.create(onnx, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  }).catch((cause: unknown) => {
    throw new PlatemarkError('onnxruntime cannot run the model, so it cannot be compared with.', {
      found: cause instanceof Error ? cause.message : String(cause),
      fix: 'Check the file with onnx.checker, or export it again.',
      cause,
    })
  })
  const { dimensions, table, scale } = model.latent
  const input = session.inputMetadata[0]
  if (
    input === undefined ||
    !input.isTensor ||
    (input.type !== 'float32' && input.type !== 'float64')
  )
    throw new PlatemarkError('The input of the model is no tensor of real numbers.', {
      expected: 'float32 or float64',
      found: input?.isTensor ? input.type : 'no tensor',
    })
  const { name, type } = input
  const given = input.shape.map((size) => (typeof size === 'number' && size > 0 ? size : 1))
  const shape = elementCount(given) === dimensions ? given : [1, dimensions]
  const outputName = session.outputNames[0]!
  const [low, high] = model.image.range

  const pixels = async (latentBytes: Uint8Array): Promise<Float64Array> => {
    const real = Array.from(latentBytes, (byte) => table[byte]! * scale)
    const latent =
      type === 'float32'
        ? new Tensor('float32', Float32Array.from(real), shape)
        : new Tensor('float64', Float64Array.from(real), shape)
    const output = (await session.run({ [name]: latent }))[outputName]!
    const values = output.data as ArrayLike<number>
    const size = detectImageSize(output.dims, layout, flat)
    const index =
      size.layout === 'CHW'
        ? transposeIndex([size.channels, size.height, size.width], [1, 2, 0])
        : Int32Array.from({ length: values.length }, (_, i) => i)
    return Float64Array.from(index, (at) =>
      Math.min(Math.max(((Number(values[at]) - low) / (high - low)) * 255, 0), 255),
    )
  }
  return { pixels, close: () => session.release() }
}

function describeNodes(model: IntegerModel): readonly NodeReport[] {
  return model.nodes.flatMap((node) =>
    node.kind === 'rearrange'
      ? []
      : [
          {
            name: node.name,
            output: model.tensors[node.output]!.shape,
            accumulatorBits: rangeBits(node.accumulator),
            quotientBits: rangeBits(node.quotient),
            shift: node.requantize.shift,
            tableRows: model.tables[node.table]!.values.length,
          },
        ],
  )
}

function rangeBits({ min, max }: { readonly min: number; readonly max: number }): number {
  return Math.ceil(Math.log2(max - min + 1))
}
