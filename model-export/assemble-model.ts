import { bestSaturation, type TensorStatistics } from './calibrate.js'
import type { FloatAffine, FloatModel } from './float-model.js'
import type { ImageSize } from './image-output.js'
import type {
  Condition,
  IntegerModel,
  IntegerNode,
  Latent,
  ModelSource,
  Table,
  TensorInfo,
} from './integer-model.js'
import {
  type Bounds,
  boundsRange,
  conditionBounds,
  latentBounds,
  rearrangeBounds,
} from './intervals.js'
import { usualDomain } from './pre-activations.js'
import type { Profile } from './profiles.js'
import { type OutputCode, type QuantizedInput, quantizeAffine } from './quantize-affine.js'
import { roundedCode, withRoundedRows } from './rounded-code.js'
import { rowFacts } from './row-facts.js'
import { hasPole } from './unary.js'

/** All that quantization knows before it chooses bits. */
export type QuantizationPlan = {
  /** Pixels come from the node `pixels`, which nothing else reads. */
  readonly model: FloatModel
  readonly pixels: FloatAffine
  readonly statistics: ReadonlyMap<string, TensorStatistics>
  readonly latent: Latent
  /** Of `model.conditions`. */
  readonly conditions: readonly Condition[]
  readonly size: ImageSize
  /** Float output that is black and white. */
  readonly range: readonly [number, number]
  readonly source: ModelSource
}

/**
 * Builds the integer model of a plan, node by node, each with the proven bounds of those before.
 *
 * @param codes - of outputs, by tensor name, where they are decided already
 */
export function assembleModel(
  plan: QuantizationPlan,
  profile: Profile,
  codes: ReadonlyMap<string, OutputCode> = new Map(),
): IntegerModel {
  const { model, pixels, statistics, latent, conditions, size, range } = plan
  const tensors: TensorInfo[] = []
  const bounds: Bounds[] = []
  const inputs = new Map<string, QuantizedInput>()
  const tables: Table[] = []
  const nodes: IntegerNode[] = []
  const define = (name: string, shape: readonly number[], scale: number, tensor: Bounds) => {
    const id = tensors.length
    tensors.push({ name: plainText(name), shape, ...boundsRange(tensor), scale })
    bounds.push(tensor)
    inputs.set(name, { id, scale })
    return id
  }

  define(model.input.name, model.input.shape, latent.scale, latentBounds(latent))
  model.conditions?.forEach(({ name, shape }, i) => {
    const condition = conditions[i]!
    const scale = condition.kind === 'label' ? 1 : condition.scale
    define(name, shape, scale, conditionBounds(condition))
  })
  for (const node of model.nodes) {
    const name = plainText(node.name)
    if (node.kind === 'rearrange') {
      const { kind, inputShape, permutation } = node
      const { id: input, scale } = inputs.get(node.input)!
      const moved = { kind, name, output: tensors.length, input, inputShape, permutation }
      define(node.output, node.shape, scale, rearrangeBounds(moved, bounds[input]!))
      nodes.push(moved)
      continue
    }
    const isImage = node === pixels
    const own = { ...profile, ...profile.layers?.get(node.output) }
    const seen = statistics.get(node.output)!
    const wanted = isImage
      ? pixelCode(range)
      : (roundedCode(node.activation) ??
        codes.get(node.output) ??
        (hasPole(node.activation)
          ? factorCode(seen, own)
          : activationCode(seen, isRowSum(node) ? { ...own, headroom: 2 } : own)))
    // The rows of a product of two activations are not free.
    const isProduct = node.terms.some(({ kind }) => kind === 'einsum')
    const code = isProduct ? wanted : withRoundedRows(node.activation, wanted)
    const domain = usualDomain(node, statistics)
    const tableBits = isImage ? profile.pixelTableBits : profile.tableBits
    const limits = { ...own, tableBits }
    const quantized = quantizeAffine(node, code, limits, inputs, bounds, domain)
    const scale = isImage ? 1 : quantized.scale
    const facts = rowFacts(quantized.node, quantized.table, bounds)
    const output = define(node.output, node.shape, scale, { ...quantized.bounds, facts })
    const table = shareTable(tables, quantized.table)
    nodes.push({ ...quantized.node, name, output, table })
  }

  let image = inputs.get(model.output.name)!.id
  const { height, width, channels } = size
  if (size.layout === 'CHW' && channels > 1) {
    const inputShape = [channels, height, width]
    const permutation = [1, 2, 0]
    const output = tensors.length
    const node = {
      kind: 'rearrange',
      name: 'image',
      output,
      input: image,
      inputShape,
      permutation,
    } as const
    nodes.push(node)
    const moved = rearrangeBounds(node, bounds[image]!)
    image = define('image (H×W×C)', [height, width, channels], 1, moved)
  }
  return {
    format: 'platemark-model',
    version: 1,
    name: plainText(model.name),
    latent,
    ...(conditions.length === 0 ? {} : { conditions }),
    tensors,
    nodes,
    tables,
    image: { tensor: image, height, width, channels, range },
    source: plan.source,
  }
}

/** Names come from files of others and are printed: no control characters, not too long. */
function plainText(name: string): string {
  const plain = name.replace(/\p{Cc}/gu, '?')
  return plain.length > 200 ? `${plain.slice(0, 199)}…` : plain
}

function pixelCode([low, high]: readonly [number, number]): OutputCode {
  const factor = 255 / (high - low)
  return { factor, offset: -low * factor, min: 0, max: 255, elastic: false }
}

function activationCode(
  statistics: TensorStatistics,
  { activationBits, headroom }: Profile,
): OutputCode {
  const signed = statistics.min < 0
  const max = 2 ** (signed ? activationBits - 1 : activationBits) - 1
  const saturation = bestSaturation(statistics, max) * headroom
  const factor = saturation > 0 ? max / saturation : 1
  return { factor, offset: 0, min: signed ? -max : 0, max, elastic: true }
}

/** A sum or mean of each row: where it saturates, a whole row is wrong. */
export function isRowSum({ terms }: FloatAffine): boolean {
  return terms.every((term) => term.kind === 'gemm' && term.weight.shape[0] === 1)
}

/** Reciprocals saturate at this many times what was seen: a smaller variance is no rare thing. */
const RECIPROCAL_HEADROOM = 2

/** What a reciprocal multiplies with needs its bits at small values too. */
function factorCode({ min, max }: TensorStatistics, { activationBits }: Profile): OutputCode {
  const largest = 2 ** Math.min(20, activationBits + 4) - 1
  const factor = largest / (Math.max(Math.abs(min), Math.abs(max)) * RECIPROCAL_HEADROOM)
  return { factor, offset: 0, min: min < 0 ? -largest : 0, max: largest, elastic: false }
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
