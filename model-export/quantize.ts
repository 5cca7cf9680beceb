import { bestSaturation, calibrate, type TensorStatistics } from './calibrate.js'
import type { FloatModel } from './float-model.js'
import { detectImageSize, detectOutputRange, type ImageLayout } from './image-output.js'
import type { IntegerModel, IntegerNode, Latent, Table, TensorInfo } from './integer-model.js'
import { type Bounds, boundsRange, latentBounds, rearrangeBounds } from './intervals.js'
import { isolatePixels } from './isolate-pixels.js'
import { latentTable, sampleLatent } from './latent-table.js'
import { PlatemarkError } from './platemark-error.js'
import { PROFILES, type Profile, type ProfileName } from './profiles.js'
import { type Progress, silent } from './progress.js'
import { type OutputCode, type QuantizedInput, quantizeAffine } from './quantize-affine.js'
import { elementCount } from './tensor-index.js'

export type QuantizeOptions = {
  readonly profile: ProfileName
  /** The distribution that the model was trained to take. */
  readonly latent: Latent['distribution']
  /** Float output that is black and white; detected where absent. */
  readonly outputRange?: readonly [number, number]
  /** Order of the output's axes; detected where absent. */
  readonly layout?: ImageLayout
  /** These override the profile. */
  readonly weightBits?: number
  readonly activationBits?: number
  readonly tableBits?: number
  /** Seeds of the calibration, 64 by default. */
  readonly calibrationSeeds?: number
  readonly toolVersion: string
  /** SHA-256 of the ONNX file, 0x-hex. */
  readonly onnxSha256: string
}

/**
 * Quantizes a real model to an exact integer model: calibrates, chooses scales, builds the tables, and
 * proves with interval analysis that no seed leaves them.
 *
 * Scales are symmetric (integer 0 is real 0, as zero padding needs). A node rounds once, at its
 * output; see `quantizeAffine`.
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
  const profile = chooseProfile(options)
  const latent = makeLatent(elementCount(model.input.shape), options.latent, profile)
  const size = detectImageSize(model.output.shape, options.layout)
  const { nodes, output: imageTensor, pixels } = isolatePixels(model)
  const prepared: FloatModel = { ...model, nodes, output: imageTensor }
  const latents = Array.from({ length: options.calibrationSeeds ?? 64 }, (_, seed) =>
    realLatent(latent, sampleLatent(seed, latent.dimensions)),
  )
  const statistics = calibrate(prepared, latents, progress)
  const outputStatistics = statistics.get(prepared.output.name)!
  const range = options.outputRange ?? detectOutputRange(pixels.activation, outputStatistics)

  const tensors: TensorInfo[] = []
  const bounds: Bounds[] = []
  const inputs = new Map<string, QuantizedInput>()
  const tables: Table[] = []
  const integerNodes: IntegerNode[] = []
  const define = (name: string, shape: readonly number[], scale: number, tensor: Bounds) => {
    const id = tensors.length
    tensors.push({ name, shape, ...boundsRange(tensor), scale })
    bounds.push(tensor)
    inputs.set(name, { id, scale })
    return id
  }

  define(model.input.name, model.input.shape, latent.scale, latentBounds(latent))
  nodes.forEach((node, index) => {
    progress({ step: 'quantize', done: index + 1, total: nodes.length })
    if (node.kind === 'rearrange') {
      const input = inputs.get(node.input)!
      const moved = { ...node, input: input.id, output: tensors.length }
      define(node.output, node.shape, input.scale, rearrangeBounds(moved, bounds[input.id]!))
      const { kind, name, output, inputShape, permutation } = moved
      integerNodes.push({ kind, name, output, input: input.id, inputShape, permutation })
      return
    }
    const code =
      node === pixels ? pixelCode(range) : activationCode(statistics.get(node.output)!, profile)
    const quantized = quantizeAffine(node, code, profile, inputs, bounds)
    const scale = node === pixels ? 1 : quantized.scale
    const output = define(node.output, node.shape, scale, quantized.bounds)
    integerNodes.push({ ...quantized.node, output, table: shareTable(tables, quantized.table) })
  })
  let image = inputs.get(prepared.output.name)!.id
  const { height, width, channels } = size
  if (size.layout === 'CHW' && channels > 1) {
    const node = {
      kind: 'rearrange',
      name: 'image',
      output: tensors.length,
      input: image,
      inputShape: [channels, height, width],
      permutation: [1, 2, 0],
    } as const
    integerNodes.push(node)
    const moved = rearrangeBounds(node, bounds[image]!)
    image = define('image (H×W×C)', [height, width, channels], 1, moved)
  }

  return {
    format: 'platemark-model',
    version: 1,
    name: model.name,
    latent,
    tensors,
    nodes: integerNodes,
    tables,
    image: { tensor: image, height, width, channels, range },
    source: {
      onnxSha256: options.onnxSha256,
      profile: options.profile,
      toolVersion: options.toolVersion,
    },
  }
}

function chooseProfile(options: QuantizeOptions): Profile {
  const preset = PROFILES[options.profile]
  return {
    ...preset,
    weightBits: bits('weight', options.weightBits ?? preset.weightBits, 2, 24),
    activationBits: bits('activation', options.activationBits ?? preset.activationBits, 2, 20),
    tableBits: bits('table', options.tableBits ?? preset.tableBits, 4, 20),
  }
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

/** The real latent that latent bytes stand for: what the float model is fed with. */
export function realLatent(latent: Latent, latentBytes: Uint8Array): Float64Array {
  return Float64Array.from(latentBytes, (byte) => latent.table[byte]! * latent.scale)
}

function pixelCode([low, high]: readonly [number, number]): OutputCode {
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high))
    throw new PlatemarkError('The output range is not one.', {
      expected: 'two finite numbers, the lower first',
      found: `${low}, ${high}`,
    })
  const factor = 255 / (high - low)
  return { factor, offset: -low * factor, min: 0, max: 255, elastic: false }
}

function activationCode(statistics: TensorStatistics, { activationBits }: Profile): OutputCode {
  const signed = statistics.min < 0
  const max = 2 ** (signed ? activationBits - 1 : activationBits) - 1
  const saturation = bestSaturation(statistics, max)
  const factor = saturation > 0 ? max / saturation : 1
  return { factor, offset: 0, min: signed ? -max : 0, max, elastic: true }
}

/** Tables of equal content are one. */
function shareTable(tables: Table[], table: Table): number {
  const same = tables.findIndex(
    ({ first, values }) =>
      first === table.first &&
      values.length === table.values.length &&
      values.every((value, row) => value === table.values[row]),
  )
  return same >= 0 ? same : tables.push(table) - 1
}
