import type { ConvGeometry } from '../model-export/float-model.js'
import type {
  AffineNode,
  IntegerModel,
  IntegerNode,
  IntegerTensor,
  IntegerTerm,
  Table,
  TensorInfo,
} from '../model-export/integer-model.js'
import {
  accumulatorBounds,
  type Bounds,
  boundsRange,
  latentBounds,
  quotientBounds,
  rearrangeBounds,
  tableBounds,
} from '../model-export/intervals.js'
import { elementCount } from '../model-export/tensor-index.js'

/** Integers and choices that follow from a seed. */
export type Random = {
  /** Inclusive. */
  readonly integer: (min: number, max: number) => number
  readonly pick: <T>(choices: readonly T[]) => T
}

/** xorshift32: the same numbers on every machine. */
export function randomFrom(seed: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) | 1
  const integer = (min: number, max: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return min + ((state >>> 0) % (max - min + 1))
  }
  return { integer, pick: (choices) => choices[integer(0, choices.length - 1)]! }
}

/** A small sound model with every kind of term (products of tensors for even seeds), geometry, bias, table and rearrange, given a seed. */
export function randomModel(seed: number): IntegerModel {
  const random = randomFrom(seed)
  const build = startModel(random)
  const depth = random.integer(0, 4)
  for (let i = 0; i < depth; i++) {
    if (random.integer(0, 4) === 0) build.rearrange()
    else if (seed % 2 === 0 && random.integer(0, 2) === 0) build.einsum()
    else build.affine(random.integer(1, 3))
  }
  return build.finish()
}

function startModel(random: Random) {
  const start = [random.integer(1, 4), random.integer(1, 4), random.integer(1, 4)]
  const table = Array.from({ length: 256 }, () => random.integer(-30, 30)).sort((a, b) => a - b)
  const latent = {
    dimensions: elementCount(start),
    distribution: 'normal',
    table,
    scale: 1,
  } as const
  const bounds: Bounds[] = [latentBounds(latent)]
  const tensors: TensorInfo[] = [{ name: 'z', shape: start, ...boundsRange(bounds[0]!), scale: 1 }]
  const nodes: IntegerNode[] = []
  const tables: Table[] = []
  const define = (shape: readonly number[], tensor: Bounds) => {
    tensors.push({ name: `t${tensors.length}`, shape, ...boundsRange(tensor), scale: 1 })
    bounds.push(tensor)
  }
  const constants = (shape: readonly number[], limit: number): IntegerTensor => ({
    shape,
    data: Int32Array.from({ length: elementCount(shape) }, () => random.integer(-limit, limit)),
  })

  /** A term from tensor `input` to C×H×W `shape`; gemm where nothing else fits. */
  const term = (input: number, shape: readonly number[]): IntegerTerm => {
    const from = tensors[input]!.shape
    const inputs = elementCount(from)
    const outputs = elementCount(shape)
    const kind = random.pick(['gemm', 'conv', 'convTranspose', 'elementwise'] as const)
    if (kind === 'elementwise' && inputs === outputs) {
      const broadcast = shape.map((size) => random.pick([1, size]))
      return { kind, input, weight: constants(broadcast, 9) }
    }
    if ((kind === 'conv' || kind === 'convTranspose') && from.length === 3) {
      const [cin, h, w] = from as [number, number, number]
      const [cout, oh, ow] = shape as [number, number, number]
      const groups = random.pick([1, 2, 3, 4].filter((g) => cin % g === 0 && cout % g === 0))
      const kernel = [random.integer(1, 3), random.integer(1, 3)]
      const geometry: ConvGeometry = {
        inputChannels: cin,
        inputHeight: h,
        inputWidth: w,
        outputChannels: cout,
        outputHeight: oh,
        outputWidth: ow,
        strides: [random.integer(1, 3), random.integer(1, 3)],
        dilations: [random.integer(1, 2), random.integer(1, 2)],
        padBegin: [random.integer(-1, 2), random.integer(-1, 2)],
        groups,
      }
      const channels = kind === 'conv' ? [cout, cin / groups] : [cin, cout / groups]
      return { kind, input, weight: constants([...channels, ...kernel], 9), ...geometry }
    }
    const rows = random.pick([1, 2, 3].filter((r) => inputs % r === 0 && outputs % r === 0))
    return { kind: 'gemm', input, rows, weight: constants([outputs / rows, inputs / rows], 9) }
  }

  /** A product of two tensors, whose axes pair where their sizes allow; it decides the output's shape. */
  const product = (): { readonly term: IntegerTerm; readonly shape: readonly number[] } => {
    const recent = () => random.integer(Math.max(0, tensors.length - 3), tensors.length - 1)
    const [input, operand] = [recent(), recent()]
    const sizes = [...tensors[input]!.shape]
    const inputAxes = sizes.map((_, label) => label)
    const contracted = new Set<number>()
    const taken = new Set<number>()
    const operandAxes: number[] = tensors[operand]!.shape.map((size) => {
      const label = sizes.indexOf(size)
      const free = label >= 0 && label < inputAxes.length && random.integer(0, 3) > 0
      if (!free || taken.has(label)) return sizes.push(size) - 1
      taken.add(label)
      if (random.integer(0, 1) === 0) contracted.add(label)
      return label
    })
    const outputAxes = sizes.map((_, label) => label).filter((label) => !contracted.has(label))
    if (random.integer(0, 1) === 0) outputAxes.reverse()
    const outputs = outputAxes.map((label) => sizes[label]!)
    return {
      term: { kind: 'einsum', input, operand, sizes, inputAxes, operandAxes, outputAxes },
      shape: [outputs[0] ?? 1, outputs[1] ?? 1, elementCount(outputs.slice(2))],
    }
  }

  const affine = (
    count: number,
    shape: readonly number[],
    values: readonly [number, number],
    first: readonly IntegerTerm[] = [],
  ) => {
    const own = Array.from({ length: count }, () =>
      term(random.integer(Math.max(0, tensors.length - 3), tensors.length - 1), shape),
    )
    const terms = [...first, ...own]
    const biasShape = shape.map((size) => random.pick([1, size]))
    const bias = constants(biasShape, 500)
    const linear = {
      name: `n${nodes.length}`,
      terms,
      ...(random.integer(0, 2) === 0
        ? {}
        : { bias: { shape: biasShape, data: Float64Array.from(bias.data) } }),
    }
    const accumulators = accumulatorBounds(linear, shape, bounds)
    const { min, max } = boundsRange(accumulators)
    const multiplier = random.integer(1, 3)
    let shift = random.integer(0, 6)
    // Small tables keep tests fast.
    while ((max - min) * multiplier > 2 ** (shift + 10)) shift++
    const requantize = { multiplier, shift }
    const quotients = quotientBounds({ ...linear, requantize }, accumulators)
    const quotient = boundsRange(quotients)
    const margin = random.integer(0, 2)
    const length = quotient.max - quotient.min + 1 + 2 * margin
    const [low, high] = values
    const sorted = Array.from({ length }, () => random.integer(low, high))
    if (random.integer(0, 1) === 0) sorted.sort((a, b) => a - b)
    tables.push({
      description: 'random',
      first: quotient.min - margin,
      values: Int32Array.from(sorted),
    })
    const node: AffineNode = {
      kind: 'affine',
      ...linear,
      output: tensors.length,
      requantize,
      table: tables.length - 1,
      accumulator: boundsRange(accumulators),
      quotient,
    }
    nodes.push(node)
    define(shape, tableBounds(tables.at(-1)!, quotients))
  }

  return {
    affine: (count: number) =>
      affine(
        count,
        random.integer(0, 3) === 0
          ? tensors.at(-1)!.shape
          : [random.integer(1, 9), random.integer(1, 4), random.integer(1, 4)],
        [-20, 20],
      ),
    einsum: () => {
      const { term, shape } = product()
      if (elementCount(shape) <= 400) affine(random.integer(0, 1), shape, [-20, 20], [term])
    },
    rearrange: () => {
      const input = tensors.length - 1
      const inputShape = tensors[input]!.shape
      const permutation = random.pick([
        [0, 2, 1],
        [2, 0, 1],
        [1, 0, 2],
      ])
      const output = tensors.length
      const node = { kind: 'rearrange', name: 'r', output, input, inputShape, permutation } as const
      nodes.push(node)
      define(
        permutation.map((axis) => inputShape[axis]!),
        rearrangeBounds(node, bounds[input]!),
      )
    },
    finish: (): IntegerModel => {
      const channels = random.pick([1, 3] as const)
      const shape = [channels, random.integer(1, 3), random.integer(1, 3)]
      affine(1, shape, [0, 255])
      return {
        format: 'platemark-model',
        version: 1,
        name: 'random',
        latent,
        tensors,
        nodes,
        tables,
        image: {
          tensor: tensors.length - 1,
          height: shape[1]!,
          width: shape[2]!,
          channels,
          range: [0, 1],
        },
        source: { onnxSha256: `0x${'00'.repeat(32)}`, profile: 'test', toolVersion: '0' },
      }
    },
  }
}
