import { contractedLabels, einsumCount } from '../../model-export/einsum.js'
import type {
  AffineNode,
  IntegerEinsum,
  IntegerTerm,
  LinearIntegerTerm,
} from '../../model-export/integer-model.js'
import { rowMajorStrides } from '../../model-export/tensor-index.js'
import type { CircomText } from './selector.js'

/** Summands of the inner and of the middle of three nested sums. */
const PART = 8
const BLOCK = 64

/**
 * Circom of the linear part of an affine node: assigns the variable `acc`, for output element `o`, the
 * linear combination Σ terms + bias. Weights are constants and cost no constraint; a product of two
 * tensors costs one constraint a multiplication.
 *
 * @param node - the node
 * @param shape - shape of its output
 * @param input - the circom name of the signal array that holds a tensor
 */
export function emitLinear(
  node: AffineNode,
  shape: readonly number[],
  input: (tensor: number) => string,
): CircomText {
  const declarations: string[] = []
  const statements: string[] = []
  const { bias } = node
  if (bias === undefined) statements.push('var acc = 0;')
  else {
    const packed = constants('bias', Array.from(bias.data))
    declarations.push(packed.declaration)
    statements.push(`var acc = ${packed.at(broadcastExpression(shape, bias.shape))};`)
  }
  node.terms.forEach((term, i) => {
    const text =
      term.kind === 'elementwise'
        ? emitElementwise(term, shape, i, input)
        : term.kind === 'einsum'
          ? emitEinsum(term, i, input)
          : emitContraction(contractionOf(term), i, input(term.input))
    declarations.push(...text.declarations)
    statements.push('{', ...text.statements.map((line) => `  ${line}`), '}')
  })
  return { declarations, statements }
}

/** Non-zero weights that meet an input, over all output elements: the size of the linear rows. */
export function countProducts(node: AffineNode, elements: number): number {
  let products = 0
  for (const term of node.terms) {
    if (term.kind === 'elementwise') products += elements
    else if (term.kind === 'einsum') products += countMultiplications(term)
    else {
      const { rows, columns, inputs, outputs } = contractionOf(term)
      const taps = (axis: Axis) => axis.taps.reduce((sum, row) => sum + row.length, 0)
      products += taps(rows) * taps(columns) * inputs * outputs
    }
  }
  return products
}

/** Multiplications of activations, each a constraint, over all output elements. */
export function countMultiplications(term: IntegerTerm): number {
  return term.kind === 'einsum'
    ? einsumCount(term, term.outputAxes) * einsumCount(term, contractedLabels(term))
    : 0
}

/** Constants with the circom expression of one of them, given the expression of its position. */
type Constants = { readonly declaration: string; readonly at: (index: string) => string }

/** Bits that fit one field element with room to spare. */
const PACKED_BITS = 248

/**
 * An array of integers, several in one literal: the compiler needs kilobytes of memory for each
 * literal, so that a dense layer of 400,000 weights takes gigabytes otherwise.
 */
function constants(name: string, values: readonly number[]): Constants {
  let least = Number.POSITIVE_INFINITY
  let greatest = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (value < least) least = value
    if (value > greatest) greatest = value
  }
  const width = Math.max(1, (greatest - least).toString(2).length)
  const each = Math.floor(PACKED_BITS / width)
  const literals: string[] = []
  for (let start = 0; start < values.length; start += each) {
    let packed = 0n
    for (let i = Math.min(start + each, values.length) - 1; i >= start; i--)
      packed = (packed << BigInt(width)) | BigInt(values[i]! - least)
    literals.push(`0x${packed.toString(16)}`)
  }
  const mask = `0x${((1n << BigInt(width)) - 1n).toString(16)}`
  return {
    declaration: `var ${name}[${literals.length}] = [\n    ${literals.join(',\n    ')}];`,
    at: (index) =>
      `(((${name}[(${index}) \\ ${each}] >> (${width} * ((${index}) % ${each}))) & ${mask}) + (${least}))`,
  }
}

/** Position of output element `o` in a tensor that broadcasts to the output. */
function broadcastExpression(shape: readonly number[], own: readonly number[]): string {
  const missing = shape.length - own.length
  const strides = rowMajorStrides(shape)
  const ownStrides = rowMajorStrides(own)
  const parts = shape.flatMap((size, axis) => {
    const source = axis - missing
    if (source < 0 || own[source] === 1 || size === 1) return []
    return [`((o \\ ${strides[axis]}) % ${size}) * ${ownStrides[source]}`]
  })
  return parts.length === 0 ? '0' : parts.join(' + ')
}

function emitElementwise(
  term: Extract<IntegerTerm, { kind: 'elementwise' }>,
  shape: readonly number[],
  i: number,
  input: (tensor: number) => string,
): CircomText {
  const weights = constants(`w${i}`, Array.from(term.weight.data))
  const at = broadcastExpression(shape, term.weight.shape)
  return {
    declarations: [weights.declaration],
    statements: [`acc += ${weights.at(at)} * ${input(term.input)}[o];`],
  }
}

/** The products of output element `o` are signals, one for each value `k` of the summed labels. */
function emitEinsum(term: IntegerEinsum, i: number, input: (tensor: number) => string): CircomText {
  const contracted = contractedLabels(term)
  const position = (labels: readonly number[]) => {
    const strides = rowMajorStrides(labels.map((label) => term.sizes[label]!))
    const digits = (counter: string, over: readonly number[]) => {
      const own = rowMajorStrides(over.map((label) => term.sizes[label]!))
      return over.flatMap((label, at) => {
        const axis = labels.indexOf(label)
        if (axis < 0 || term.sizes[label] === 1) return []
        return [`((${counter} \\ ${own[at]}) % ${term.sizes[label]}) * ${strides[axis]}`]
      })
    }
    return [...digits('o', term.outputAxes), ...digits('k', contracted)].join(' + ') || '0'
  }
  const outputs = einsumCount(term, term.outputAxes)
  const summands = einsumCount(term, contracted)
  return {
    declarations: [`signal product${i}[${outputs}][${summands}];`],
    statements: [
      `for (var k = 0; k < ${summands}; k++) {`,
      `  product${i}[o][k] <== ${input(term.input)}[${position(term.inputAxes)}] * ${input(term.operand)}[${position(term.operandAxes)}];`,
      '}',
      ...sumInBlocks(summands, `product${i}[o][i]`),
    ],
  }
}

/**
 * Gemm, Conv and ConvTranspose as one form: output element (c, y, x) sums, over the taps of row y and
 * of column x and over the input channels of its group, weight · input. A tap is an input position
 * with a kernel position.
 */
type Contraction = {
  readonly rows: Axis
  readonly columns: Axis
  readonly groups: number
  readonly outputs: number
  /** Input channels of one group. */
  readonly inputs: number
  readonly inputChannelStride: number
  readonly outputChannelStride: number
  /** Output channel × input channel of its group × kernel row × kernel column. */
  readonly weights: readonly number[]
}

type Axis = {
  readonly size: number
  readonly kernel: number
  readonly inputStride: number
  readonly outputStride: number
  /** For each output position, the (input position, kernel position) pairs that meet there. */
  readonly taps: readonly (readonly (readonly [number, number])[])[]
}

function contractionOf(term: Exclude<LinearIntegerTerm, { kind: 'elementwise' }>): Contraction {
  const [first = 0, second = 0, kernelHeight = 1, kernelWidth = 1] = term.weight.shape
  if (term.kind === 'gemm') {
    const point = (size: number, inputStride: number, outputStride: number): Axis => ({
      size,
      kernel: 1,
      inputStride,
      outputStride,
      taps: Array.from({ length: size }, (_, at) => [[at, 0]]),
    })
    return {
      rows: point(term.rows, second, first),
      columns: point(1, 0, 0),
      groups: 1,
      outputs: first,
      inputs: second,
      inputChannelStride: 1,
      outputChannelStride: 1,
      weights: Array.from(term.weight.data),
    }
  }
  const { groups, inputChannels, outputChannels } = term
  return {
    rows: axisOf(term, 0, kernelHeight),
    columns: axisOf(term, 1, kernelWidth),
    groups,
    outputs: outputChannels,
    inputs: inputChannels / groups,
    inputChannelStride: term.inputHeight * term.inputWidth,
    outputChannelStride: term.outputHeight * term.outputWidth,
    weights:
      term.kind === 'conv'
        ? Array.from(term.weight.data)
        : transposedWeights(term, kernelHeight * kernelWidth),
  }
}

type Convolution = Extract<IntegerTerm, { kind: 'conv' | 'convTranspose' }>

function axisOf(term: Convolution, axis: 0 | 1, kernel: number): Axis {
  const [inputSize, size] =
    axis === 0 ? [term.inputHeight, term.outputHeight] : [term.inputWidth, term.outputWidth]
  const stride = term.strides[axis]
  const taps: [number, number][][] = Array.from({ length: size }, () => [])
  for (let k = 0; k < kernel; k++) {
    const offset = k * term.dilations[axis] - term.padBegin[axis]
    if (term.kind === 'conv') {
      for (let at = 0; at < size; at++) {
        const from = at * stride + offset
        if (from >= 0 && from < inputSize) taps[at]!.push([from, k])
      }
    } else {
      for (let from = 0; from < inputSize; from++) {
        const at = from * stride + offset
        if (at >= 0 && at < size) taps[at]!.push([from, k])
      }
    }
  }
  return {
    size,
    kernel,
    inputStride: axis === 0 ? term.inputWidth : 1,
    outputStride: axis === 0 ? term.outputWidth : 1,
    taps,
  }
}

/** ONNX stores ConvTranspose weights input channel first. */
function transposedWeights(term: Convolution, area: number): readonly number[] {
  const { groups, inputChannels, outputChannels } = term
  const groupInputs = inputChannels / groups
  const groupOutputs = outputChannels / groups
  const result: number[] = []
  for (let co = 0; co < outputChannels; co++)
    for (let i = 0; i < groupInputs; i++) {
      const ci = Math.floor(co / groupOutputs) * groupInputs + i
      const from = (ci * groupOutputs + (co % groupOutputs)) * area
      for (let k = 0; k < area; k++) result.push(term.weight.data[from + k]!)
    }
  return result
}

function emitContraction(contraction: Contraction, i: number, input: string): CircomText {
  const { rows, columns, groups, outputs, inputs } = contraction
  const names = { y: `y${i}`, x: `x${i}` }
  const weights = constants(`w${i}`, contraction.weights)
  const groupOutputs = outputs / groups
  const channelStride = contraction.inputChannelStride
  const group = groups === 1 ? '' : ` + (c \\ ${groupOutputs}) * ${inputs * channelStride}`
  const area = rows.kernel * columns.kernel
  return {
    declarations: [weights.declaration, ...emitTaps(names.y, rows), ...emitTaps(names.x, columns)],
    statements: [
      `var c = (o \\ ${contraction.outputChannelStride}) % ${outputs};`,
      `var row = ${axisPosition(rows)};`,
      `var column = ${axisPosition(columns)};`,
      `for (var a = 0; a < ${names.y}Count[row]; a++) {`,
      `  for (var b = 0; b < ${names.x}Count[column]; b++) {`,
      `    var from = ${names.y}Input[row][a] * ${rows.inputStride} + ${names.x}Input[column][b] * ${columns.inputStride}${group};`,
      `    var tap = ${names.y}Kernel[row][a] * ${columns.kernel} + ${names.x}Kernel[column][b];`,
      `    var first = c * ${inputs * area} + tap;`,
      ...sumInBlocks(
        inputs,
        `${weights.at(`first + i * ${area}`)} * ${input}[from + i * ${channelStride}]`,
      ).map((line) => `    ${line}`),
      '  }',
      '}',
    ],
  }
}

function axisPosition(axis: Axis): string {
  return axis.size === 1 ? '0' : `(o \\ ${axis.outputStride}) % ${axis.size}`
}

/** Adds `summand`, for i below `count`, to `acc`, by way of sums of 8 and of 64. */
function sumInBlocks(count: number, summand: string): string[] {
  const part = Math.min(PART, count)
  const block = Math.min(BLOCK, part * Math.ceil(count / part))
  const line = `part += ${summand};`
  return [
    `for (var begin = 0; begin < ${count}; begin += ${block}) {`,
    '  var block = 0;',
    `  for (var start = begin; start < begin + ${block}; start += ${part}) {`,
    '    var part = 0;',
    `    for (var i = start; i < start + ${part}; i++) {`,
    count % block === 0 ? `      ${line}` : `      if (i < ${count}) { ${line} }`,
    '    }',
    '    block += part;',
    '  }',
    '  acc += block;',
    '}',
  ]
}

function emitTaps(name: string, { taps }: Axis): string[] {
  const width = Math.max(1, ...taps.map((row) => row.length))
  const table = (part: 0 | 1) =>
    taps
      .map((row) => `[${Array.from({ length: width }, (_, i) => row[i]?.[part] ?? 0).join(',')}]`)
      .join(',')
  return [
    `var ${name}Count[${taps.length}] = [${taps.map((row) => row.length).join(',')}];`,
    `var ${name}Input[${taps.length}][${width}] = [${table(0)}];`,
    `var ${name}Kernel[${taps.length}][${width}] = [${table(1)}];`,
  ]
}
