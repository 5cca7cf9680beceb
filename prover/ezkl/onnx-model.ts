import type {
  AffineNode,
  IntegerModel,
  LinearIntegerTerm,
  RearrangeNode,
} from '../../model-export/integer-model.js'
import { buildOnnx, type NodeSpec, type TensorSpec } from '../../model-export/onnx/build-onnx.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { elementCount } from '../../model-export/tensor-index.js'
import { CONDITIONS, PRODUCTS } from './estimate.js'

/** Name of the graph's input: the latent bytes, then the context. */
export const INPUT = 'latent_and_context'

/** Name of the graph's output: the pixels. */
export const OUTPUT = 'pixels'

/** Integers beyond this are no float32, which is what ezkl makes of every constant. */
const FLOAT_LIMIT = 2 ** 24

/** ezkl divides by more than 2^24 in two steps, of which the first has no table to bound it. */
const MAX_SHIFT = 23

/**
 * The integer model as an ONNX graph that ezkl, at scale 2^0 for inputs and weights, computes exactly:
 *
 * - every tensor holds integers, so sums and products in the field are those of the integers;
 * - ezkl takes a product with 2^−k for a change of scale and divides by 2^k: it lets the prover choose a
 *   field element q and checks |q·2^k − x| ≤ 2^(k−1). The quotient `⌊(a·m + 2^(s−1)) / 2^s⌋` of an affine
 *   node is the integer nearest to `(2·a·m + 1) / 2^(s+1)`, never a tie, so it is the only integer that
 *   passes; that q is a small integer, and no fraction in the field, follows from the next point.
 * - every quotient is looked up: every table is a Gather from its constants, indexed by the quotient.
 *
 * Input: 1 × (latent dimensions + 1), bytes 0…255 and then the context, a field element that nothing
 * reads: as a public input it is part of the transcript, so a proof holds for one context only.
 * Output: 1 × pixels, row-major height × width × channels.
 *
 * @returns the file
 * @throws {PlatemarkError} for a model with numbers that float32 constants cannot hold.
 * @example
 * await writeFile('model.onnx', writeOnnxModel(plate.model))
 */
export function writeOnnxModel(model: IntegerModel): Uint8Array {
  const graph = new Graph()
  if (model.conditions !== undefined)
    throw new PlatemarkError(CONDITIONS, { fix: 'Compile it with --backend sumcheck.' })
  const { dimensions, table } = model.latent
  const bytes = graph.add('Slice', [
    INPUT,
    graph.integers('start', [0]),
    graph.integers('end', [dimensions]),
    graph.integers('axis', [1]),
  ])
  const latent = graph.look(bytes, table, 'latent_table')
  const names = new Map([[0, graph.reshape(latent, model.tensors[0]!.shape)]])
  const nameOf = (tensor: number) => names.get(tensor)!
  for (const node of model.nodes) {
    const { shape } = model.tensors[node.output]!
    const output =
      node.kind === 'affine'
        ? affine(graph, model, node, shape, nameOf)
        : rearrange(graph, node, shape, nameOf(node.input))
    names.set(node.output, output)
  }
  const { tensor } = model.image
  const count = elementCount(model.tensors[tensor]!.shape)
  return graph.finish(dimensions + 1, nameOf(tensor), count)
}

function affine(
  graph: Graph,
  model: IntegerModel,
  node: AffineNode,
  shape: readonly number[],
  nameOf: (tensor: number) => string,
): string {
  const terms = node.terms.map((term) => {
    if (term.kind !== 'einsum') return linear(graph, term, nameOf(term.input), shape)
    throw new PlatemarkError(PRODUCTS, { fix: 'Compile it with --backend sumcheck.' })
  })
  let sum = terms.reduce((left, right) => graph.add('Add', [left, right]))
  if (node.bias !== undefined)
    for (const part of floatParts(node.bias.data))
      sum = graph.add('Add', [sum, graph.constant('bias', node.bias.shape, part)])
  const { multiplier, shift } = node.requantize
  let quotient = sum
  if (shift > MAX_SHIFT)
    throw new PlatemarkError('The ezkl backend cannot divide by so much at once.', {
      expected: `a shift of at most ${MAX_SHIFT} bits`,
      found: `${shift} bits in ${node.name}`,
      fix: 'Compile with fewer bits, for example --profile compact.',
    })
  if (shift > 0) {
    const doubled = graph.add('Mul', [sum, graph.number(2 * multiplier)])
    const odd = graph.add('Add', [doubled, graph.number(1)])
    quotient = graph.add('Mul', [odd, graph.number(2 ** -(shift + 1))])
  } else if (multiplier !== 1) quotient = graph.add('Mul', [sum, graph.number(multiplier)])
  const { first, values } = model.tables[node.table]!
  const index = first === 0 ? quotient : graph.add('Add', [quotient, graph.number(-first)])
  return graph.look(index, values, `table_${node.table}`)
}

function linear(
  graph: Graph,
  term: LinearIntegerTerm,
  input: string,
  shape: readonly number[],
): string {
  if (term.kind === 'elementwise') {
    const weight = graph.constant('weight', term.weight.shape, term.weight.data)
    return graph.add('Mul', [graph.reshape(input, shape), weight])
  }
  if (term.kind === 'gemm') {
    const [outputs, inputs] = term.weight.shape as [number, number]
    const weight = graph.constant(
      'weight',
      [inputs, outputs],
      transposed(term.weight.data, outputs),
    )
    const product = graph.add('MatMul', [graph.reshape(input, [term.rows, inputs]), weight])
    return graph.reshape(product, shape)
  }
  const { groups } = term
  const parts = Array.from({ length: groups }, (_, group) =>
    term.kind === 'conv'
      ? convolution(graph, term, input, group)
      : transposedConvolution(graph, term, input, group),
  )
  return graph.reshape(parts.length === 1 ? parts[0]! : graph.add('Concat', parts, AXIS_0), shape)
}

type Convolution = Extract<LinearIntegerTerm, { readonly kind: 'conv' | 'convTranspose' }>

/*
 * Convolutions as products of matrices, because ezkl checks those with a random vector (Freivalds) in
 * rows of the order of their sizes, while a convolution costs it a row for every two products, those
 * with the zeros between the inputs of a transposed one included.
 */

/** One group: weights (Cout × Cin·Kh·Kw) times the input's windows (Cin·Kh·Kw × Hout·Wout). */
function convolution(graph: Graph, term: Convolution, input: string, group: number): string {
  const { outputHeight, outputWidth, strides, dilations, padBegin } = term
  const [outputs, inputs, height, width] = term.weight.shape as Shape4
  const rows = outputs / term.groups
  const image = groupOf(graph, term, input, group)
  const reach = (axis: 0 | 1, output: number, taps: number) =>
    (output - 1) * strides[axis] + (taps - 1) * dilations[axis] + 1
  const padded = graph.fit(image, [
    [-padBegin[0], reach(0, outputHeight, height) - padBegin[0], term.inputHeight],
    [-padBegin[1], reach(1, outputWidth, width) - padBegin[1], term.inputWidth],
  ])
  const windows: string[] = []
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const top = y * dilations[0]
      const left = x * dilations[1]
      const window = graph.slice(padded, [
        [top, top + (outputHeight - 1) * strides[0] + 1, strides[0]],
        [left, left + (outputWidth - 1) * strides[1] + 1, strides[1]],
      ])
      windows.push(graph.reshape(window, [inputs, 1, outputHeight * outputWidth]))
    }
  const taps = height * width
  const stacked = taps === 1 ? windows[0]! : graph.add('Concat', windows, { axis: { int: 1 } })
  const columns = graph.reshape(stacked, [inputs * taps, outputHeight * outputWidth])
  const data = term.weight.data.subarray(
    group * rows * inputs * taps,
    (group + 1) * rows * inputs * taps,
  )
  const weight = graph.constant('weight', [rows, inputs * taps], data)
  const product = graph.add('MatMul', [weight, columns])
  return graph.reshape(product, [rows, outputHeight, outputWidth])
}

/**
 * One group: weights (Cout·Kh·Kw × Cin) times the input (Cin × H·W), then every product added where it
 * belongs. With kernel index k = q·stride + r, it goes to (y + q)·stride + r: the same r side by side,
 * shifted by q.
 */
function transposedConvolution(
  graph: Graph,
  term: Convolution,
  input: string,
  group: number,
): string {
  const { inputHeight, inputWidth, strides, padBegin, outputHeight, outputWidth } = term
  const [down, right] = strides
  const kernel = spreadKernel(term, group)
  const image = graph.reshape(groupOf(graph, term, input, group), [
    kernel.inputs,
    inputHeight * inputWidth,
  ])
  const weight = graph.constant(
    'weight',
    [kernel.outputs * kernel.height * kernel.width, kernel.inputs],
    kernel.data,
  )
  const product = graph.add('MatMul', [weight, image])
  const [shiftsDown, shiftsRight] = [kernel.height / down, kernel.width / right]
  const phases = kernel.outputs * down * right
  const height = inputHeight + shiftsDown - 1
  const width = inputWidth + shiftsRight - 1
  const shifted: string[] = []
  for (let q = 0; q < shiftsDown; q++)
    for (let p = 0; p < shiftsRight; p++) {
      const at = (q * shiftsRight + p) * phases
      const part = graph.rows(product, at, at + phases, shiftsDown * shiftsRight * phases)
      const plane = graph.reshape(part, [phases, inputHeight, inputWidth])
      shifted.push(
        graph.fit(plane, [
          [-q, height - q, inputHeight],
          [-p, width - p, inputWidth],
        ]),
      )
    }
  const sum = shifted.reduce((left, other) => graph.add('Add', [left, other]))
  const split = graph.reshape(sum, [kernel.outputs, down, right, height, width])
  const woven = graph.add('Transpose', [split], { perm: { ints: [0, 3, 1, 4, 2] } })
  const whole = graph.reshape(woven, [kernel.outputs, height * down, width * right])
  return graph.fit(whole, [
    [padBegin[0], padBegin[0] + outputHeight, height * down],
    [padBegin[1], padBegin[1] + outputWidth, width * right],
  ])
}

/**
 * Weights of a group of a transposed convolution, rows ordered by shifts (down, right), output channel
 * and phase (down, right); dilated, and filled with zeros to a multiple of the strides.
 */
function spreadKernel(term: Convolution, group: number) {
  const [channels, outputs, height, width] = term.weight.shape as Shape4
  const inputs = channels / term.groups
  const { strides, dilations } = term
  const [tall, wide] = [
    Math.ceil(((height - 1) * dilations[0] + 1) / strides[0]) * strides[0],
    Math.ceil(((width - 1) * dilations[1] + 1) / strides[1]) * strides[1],
  ]
  const data = new Int32Array(outputs * tall * wide * inputs)
  for (let u = 0; u < inputs; u++)
    for (let v = 0; v < outputs; v++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const [down, right] = [y * dilations[0], x * dilations[1]]
          const shift =
            Math.floor(down / strides[0]) * (wide / strides[1]) + Math.floor(right / strides[1])
          const phase = (down % strides[0]) * strides[1] + (right % strides[1])
          const row = (shift * outputs + v) * strides[0] * strides[1] + phase
          data[row * inputs + u] =
            term.weight.data[(((group * inputs + u) * outputs + v) * height + y) * width + x]!
        }
  return { inputs, outputs, height: tall, width: wide, data }
}

type Shape4 = readonly [number, number, number, number]

const AXIS_0 = { axis: { int: 0 } }

/** The input channels of a group, channels × height × width. */
function groupOf(graph: Graph, term: Convolution, input: string, group: number): string {
  const { inputChannels, inputHeight, inputWidth, groups } = term
  const image = graph.reshape(input, [inputChannels, inputHeight, inputWidth])
  const size = inputChannels / groups
  return graph.rows(image, group * size, (group + 1) * size, inputChannels)
}

function rearrange(
  graph: Graph,
  node: RearrangeNode,
  shape: readonly number[],
  input: string,
): string {
  const source = graph.reshape(input, node.inputShape)
  const moved = graph.add('Transpose', [source], { perm: { ints: node.permutation } })
  return graph.reshape(moved, shape)
}

/** Integers below 2^48 as one or two addends that float32 holds exactly. */
function floatParts(data: Float64Array): readonly Float64Array[] {
  if (data.every((value) => Math.abs(value) <= FLOAT_LIMIT)) return [data]
  const high = data.map((value) => Math.trunc(value / FLOAT_LIMIT) * FLOAT_LIMIT)
  return [high, data.map((value, i) => value - high[i]!)]
}

function transposed(data: Int32Array, rows: number): Int32Array {
  const columns = data.length / rows
  const result = new Int32Array(data.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = data[row * columns + column]!
  return result
}

/** An ONNX graph that grows from front to back; every method returns the name of a value. */
class Graph {
  private readonly nodes: NodeSpec[] = []
  private readonly constants: Record<string, TensorSpec> = {}

  add(
    operator: string,
    inputs: readonly string[],
    attributes: NodeSpec['attributes'] = {},
  ): string {
    const name = `value_${this.nodes.length}`
    this.nodes.push({ operator, inputs, outputs: [name], attributes })
    return name
  }

  constant(name: string, shape: readonly number[], data: ArrayLike<number>): string {
    const values = Float32Array.from(data)
    if (values.some((value, i) => value !== data[i]))
      throw new PlatemarkError('The ezkl backend cannot hold a number of this model.', {
        expected: `integers up to 2^24 and sums of two such parts`,
        found: `another one in a constant (${name})`,
        fix: 'Compile with fewer bits, for example --profile compact.',
      })
    return this.define(name, { shape, data: values })
  }

  number(value: number): string {
    return this.constant('number', [1], [value])
  }

  integers(name: string, data: readonly number[]): string {
    return this.define(name, { dtype: 'int64', shape: [data.length], data })
  }

  reshape(input: string, shape: readonly number[]): string {
    return this.add('Reshape', [input, this.integers('shape', shape)])
  }

  /** Rows `from` to `to` of `count`. */
  rows(input: string, from: number, to: number, count: number): string {
    if (from === 0 && to === count) return input
    return this.add('Slice', [
      input,
      this.integers('start', [from]),
      this.integers('end', [to]),
      this.integers('axis', [0]),
    ])
  }

  /** Channels × height × width, cut to [from, to) with a step in the last two axes. */
  slice(
    input: string,
    ranges: readonly (readonly [from: number, to: number, step: number])[],
  ): string {
    const pick = (index: 0 | 1 | 2) => ranges.map((range) => range[index])
    return this.add('Slice', [
      input,
      this.integers('start', pick(0)),
      this.integers('end', pick(1)),
      this.integers('axis', [1, 2]),
      this.integers('step', pick(2)),
    ])
  }

  /** Channels × height × width with the last two axes, of sizes `size`, cut or filled with zeros to [from, to). */
  fit(
    input: string,
    ranges: readonly (readonly [from: number, to: number, size: number])[],
  ): string {
    const cut = ranges.map(
      ([from, to, size]) => [Math.max(0, from), Math.min(to, size), 1] as const,
    )
    const isWhole = cut.every(([from, to], axis) => from === 0 && to === ranges[axis]![2])
    const inner = isWhole ? input : this.slice(input, cut)
    const before = ranges.map(([from]) => Math.max(0, -from))
    const after = ranges.map(([, to, size]) => Math.max(0, to - size))
    if ([...before, ...after].every((count) => count === 0)) return inner
    return this.add('Pad', [inner, this.integers('pads', [0, ...before, 0, ...after])])
  }

  /** `table[index]`, elementwise. */
  look(index: string, table: ArrayLike<number>, name: string): string {
    const integer = this.add('Cast', [index], { to: { int: INT64 } })
    return this.add('Gather', [this.constant(name, [table.length], table), integer])
  }

  finish(inputs: number, output: string, count: number): Uint8Array {
    this.nodes.push({
      operator: 'Reshape',
      inputs: [output, this.integers('shape', [1, count])],
      outputs: [OUTPUT],
    })
    return buildOnnx({
      opset: 13,
      inputs: { [INPUT]: [1, inputs] },
      outputs: { [OUTPUT]: [1, count] },
      initializers: this.constants,
      nodes: this.nodes,
    })
  }

  private define(name: string, tensor: TensorSpec): string {
    const unique = `${name}_${Object.keys(this.constants).length}`
    this.constants[unique] = tensor
    return unique
  }
}

/** Number of the type in TensorProto.DataType. */
const INT64 = 7
