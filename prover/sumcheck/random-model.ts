import { contractedLabels, einsumCount } from '../../model-export/einsum.js'
import type {
  AffineNode,
  IntegerModel,
  IntegerNode,
  IntegerTerm,
  Table,
  TensorInfo,
} from '../../model-export/integer-model.js'
import { elementCount } from '../../model-export/tensor-index.js'

/** Uniform integers from a number: the same models from the same number. */
type Random = (below: number) => number

function generator(seed: number): Random {
  let state = (seed * 2654435761 + 12345) >>> 0
  return (below) => {
    // xorshift32: enough to choose shapes.
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

/** What one step of a random model does to a tensor. */
type Builder = {
  readonly tensors: TensorInfo[]
  readonly nodes: IntegerNode[]
  readonly tables: Table[]
  /** Largest absolute value of every tensor. */
  readonly bounds: number[]
  readonly random: Random
}

/**
 * A small random integer model: gemms, convolutions and transposed convolutions with strides, pads,
 * dilations, groups and output padding, residual and elementwise terms, several tables, rearrangements
 * that fold and some that do not.
 *
 * @param seed - any number below 2^32
 */
export function randomModel(seed: number): IntegerModel {
  const random = generator(seed + 1)
  const dimensions = 1 + random(12)
  const table = Array.from({ length: 256 }, (_, i) => i - 128)
  const b: Builder = {
    tensors: [tensor([dimensions])],
    nodes: [],
    tables: [],
    bounds: [128],
    random,
  }
  let current = 0
  let channels = 1 + random(5)
  let height = 1 + random(4)
  let width = 1 + random(5)
  current = gemm(b, current, dimensions, channels * height * width, [channels, height, width])
  if (random(2) === 0) {
    // The dense layer wrote height × width × channels: fold the transposition.
    const flat = b.tensors.length
    b.tensors.push(tensor([channels, height, width]))
    b.bounds.push(b.bounds[current]!)
    b.nodes.push({
      kind: 'rearrange',
      name: 'hwc',
      output: flat,
      input: current,
      inputShape: [height, width, channels],
      permutation: [2, 0, 1],
    })
    current = flat
  }
  const layers = 1 + random(3)
  for (let layer = 0; layer < layers; layer++) {
    const kind = random(6)
    if (kind === 0) {
      // Pixel-shuffle-like: a non-separable shape for whoever reads next.
      const total = channels * height * width
      const shapes = [2, 3, 4, 5, 6].filter((size) => total % size === 0)
      const outer = shapes.length > 0 ? shapes[random(shapes.length)]! : 1
      const output = b.tensors.length
      b.tensors.push(tensor([channels, height, width]))
      b.bounds.push(b.bounds[current]!)
      b.nodes.push({
        kind: 'rearrange',
        name: 'shuffle',
        output,
        input: current,
        inputShape: [outer, total / outer],
        permutation: [1, 0],
      })
      current = output
    }
    if (kind === 1) {
      current = elementwise(b, current, [channels, height, width])
      continue
    }
    const made = convolution(b, current, channels, height, width)
    ;[current, channels, height, width] = made
  }
  const imageChannels = ([1, 3, 4] as const)[random(3)]!
  const pixels = affine(
    b,
    [imageChannels, height, width],
    [
      {
        kind: 'conv',
        input: current,
        weight: weights(b, [imageChannels, channels, 1, 1]),
        inputChannels: channels,
        inputHeight: height,
        inputWidth: width,
        outputChannels: imageChannels,
        outputHeight: height,
        outputWidth: width,
        strides: [1, 1],
        dilations: [1, 1],
        padBegin: [0, 0],
        groups: 1,
      },
    ],
    'pixels',
  )
  const image = b.tensors.length
  b.tensors.push(tensor([height, width, imageChannels]))
  b.nodes.push({
    kind: 'rearrange',
    name: 'image',
    output: image,
    input: pixels,
    inputShape: [imageChannels, height, width],
    permutation: [1, 2, 0],
  })
  return {
    format: 'platemark-model',
    version: 1,
    name: `random-${seed}`,
    latent: { dimensions, distribution: 'uniform', table, scale: 1 },
    tensors: b.tensors,
    nodes: b.nodes,
    tables: b.tables,
    image: { tensor: image, height, width, channels: imageChannels, range: [0, 1] },
    source: { onnxSha256: '0x', profile: 'test', toolVersion: '0' },
  }
}

function tensor(shape: readonly number[]): TensorInfo {
  return { name: 't', shape, min: -1e6, max: 1e6, scale: 1 }
}

function weights(b: Builder, shape: readonly number[]) {
  const data = Int32Array.from({ length: elementCount(shape) }, () => b.random(31) - 15)
  return { shape, data }
}

function gemm(
  b: Builder,
  input: number,
  inputs: number,
  outputs: number,
  shape: readonly number[],
): number {
  const term: IntegerTerm = { kind: 'gemm', input, rows: 1, weight: weights(b, [outputs, inputs]) }
  return affine(b, shape, [term])
}

function elementwise(b: Builder, input: number, shape: readonly number[]): number {
  const term = (from: number): IntegerTerm => ({
    kind: 'elementwise',
    input: from,
    weight: weights(
      b,
      shape.map((size) => (b.random(2) === 0 ? 1 : size)),
    ),
  })
  return affine(b, shape, b.random(2) === 0 ? [term(input)] : [term(input), term(input)])
}

function convolution(
  b: Builder,
  input: number,
  channels: number,
  height: number,
  width: number,
): [number, number, number, number] {
  const { random } = b
  const divisors = [1, 2, 3, 4, 5].filter((g) => channels % g === 0)
  const groups = divisors[random(divisors.length)]!
  const outputChannels = groups * (1 + random(3))
  const kernel = [1 + random(3), 1 + random(3)] as const
  const strides = [1 + random(2), 1 + random(2)] as const
  const dilations = [1 + random(2), 1 + random(2)] as const
  const padBegin = [random(2), random(2)] as const
  const transposed = random(2) === 0
  const size = (axis: 0 | 1) => {
    const from = axis === 0 ? height : width
    const span = (kernel[axis] - 1) * dilations[axis] + 1
    const free = transposed
      ? (from - 1) * strides[axis] + span - 2 * padBegin[axis] + random(2)
      : Math.floor((from + 2 * padBegin[axis] - span + random(2)) / strides[axis]) + 1
    return Math.min(9, Math.max(1, free))
  }
  const outputHeight = size(0)
  const outputWidth = size(1)
  const geometry = {
    inputChannels: channels,
    inputHeight: height,
    inputWidth: width,
    outputChannels,
    outputHeight,
    outputWidth,
    strides,
    dilations,
    padBegin,
    groups,
  }
  const shape = [outputChannels, outputHeight, outputWidth]
  const term: IntegerTerm = transposed
    ? {
        kind: 'convTranspose',
        input,
        weight: weights(b, [channels, outputChannels / groups, ...kernel]),
        ...geometry,
      }
    : {
        kind: 'conv',
        input,
        weight: weights(b, [outputChannels, channels / groups, ...kernel]),
        ...geometry,
      }
  const residual = b.bounds.findIndex(
    (_, id) => id > 0 && elementCount(b.tensors[id]!.shape) === elementCount(shape),
  )
  const terms: IntegerTerm[] = [term]
  if (residual > 0 && random(2) === 0)
    terms.push({ kind: 'elementwise', input: residual, weight: weights(b, [1, 1, 1]) })
  return [affine(b, shape, terms), outputChannels, outputHeight, outputWidth]
}

/** Adds a node whose table is as wide as the worst case, and whose shift keeps tables small. */
function affine(
  b: Builder,
  shape: readonly number[],
  terms: readonly IntegerTerm[],
  role: 'hidden' | 'pixels' = 'hidden',
): number {
  const { random } = b
  const biasShape = shape.map((size) => (random(2) === 0 ? 1 : size))
  const bias = {
    shape: biasShape,
    data: Float64Array.from({ length: elementCount(biasShape) }, () => random(2001) - 1000),
  }
  const worst = terms.reduce(
    (sum, term) =>
      sum +
      (term.kind === 'einsum'
        ? b.bounds[term.operand]! * einsumCount(term, contractedLabels(term))
        : term.weight.data.reduce((s, w) => s + Math.abs(w), 0)) *
        b.bounds[term.input]!,
    1000,
  )
  const multiplier = random(3) === 0 ? 1 + random(5) : 1
  const shift = Math.max(0, Math.ceil(Math.log2(worst * multiplier)) - 5 + random(2))
  const limit = Math.ceil((worst * multiplier) / 2 ** shift) + 1
  const kind = random(3)
  const value = (q: number) => {
    if (role === 'pixels') return Math.min(255, Math.max(0, 128 + q * 3))
    if (kind === 0) return Math.max(0, q)
    if (kind === 1) return ((q * 37 + 11) % 61) - 30
    return q < 0 ? Math.floor(q / 4) : q
  }
  const values = Int32Array.from({ length: 2 * limit + 1 }, (_, i) => value(i - limit))
  const output = b.tensors.length
  const node: AffineNode = {
    kind: 'affine',
    name: role,
    output,
    terms,
    ...(random(4) === 0 ? {} : { bias }),
    requantize: { multiplier, shift },
    table: b.tables.length,
    accumulator: { min: -worst, max: worst },
    quotient: { min: -limit, max: limit },
  }
  b.tensors.push(tensor(shape))
  b.bounds.push(values.reduce((most, v) => Math.max(most, Math.abs(v)), 0))
  b.tables.push({ description: 'random', first: -limit, values })
  b.nodes.push(node)
  return output
}
