import type {
  AffineNode,
  IntegerModel,
  IntegerNode,
  IntegerTerm,
  Table,
  TensorInfo,
} from '../../model-export/integer-model.js'
import { accumulatorBounds, boundsRange } from '../../model-export/intervals.js'
import { elementCount } from '../../model-export/tensor-index.js'

/**
 * Integer models made of random weights, for tests and measurements of the backend: their pictures
 * are noise, their arithmetic has every shape that the compiler can produce.
 */
export type SampleLayer = {
  /** Shape of the output. */
  readonly shape: readonly number[]
  /** Terms; weights are drawn for the shapes that they return. */
  readonly terms: (draw: Draw) => readonly IntegerTerm[]
  readonly activation: SampleActivation
  /** Bits dropped by the requantization. */
  readonly shift: number
  readonly multiplier?: number
  /** Shape of a random bias; absent for none. */
  readonly biasShape?: readonly number[]
}

export type SampleActivation =
  | { readonly kind: 'clamp'; readonly min: number; readonly max: number }
  /** 0…255 with this many quotients from −1 to 1 in the argument. */
  | { readonly kind: 'sigmoid'; readonly scale: number }
  | { readonly kind: 'leaky'; readonly max: number; readonly divisor: number }
  /** Any function of the quotient. */
  | { readonly kind: 'table'; readonly value: (quotient: number) => number }

/** Draws a weight tensor, entries within ±bound. */
export type Draw = (
  shape: readonly number[],
  bound: number,
) => {
  readonly shape: readonly number[]
  readonly data: Int32Array
}

/** A layer of the sample, or a transposition of the tensor before it. */
export type SampleNode =
  | SampleLayer
  | { readonly inputShape: readonly number[]; readonly permutation: readonly number[] }

/** Deterministic 32-bit generator (xorshift). */
export function sampleRandom(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/**
 * Builds a model whose tensor t is the output of node t − 1, with bounds by interval arithmetic.
 *
 * @param dimensions - latent dimensions
 * @param nodes - in order; the last one's output is the image, height × width × channels
 */
export function sampleModel(
  dimensions: number,
  nodes: readonly SampleNode[],
  seed = 1,
): IntegerModel {
  const random = sampleRandom(seed)
  const draw: Draw = (shape, bound) => ({
    shape,
    data: Int32Array.from({ length: elementCount(shape) }, () =>
      Math.round((random() * 2 - 1) * bound),
    ),
  })
  const table = Array.from({ length: 256 }, (_, byte) =>
    Math.round(127 * Math.tanh((byte - 127.5) / 90)),
  )
  const tensors: TensorInfo[] = [
    { name: 'latent', shape: [dimensions], min: table[0]!, max: table[255]!, scale: 1 / 64 },
  ]
  const tables: Table[] = []
  const result: IntegerNode[] = []
  for (const node of nodes) {
    const output = tensors.length
    const previous = tensors[output - 1]!
    if ('permutation' in node) {
      const shape = node.permutation.map((axis) => node.inputShape[axis]!)
      tensors.push({ ...previous, name: `t${output}`, shape })
      result.push({ kind: 'rearrange', name: `r${output}`, output, input: output - 1, ...node })
      continue
    }
    const affine = buildAffine(node, tensors, tables, draw)
    const { values } = tables[affine.table]!
    tensors.push({
      name: `t${output}`,
      shape: node.shape,
      min: values.reduce((a, b) => Math.min(a, b)),
      max: values.reduce((a, b) => Math.max(a, b)),
      scale: 1,
    })
    result.push(affine)
  }
  const image = tensors[tensors.length - 1]!
  const [height = 1, width = 1, channels = 1] = image.shape
  return {
    format: 'platemark-model',
    version: 1,
    name: 'sample',
    latent: { dimensions, distribution: 'normal', table, scale: 1 / 64 },
    tensors,
    nodes: result,
    tables,
    image: {
      tensor: tensors.length - 1,
      height,
      width,
      channels: channels as 1 | 3 | 4,
      range: [0, 1],
    },
    source: { onnxSha256: `0x${'00'.repeat(32)}`, profile: 'sample', toolVersion: '0' },
  }
}

function buildAffine(
  layer: SampleLayer,
  tensors: readonly TensorInfo[],
  tables: Table[],
  draw: Draw,
): AffineNode {
  const terms = layer.terms(draw)
  const bias =
    layer.biasShape === undefined
      ? undefined
      : {
          shape: layer.biasShape,
          data: Float64Array.from(draw(layer.biasShape, 2 ** (layer.shift + 5)).data),
        }
  const name = `layer ${tensors.length}`
  const inputs = tensors.map(({ shape, min, max }) => {
    const constant = (value: number) => new Float64Array(elementCount(shape)).fill(value)
    return { low: constant(min), high: constant(max) }
  })
  const linear = { name, terms, ...(bias === undefined ? {} : { bias }) }
  const accumulator = boundsRange(accumulatorBounds(linear, layer.shape, inputs))
  const { shift, multiplier = 1 } = layer
  const half = shift > 0 ? 2 ** (shift - 1) : 0
  const quotientOf = (acc: number) => Math.floor((acc * multiplier + half) / 2 ** shift)
  const quotient = { min: quotientOf(accumulator.min), max: quotientOf(accumulator.max) }
  tables.push({
    description: layer.activation.kind,
    first: quotient.min,
    values: Int32Array.from({ length: quotient.max - quotient.min + 1 }, (_, i) =>
      activate(layer.activation, quotient.min + i),
    ),
  })
  return {
    kind: 'affine',
    ...linear,
    output: tensors.length,
    requantize: { multiplier, shift },
    table: tables.length - 1,
    accumulator,
    quotient,
  }
}

function activate(activation: SampleActivation, q: number): number {
  switch (activation.kind) {
    case 'clamp':
      return Math.min(Math.max(q, activation.min), activation.max)
    case 'sigmoid':
      return Math.round(255 / (1 + Math.exp(-q / activation.scale)))
    case 'leaky':
      return q >= 0 ? Math.min(q, activation.max) : Math.round(q / activation.divisor)
    case 'table':
      return activation.value(q)
  }
}

/**
 * The model that the backend's figures are measured on: latent 16 → 512 → 16 × 8 × 8 → 3 × 16 × 16,
 * ReLU and sigmoid, 8-bit weights and activations.
 */
export function spriteSizedModel(): IntegerModel {
  const transposed = (
    input: number,
    [inputChannels, outputChannels]: readonly [number, number],
    size: number,
    draw: Draw,
  ): IntegerTerm => ({
    kind: 'convTranspose',
    input,
    weight: draw([inputChannels, outputChannels, 4, 4], 127),
    inputChannels,
    inputHeight: size,
    inputWidth: size,
    outputChannels,
    outputHeight: 2 * size,
    outputWidth: 2 * size,
    strides: [2, 2],
    dilations: [1, 1],
    padBegin: [1, 1],
    groups: 1,
  })
  const relu = { kind: 'clamp', min: 0, max: 255 } as const
  return sampleModel(16, [
    {
      shape: [512],
      terms: (draw) => [{ kind: 'gemm', input: 0, rows: 1, weight: draw([512, 16], 127) }],
      activation: relu,
      shift: 8,
      biasShape: [512],
    },
    {
      shape: [16, 8, 8],
      terms: (draw) => [transposed(1, [32, 16], 4, draw)],
      activation: relu,
      shift: 11,
      biasShape: [16, 1, 1],
    },
    {
      shape: [3, 16, 16],
      terms: (draw) => [transposed(2, [16, 3], 8, draw)],
      activation: { kind: 'sigmoid', scale: 128 },
      shift: 9,
      biasShape: [3, 1, 1],
    },
    { inputShape: [3, 16, 16], permutation: [1, 2, 0] },
  ])
}

/** Every term kind, several terms in a node, groups, dilation, and tables of each shape, in 36 pixels. */
export function everyShapeModel(): IntegerModel {
  return sampleModel(
    33,
    [
      {
        shape: [24],
        terms: (draw) => [{ kind: 'gemm', input: 0, rows: 1, weight: draw([24, 33], 40) }],
        activation: { kind: 'clamp', min: 0, max: 63 },
        shift: 9,
        multiplier: 3,
        biasShape: [24],
      },
      {
        shape: [4, 3, 4],
        terms: (draw) => [
          {
            kind: 'convTranspose',
            input: 1,
            weight: draw([4, 2, 2, 3], 60),
            inputChannels: 4,
            inputHeight: 2,
            inputWidth: 3,
            outputChannels: 4,
            outputHeight: 3,
            outputWidth: 4,
            strides: [1, 2],
            dilations: [1, 1],
            padBegin: [0, 1],
            groups: 2,
          },
          {
            kind: 'gemm',
            input: 0,
            rows: 3,
            weight: draw([16, 11], 30),
          },
        ],
        activation: { kind: 'leaky', max: 50, divisor: 5 },
        shift: 6,
        biasShape: [4, 1, 1],
      },
      { inputShape: [4, 3, 4], permutation: [2, 0, 1] },
      {
        shape: [3, 3, 4],
        terms: (draw) =>
          [
            {
              kind: 'conv',
              input: 2,
              weight: draw([3, 4, 3, 2], 50),
              inputChannels: 4,
              inputHeight: 3,
              inputWidth: 4,
              outputChannels: 3,
              outputHeight: 3,
              outputWidth: 4,
              strides: [1, 1],
              dilations: [1, 2],
              padBegin: [1, 1],
              groups: 1,
            },
            { kind: 'elementwise', input: 1, weight: { shape: [1], data: Int32Array.of(0) } },
          ].slice(0, 1) as never,
        activation: { kind: 'sigmoid', scale: 60 },
        shift: 5,
      },
      { inputShape: [3, 3, 4], permutation: [1, 2, 0] },
    ],
    7,
  )
}

/** Products of activations: a contraction and squares, in 9 pixels. */
export function productModel(): IntegerModel {
  const pixels = { kind: 'clamp', min: 0, max: 255 } as const
  return sampleModel(
    10,
    [
      {
        shape: [12],
        terms: (draw) => [{ kind: 'gemm', input: 0, rows: 1, weight: draw([12, 10], 60) }],
        activation: { kind: 'clamp', min: -64, max: 63 },
        shift: 8,
      },
      {
        shape: [3, 3],
        terms: () => [
          {
            kind: 'einsum',
            input: 1,
            operand: 1,
            sizes: [3, 4, 3],
            inputAxes: [0, 1],
            operandAxes: [1, 2],
            outputAxes: [0, 2],
          },
        ],
        activation: { kind: 'leaky', max: 100, divisor: 4 },
        shift: 5,
      },
      {
        shape: [3, 1, 3],
        terms: () => [
          {
            kind: 'einsum',
            input: 2,
            operand: 2,
            sizes: [3, 3],
            inputAxes: [0, 1],
            operandAxes: [0, 1],
            outputAxes: [0, 1],
          },
        ],
        activation: pixels,
        shift: 5,
        biasShape: [3, 1, 1],
      },
    ],
    3,
  )
}
