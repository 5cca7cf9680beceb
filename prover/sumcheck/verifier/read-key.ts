import { hexToBytes } from '@noble/curves/utils.js'
import type {
  BlockDescriptor,
  ConditionDescriptor,
  NodeDescriptor,
  SumcheckDescriptor,
  TermDescriptor,
  WeightDescriptor,
} from '../../../circuits/sumcheck/descriptor.js'
import { checkKey } from './check-key.js'
import { type G1, type G2, readG1, readG2 } from './read-points.js'
import { ensure, reject } from './reject.js'

/** A checked key. */
export type VerifierKey = SumcheckDescriptor & {
  /** Commitments of the key group. */
  readonly points: readonly G1[]
  readonly tau: G2
}

type Json = { readonly [name: string]: unknown }

function object(value: unknown, ...names: readonly string[]): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) reject('key: object')
  const found = Object.keys(value)
  ensure(
    found.length === names.length && names.every((name) => found.includes(name)),
    `key: expected members ${names.join(', ')}`,
  )
  return value as Json
}

function integer(value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max)
    return value
  return reject(`key: expected an integer from ${min} to ${max}, found ${String(value)}`)
}

function list<T>(value: unknown, read: (item: unknown) => T, most = 1 << 20): T[] {
  if (!Array.isArray(value) || value.length > most) reject('key: list')
  return Array.from(value, (item) => read(item))
}

const LIMIT = 2 ** 52 - 1
const index = (value: unknown) => integer(value, 0, 2 ** 40)
const bits = (value: unknown) => integer(value, 0, 32)
const indices = (value: unknown) => list(value, index, 64)

function hexBytes(value: unknown, bytes: number): Uint8Array {
  ensure(
    typeof value === 'string' && value.length === 2 + 2 * bytes && /^0x[0-9a-f]*$/.test(value),
    'key: hex',
  )
  return hexToBytes(value.slice(2))
}

/**
 * Reads a key and refuses every one of `docs/protocol.md` §3.6.
 *
 * @throws {Rejection}
 */
export function readKey(value: unknown): VerifierKey {
  const conditions = hasConditions(value) ? ['conditions'] : []
  const root = object(
    value,
    ...conditions,
    'format',
    'version',
    'modelId',
    'columnBits',
    'limbBits',
    'limbs',
    'columns',
    'activation',
    'copy',
    'table',
    'latent',
    'image',
    'blocks',
    'nodes',
    'segments',
    'commitments',
    'tauG2',
  )
  ensure(root.format === 'platemark-sumcheck-key' && root.version === 2, 'key: format')
  ensure(typeof root.modelId === 'string', 'key: modelId')
  const columns = object(root.columns, 'first', 'second', 'key')
  const activation = object(root.activation, 'bits', 'quotient', 'output', 'limbs', 'inverses')
  const copy = root.copy === null ? null : object(root.copy, 'bits', 'offset')
  const table = object(root.table, 'bits', 'multiplicity', 'inverse', 'output')
  const latent = object(root.latent, 'dimensions', 'table')
  const image = object(
    root.image,
    'binding',
    'height',
    'width',
    'channels',
    'block',
    'rowAxes',
    'columnAxes',
    'channelAxes',
  )
  const { binding } = image
  if (binding !== 'pixels' && binding !== 'commitment') reject('key: image binding')
  const point = (item: unknown) => readG1(hexBytes(item, 64)) ?? reject('key: commitment')
  const key: VerifierKey = {
    format: 'platemark-sumcheck-key',
    version: 2,
    modelId: root.modelId,
    columnBits: integer(root.columnBits, 2, 28),
    limbBits: integer(root.limbBits, 1, 16),
    limbs: integer(root.limbs, 0, 4),
    columns: {
      first: integer(columns.first, 1, 1024),
      second: integer(columns.second, 1, 1024),
      key: integer(columns.key, 1, 1024),
    },
    activation: {
      bits: bits(activation.bits),
      quotient: index(activation.quotient),
      output: index(activation.output),
      limbs: indices(activation.limbs),
      inverses: indices(activation.inverses),
    },
    copy: copy === null ? null : { bits: bits(copy.bits), offset: index(copy.offset) },
    table: {
      bits: bits(table.bits),
      multiplicity: index(table.multiplicity),
      inverse: index(table.inverse),
      output: index(table.output),
    },
    latent: {
      dimensions: integer(latent.dimensions, 1, 1 << 16),
      table: list(latent.table, (item) => integer(item, -LIMIT, LIMIT), 256),
    },
    ...(conditions.length === 0 ? {} : { conditions: list(root.conditions, readCondition, 16) }),
    image: {
      binding,
      height: index(image.height),
      width: index(image.width),
      channels: index(image.channels),
      block: index(image.block),
      rowAxes: indices(image.rowAxes),
      columnAxes: indices(image.columnAxes),
      channelAxes: indices(image.channelAxes),
    },
    blocks: list(root.blocks, readBlock, 4096),
    nodes: list(root.nodes, readNode, 4096),
    segments: list(root.segments, (item) => {
      const segment = object(item, 'offset', 'bits', 'first')
      return {
        offset: index(segment.offset),
        bits: integer(segment.bits, 0, 28),
        first: integer(segment.first, -LIMIT, LIMIT),
      }
    }),
    points: list(root.commitments, point, 1024),
    tau: readG2(hexBytes(root.tauG2, 128)) ?? reject('key: tauG2'),
  }
  checkKey(key)
  return key
}

function hasConditions(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'conditions' in value
}

function readCondition(value: unknown): ConditionDescriptor {
  if (typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'label') {
    const label = object(value, 'kind', 'classes')
    return { kind: 'label', classes: integer(label.classes, 2, 1 << 16) }
  }
  const vector = object(value, 'kind', 'dimensions', 'table')
  ensure(vector.kind === 'vector', 'key: kind')
  return {
    kind: 'vector',
    dimensions: integer(vector.dimensions, 1, 1 << 16),
    table: list(vector.table, (item) => integer(item, -LIMIT, LIMIT), 256),
  }
}

function readBlock(value: unknown): BlockDescriptor {
  const block = object(value, 'space', 'offset', 'axes')
  const { space } = block
  if (space !== 'latent' && space !== 'condition' && space !== 'activation' && space !== 'copy')
    reject('key: space')
  return {
    space,
    offset: index(block.offset),
    axes: list(block.axes, (item) => integer(item, 2, 2 ** 28), 32),
  }
}

function readNode(value: unknown): NodeDescriptor {
  if (typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'copy') {
    const node = object(value, 'kind', 'output', 'input', 'inputAxes')
    return {
      kind: 'copy',
      output: index(node.output),
      input: index(node.input),
      inputAxes: indices(node.inputAxes),
    }
  }
  const node = object(
    value,
    'kind',
    'output',
    'table',
    'limbs',
    'multiplier',
    'shift',
    'bias',
    'terms',
  )
  ensure(node.kind === 'affine', 'key: kind')
  const bias = node.bias === null ? null : object(node.bias, 'offset', 'axes')
  return {
    kind: 'affine',
    output: index(node.output),
    table: index(node.table),
    limbs: list(node.limbs, (item) => integer(item, -1, 1 << 16), 4),
    multiplier: integer(node.multiplier, 1, LIMIT),
    shift: integer(node.shift, 0, 64),
    bias: bias === null ? null : { offset: index(bias.offset), axes: indices(bias.axes) },
    terms: list(node.terms, readTerm, 4096),
  }
}

function readTerm(value: unknown): TermDescriptor {
  const term = object(
    value,
    'input',
    'weight',
    'outputAxes',
    'rowAxes',
    'groupAxes',
    'contractAxes',
    'kernel',
    'spatial',
  )
  const pair = (item: unknown): readonly [number, number] => {
    const [a, b, ...more] = indices(item)
    if (a === undefined || b === undefined || more.length > 0) return reject('key: pair')
    return [a, b]
  }
  return {
    input: index(term.input),
    weight: readWeight(term.weight),
    outputAxes: indices(term.outputAxes),
    rowAxes: list(term.rowAxes, pair, 64),
    groupAxes: list(term.groupAxes, pair, 64),
    contractAxes: indices(term.contractAxes),
    kernel: pair(term.kernel),
    spatial: list(
      term.spatial,
      (item) => {
        const axis = object(
          item,
          'output',
          'input',
          'kernelAxis',
          'stride',
          'dilation',
          'pad',
          'transposed',
        )
        ensure(typeof axis.transposed === 'boolean', 'key: transposed')
        return {
          output: indices(axis.output),
          input: indices(axis.input),
          kernelAxis: integer(axis.kernelAxis, 0, 1),
          stride: integer(axis.stride, 1, 2 ** 20 - 1),
          dilation: integer(axis.dilation, 1, 2 ** 20 - 1),
          pad: integer(axis.pad, 1 - 2 ** 20, 2 ** 20 - 1),
          transposed: axis.transposed,
        }
      },
      2,
    ),
  }
}

function readWeight(value: unknown): WeightDescriptor {
  if (typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'tensor') {
    const weight = object(value, 'kind', 'block', 'axes')
    return { kind: 'tensor', block: index(weight.block), axes: indices(weight.axes) }
  }
  const weight = object(value, 'kind', 'offset')
  ensure(weight.kind === 'constant', 'key: kind')
  return { kind: 'constant', offset: index(weight.offset) }
}
