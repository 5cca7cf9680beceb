import { conditionElements } from './conditions.js'
import { type EinsumAxes, einsumCount, einsumFault } from './einsum.js'
import type { ConvGeometry } from './float-model.js'
import type {
  AffineNode,
  ImageInfo,
  IntegerModel,
  IntegerNode,
  IntegerTensor,
  IntegerTerm,
  ModelSource,
  RearrangeNode,
  Table,
  TensorInfo,
} from './integer-model.js'
import { EXACT_LIMIT } from './intervals.js'
import type { Field } from './json-fields.js'
import { hashWeights } from './model-file.js'
import { parseConditions, parseLatent, parseScale } from './parse-inputs.js'
import { PlatemarkError } from './platemark-error.js'
import { broadcastsTo, elementCount } from './tensor-index.js'

const INT32_MIN = -(2 ** 31)
const INT32_MAX = 2 ** 31 - 1
/** Bounds what a file can make us allocate. */
const MAX_ELEMENTS = 2 ** 24
const MAX_ELEMENTS_IN_ALL = 2 ** 27
const MAX_TEXT = 1000
const MAX_LABELS = 16

/**
 * Reads a model that somebody else may have written. Everything that the executor and the circuits
 * rely on is checked, except that the claimed bounds hold, which is what `verifyBounds` proves.
 *
 * @param json - the content of `model.json`
 * @param weights - the content of `weights.bin`
 * @throws {PlatemarkError} naming the file and the field.
 */
export function parseModel(json: Field, weights: Uint8Array): IntegerModel {
  json.only(
    'format',
    'version',
    'name',
    'source',
    'latent',
    'conditions',
    'image',
    'tensors',
    'nodes',
    'tables',
    'weights',
  )
  json.get('format').oneOf('platemark-model')
  json.get('version').oneOf(1)
  const constants = openConstants(json.get('weights'), weights)
  const latent = parseLatent(json.get('latent'))
  const tensors = json.get('tensors').items().map(parseTensor)
  if (tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0) > MAX_ELEMENTS_IN_ALL)
    json.get('tensors').fail(`at most ${MAX_ELEMENTS_IN_ALL} elements in all`)
  const conditions = json.find('conditions') && parseConditions(json.get('conditions'))
  const inputs = 1 + (conditions?.length ?? 0)
  const nodeFields = json.get('nodes').items()
  const expected = inputs + nodeFields.length
  if (tensors.length !== expected)
    json.get('tensors').fail(`${expected} tensors: the latent, conditions, and one for each node`)
  conditions?.forEach((condition, i) => {
    const elements = conditionElements(condition)
    if (elementCount(tensors[i + 1]!.shape) !== elements)
      json.get('tensors').items()[i + 1]!.get('shape').fail(`${elements} elements, condition ${i}`)
  })
  if (elementCount(tensors[0]!.shape) !== latent.dimensions)
    json.get('tensors').items()[0]!.get('shape').fail(`${latent.dimensions} elements, the latent`)
  const tableFields = json.get('tables').items()
  const nodes = nodeFields.map((field, index) =>
    parseNode(field, index + inputs, tensors, constants),
  )
  const tables = tableFields.map((field) => parseTable(field, constants))
  nodes.forEach((node, index) => {
    if (node.kind === 'affine') checkTable(nodeFields[index]!, node, tables)
  })
  constants.end()
  return {
    format: 'platemark-model',
    version: 1,
    name: parseText(json.get('name')),
    latent,
    ...(conditions === undefined ? {} : { conditions }),
    tensors,
    nodes,
    tables,
    image: parseImage(json.get('image'), tensors),
    source: parseSource(json.get('source')),
  }
}

/** Reads `weights.bin` from front to back. */
type Constants = {
  readonly int32: (where: Field, count: number) => Int32Array
  readonly int64: (where: Field, count: number) => Float64Array
  readonly end: () => void
}

function openConstants(field: Field, bytes: Uint8Array): Constants {
  field.only('bytes', 'keccak256')
  const hash = field.get('keccak256').hex(32)
  const broken = (what: string, expected: string, found: string) =>
    new PlatemarkError(`weights.bin ${what}.`, {
      expected,
      found,
      fix: 'Copy the compiled model again, or compile it again.',
    })
  const size = field.get('bytes').integer(0, Number.MAX_SAFE_INTEGER)
  if (bytes.length !== size)
    throw broken('has the wrong length', `${size} bytes`, `${bytes.length} bytes`)
  const found = hashWeights(bytes)
  if (found !== hash) throw broken('does not belong to model.json', `keccak-256 ${hash}`, found)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const take = (where: Field, count: number, width: number): number => {
    const start = at
    if (count * width > bytes.length - at)
      throw broken(
        'is too short',
        `${count} numbers for ${where.where}`,
        `${bytes.length - at} bytes left`,
      )
    at += count * width
    return start
  }
  return {
    int32: (where, count) => {
      const start = take(where, count, 4)
      return Int32Array.from({ length: count }, (_, i) => view.getInt32(start + 4 * i, true))
    },
    int64: (where, count) => {
      const start = take(where, count, 8)
      return Float64Array.from({ length: count }, (_, i) => {
        const value = Number(view.getBigInt64(start + 8 * i, true))
        if (!(Math.abs(value) < EXACT_LIMIT))
          throw broken('has a bias that is too large', 'magnitudes below 2^52', String(value))
        return value
      })
    },
    end: () => {
      if (at !== bytes.length)
        throw broken('is too long', `${at} bytes by the shapes in model.json`, `${bytes.length}`)
    },
  }
}

function parseTensor(field: Field): TensorInfo {
  field.only('name', 'shape', 'min', 'max', 'scale')
  const range = parseRange(field, 2 ** 31 - 1)
  return {
    name: parseText(field.get('name')),
    shape: parseShape(field.get('shape')),
    ...range,
    scale: parseScale(field.get('scale')),
  }
}

function parseNode(
  field: Field,
  output: number,
  tensors: readonly TensorInfo[],
  constants: Constants,
): IntegerNode {
  const kind = field.get('kind').oneOf('affine', 'rearrange')
  field.get('output').integer(output, output)
  return kind === 'affine'
    ? parseAffine(field, output, tensors, constants)
    : parseRearrange(field, output, tensors)
}

function parseAffine(
  field: Field,
  output: number,
  tensors: readonly TensorInfo[],
  constants: Constants,
): AffineNode {
  field.only(
    'kind',
    'name',
    'output',
    'terms',
    'bias',
    'requantize',
    'table',
    'accumulator',
    'quotient',
  )
  const { shape } = tensors[output]!
  const terms = field
    .get('terms')
    .items()
    .map((term) => parseTerm(term, output, tensors, constants))
  const bias = field.find('bias')?.only('shape')
  const biasShape = bias && parseShape(bias.get('shape'))
  if (biasShape && (biasShape.length !== shape.length || !broadcastsTo(biasShape, shape)))
    bias.get('shape').fail(`a shape that broadcasts to ${shape.join('×')}`)
  const requantize = field.get('requantize').only('multiplier', 'shift')
  return {
    kind: 'affine',
    name: parseText(field.get('name')),
    output,
    terms,
    ...(biasShape === undefined
      ? {}
      : { bias: { shape: biasShape, data: constants.int64(bias!, elementCount(biasShape)) } }),
    requantize: {
      multiplier: requantize.get('multiplier').integer(1, INT32_MAX),
      shift: requantize.get('shift').integer(0, 51),
    },
    table: field.get('table').integer(0, INT32_MAX),
    accumulator: parseRange(field.get('accumulator').only('min', 'max'), EXACT_LIMIT - 1),
    quotient: parseRange(field.get('quotient').only('min', 'max'), INT32_MAX),
  }
}

function parseTerm(
  field: Field,
  output: number,
  tensors: readonly TensorInfo[],
  constants: Constants,
): IntegerTerm {
  const kind = field.get('kind').oneOf('gemm', 'conv', 'convTranspose', 'elementwise', 'einsum')
  const input = field.get('input').integer(0, output - 1)
  const inputs = elementCount(tensors[input]!.shape)
  const { shape } = tensors[output]!
  const outputs = elementCount(shape)
  if (kind === 'einsum') return parseEinsum(field, input, output, tensors)
  const weightField = field.get('weight').only('shape')
  const weightShape = parseShape(weightField.get('shape'))
  const fits = (good: boolean, expected: string) =>
    good ? undefined : weightField.get('shape').fail(expected)
  const readWeight = (): IntegerTensor => ({
    shape: weightShape,
    data: constants.int32(weightField, elementCount(weightShape)),
  })

  if (kind === 'gemm') {
    field.only('kind', 'input', 'rows', 'weight')
    const rows = field.get('rows').integer(1, MAX_ELEMENTS)
    const [out = 0, inside = 0] = weightShape
    const good = weightShape.length === 2 && rows * inside === inputs && rows * out === outputs
    fits(good, `${outputs / rows}×${inputs / rows}, out × in`)
    return { kind, input, rows, weight: readWeight() }
  }
  if (kind === 'elementwise') {
    field.only('kind', 'input', 'weight')
    const good = weightShape.length === shape.length && broadcastsTo(weightShape, shape)
    fits(good && inputs === outputs, `a shape that broadcasts to ${shape.join('×')}, as the input`)
    return { kind, input, weight: readWeight() }
  }
  const geometry = parseGeometry(field)
  const { inputChannels, outputChannels, groups } = geometry
  const [a, b] =
    kind === 'conv'
      ? [outputChannels, inputChannels / groups]
      : [inputChannels, outputChannels / groups]
  fits(
    weightShape.length === 4 && weightShape[0] === a && weightShape[1] === b,
    `${a}×${b}×Kh×Kw for ${inputChannels} input and ${outputChannels} output channels in ${groups} groups`,
  )
  const { inputHeight, inputWidth, outputHeight, outputWidth } = geometry
  if (inputChannels * inputHeight * inputWidth !== inputs)
    field.get('inputHeight').fail(`a size that fits the input's ${inputs} elements`)
  if (outputChannels * outputHeight * outputWidth !== outputs)
    field.get('outputHeight').fail(`a size that fits the output's ${outputs} elements`)
  return { kind, input, weight: readWeight(), ...geometry }
}

function parseEinsum(
  field: Field,
  input: number,
  output: number,
  tensors: readonly TensorInfo[],
): IntegerTerm {
  field.only('kind', 'input', 'operand', 'sizes', 'inputAxes', 'operandAxes', 'outputAxes')
  const operand = field.get('operand').integer(0, output - 1)
  const sizes = field
    .get('sizes')
    .items()
    .map((size) => size.integer(1, MAX_ELEMENTS))
  if (sizes.length > MAX_LABELS) field.get('sizes').fail(`at most ${MAX_LABELS} labels`)
  const labels = (name: string) =>
    field
      .get(name)
      .items()
      .map((label) => label.integer(0, sizes.length - 1))
  const axes: EinsumAxes = {
    sizes,
    inputAxes: labels('inputAxes'),
    operandAxes: labels('operandAxes'),
    outputAxes: labels('outputAxes'),
  }
  const fault = einsumFault(axes)
  if (fault !== undefined) field.get('sizes').fail(fault)
  const fits = (name: 'inputAxes' | 'operandAxes' | 'outputAxes', tensor: number) => {
    const expected = elementCount(tensors[tensor]!.shape)
    if (einsumCount(axes, axes[name]) !== expected)
      field.get(name).fail(`axes of ${expected} elements in all, as tensor ${tensor} has`)
  }
  fits('inputAxes', input)
  fits('operandAxes', operand)
  fits('outputAxes', output)
  return { kind: 'einsum', input, operand, ...axes }
}

const SIZES = [
  'inputChannels',
  'inputHeight',
  'inputWidth',
  'outputChannels',
  'outputHeight',
  'outputWidth',
] as const

function parseGeometry(field: Field): ConvGeometry {
  field.only('kind', 'input', 'weight', ...SIZES, 'strides', 'dilations', 'padBegin', 'groups')
  const size = (name: (typeof SIZES)[number]) => field.get(name).integer(1, MAX_ELEMENTS)
  const pair = (name: string, min: number): readonly [number, number] => {
    const [y, x, ...rest] = field.get(name).items()
    if (y === undefined || x === undefined || rest.length > 0)
      return field.get(name).fail('two integers')
    return [y.integer(min, 2 ** 16), x.integer(min, 2 ** 16)]
  }
  const geometry = {
    inputChannels: size('inputChannels'),
    inputHeight: size('inputHeight'),
    inputWidth: size('inputWidth'),
    outputChannels: size('outputChannels'),
    outputHeight: size('outputHeight'),
    outputWidth: size('outputWidth'),
    strides: pair('strides', 1),
    dilations: pair('dilations', 1),
    padBegin: pair('padBegin', -(2 ** 16)),
    groups: field.get('groups').integer(1, MAX_ELEMENTS),
  }
  const { inputChannels, outputChannels, groups } = geometry
  if (inputChannels % groups !== 0 || outputChannels % groups !== 0)
    field.get('groups').fail(`a divisor of ${inputChannels} and ${outputChannels}`)
  return geometry
}

function parseRearrange(
  field: Field,
  output: number,
  tensors: readonly TensorInfo[],
): RearrangeNode {
  field.only('kind', 'name', 'output', 'input', 'inputShape', 'permutation')
  const input = field.get('input').integer(0, output - 1)
  const inputShape = parseShape(field.get('inputShape'))
  const count = elementCount(inputShape)
  const expected = elementCount(tensors[input]!.shape)
  if (count !== expected || count !== elementCount(tensors[output]!.shape))
    field.get('inputShape').fail(`${expected} elements, as input and output have`)
  const permutation = field
    .get('permutation')
    .items()
    .map((axis) => axis.integer(0, inputShape.length - 1))
  if (permutation.length !== inputShape.length || new Set(permutation).size !== inputShape.length)
    field.get('permutation').fail(`each of 0 to ${inputShape.length - 1} once`)
  const name = parseText(field.get('name'))
  return { kind: 'rearrange', name, output, input, inputShape, permutation }
}

function parseTable(field: Field, constants: Constants): Table {
  field.only('description', 'first', 'length')
  const length = field.get('length').integer(1, MAX_ELEMENTS)
  return {
    description: parseText(field.get('description')),
    first: field.get('first').integer(INT32_MIN, INT32_MAX - length),
    values: constants.int32(field, length),
  }
}

/** The claims of a node agree with each other and with its table. */
function checkTable(field: Field, node: AffineNode, tables: readonly Table[]): void {
  const table = tables[node.table] ?? field.get('table').fail(`one of ${tables.length} tables`)
  const { accumulator, quotient, requantize } = node
  const power = 2 ** requantize.shift
  const half = requantize.shift > 0 ? power / 2 : 0
  const quotientOf = (value: number) => {
    const scaled = value * requantize.multiplier + half
    if (!(Math.abs(scaled) < EXACT_LIMIT)) field.get('accumulator').fail('products below 2^52')
    return Math.floor(scaled / power)
  }
  const [min, max] = [quotientOf(accumulator.min), quotientOf(accumulator.max)]
  if (quotient.min !== min || quotient.max !== max)
    field.get('quotient').fail(`${min} to ${max}, which follows from the accumulator`)
  const last = table.first + table.values.length - 1
  if (quotient.min < table.first || quotient.max > last)
    field.get('quotient').fail(`quotients within the table, ${table.first} to ${last}`)
}

function parseImage(field: Field, tensors: readonly TensorInfo[]): ImageInfo {
  field.only('tensor', 'height', 'width', 'channels', 'range')
  const tensor = field.get('tensor').integer(0, tensors.length - 1)
  const height = field.get('height').integer(1, 2 ** 16)
  const width = field.get('width').integer(1, 2 ** 16)
  const channels = field.get('channels').oneOf(1, 3, 4)
  const { shape, min, max } = tensors[tensor]!
  if (elementCount(shape) !== height * width * channels)
    field.get('tensor').fail(`a tensor of ${height}×${width}×${channels} elements`)
  if (min < 0 || max > 255) field.get('tensor').fail('a tensor of values from 0 to 255')
  const [low, high, ...rest] = field.get('range').items()
  if (low === undefined || high === undefined || rest.length > 0)
    return field.get('range').fail('two numbers')
  if (!(low.number() < high.number())) field.get('range').fail('the lower number first')
  return { tensor, height, width, channels, range: [low.number(), high.number()] }
}

function parseSource(field: Field): ModelSource {
  field.only('onnxSha256', 'profile', 'toolVersion')
  return {
    onnxSha256: field.get('onnxSha256').hex(32),
    profile: parseText(field.get('profile')),
    toolVersion: parseText(field.get('toolVersion')),
  }
}

function parseShape(field: Field): readonly number[] {
  const shape = field.items().map((size) => size.integer(1, MAX_ELEMENTS))
  if (shape.length > 8 || elementCount(shape) > MAX_ELEMENTS)
    field.fail(`at most 8 axes and ${MAX_ELEMENTS} elements`)
  return shape
}

function parseRange(field: Field, limit: number): { readonly min: number; readonly max: number } {
  const min = field.get('min').integer(-limit, limit)
  return { min, max: field.get('max').integer(min, limit) }
}

/** Text is printed on terminals: it is short and holds no control characters. */
function parseText(field: Field): string {
  const text = field.text()
  return isPlainText(text) ? text : field.fail(`at most ${MAX_TEXT} characters, none a control`)
}

function isPlainText(text: string): boolean {
  return text.length <= MAX_TEXT && !/\p{Cc}/u.test(text)
}
