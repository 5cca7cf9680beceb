import { bn254 } from '@noble/curves/bn254.js'
import { hexToBytes } from '@noble/curves/utils.js'
import type {
  BlockDescriptor,
  NodeDescriptor,
  SumcheckDescriptor,
  TermDescriptor,
} from '../../../circuits/sumcheck/descriptor.js'
import { type G1, type G2, readG1, readG2 } from './read-points.js'
import { ensure, reject } from './reject.js'
import { bitsOf } from './scalar-field.js'

/** A checked key. */
export type VerifierKey = SumcheckDescriptor & {
  readonly tablePoints: readonly G1[]
  readonly weightPoints: readonly G1[]
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
  return value.map((item) => read(item))
}

const LIMIT = 2 ** 52 - 1
const index = (value: unknown) => integer(value, 0, 2 ** 40)
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
  const root = object(
    value,
    'format',
    'version',
    'modelId',
    'columnBits',
    'limbBits',
    'limbs',
    'columns',
    'latent',
    'image',
    'blocks',
    'nodes',
    'segments',
    'commitments',
    'tauG2',
  )
  ensure(root.format === 'platemark-sumcheck-key' && root.version === 1, 'key: format')
  ensure(typeof root.modelId === 'string', 'key: modelId')
  const columns = object(root.columns, 'activation', 'copy', 'table', 'weight')
  const latent = object(root.latent, 'dimensions', 'table')
  const image = object(
    root.image,
    'height',
    'width',
    'channels',
    'block',
    'rowAxes',
    'columnAxes',
    'channelAxes',
  )
  const commitments = object(root.commitments, 'table', 'weight')
  const point = (item: unknown) => readG1(hexBytes(item, 64)) ?? reject('key: commitment')
  const key: VerifierKey = {
    format: 'platemark-sumcheck-key',
    version: 1,
    modelId: root.modelId,
    columnBits: integer(root.columnBits, 2, 28),
    limbBits: integer(root.limbBits, 1, 16),
    limbs: integer(root.limbs, 0, 4),
    columns: {
      activation: integer(columns.activation, 1, 64),
      copy: integer(columns.copy, 0, 64),
      table: integer(columns.table, 1, 64),
      weight: integer(columns.weight, 0, 1024),
    },
    latent: {
      dimensions: integer(latent.dimensions, 1, 1 << 16),
      table: list(latent.table, (item) => integer(item, -LIMIT, LIMIT), 256),
    },
    image: {
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
    tablePoints: list(commitments.table, point),
    weightPoints: list(commitments.weight, point),
    tau: readG2(hexBytes(root.tauG2, 128)) ?? reject('key: tauG2'),
  }
  checkKey(key)
  return key
}

function readBlock(value: unknown): BlockDescriptor {
  const block = object(value, 'space', 'offset', 'axes')
  const { space } = block
  if (space !== 'latent' && space !== 'activation' && space !== 'copy') reject('key: space')
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
    terms: list(node.terms, readTerm, 64),
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
    weight: index(term.weight),
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
          pad: integer(axis.pad, -(2 ** 20), 2 ** 20 - 1),
          transposed: axis.transposed,
        }
      },
      2,
    ),
  }
}

/** Bits of a block or of some of its axes. */
export function blockBits(block: BlockDescriptor, axes?: readonly number[]): number {
  const sizes = axes === undefined ? block.axes : axes.map((axis) => block.axes[axis]!)
  return sizes.reduce((sum, size) => sum + bitsOf(size), 0)
}

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)

function isPartition(axes: readonly number[], count: number): boolean {
  return axes.length === count && new Set(axes).size === count && axes.every((axis) => axis < count)
}

function checkKey(key: VerifierKey): void {
  const rows = 2 ** key.columnBits
  const aligned = (offset: number, bits: number, limit: number) =>
    bits <= 34 && offset % 2 ** bits === 0 && offset + 2 ** bits <= limit
  ensure(key.latent.table.length === 256, 'key: latent table')
  ensure(key.nodes.length + 1 === key.blocks.length, 'key: one node a block')
  key.blocks.forEach((block, i) => {
    ensure((block.space === 'latent') === (i === 0), 'key: first block')
    if (block.space === 'latent')
      ensure(
        block.offset === 0 && product(block.axes) === key.latent.dimensions,
        'key: latent block',
      )
    else
      ensure(
        aligned(block.offset, blockBits(block), key.columns[block.space] * rows),
        'key: block offset',
      )
  })
  for (const { offset, bits } of key.segments)
    ensure(aligned(offset, bits, key.columns.table * rows - 1), 'key: segment offset')
  key.nodes.forEach((node, i) => {
    ensure(node.output === i + 1, 'key: node output')
    const block = key.blocks[i + 1]!
    if (node.kind === 'copy') {
      ensure(block.space === 'copy' && node.input <= i, 'key: copy')
      const from = key.blocks[node.input]!
      ensure(isPartition(node.inputAxes, from.axes.length), 'key: copy axes')
      ensure(product(from.axes) === product(block.axes), 'key: copy size')
      return
    }
    ensure(block.space === 'activation', 'key: affine block')
    checkAffine(key, node, block, i, aligned)
  })
  const { image } = key
  ensure(image.block > 0 && image.block < key.blocks.length, 'key: image block')
  const block = key.blocks[image.block]!
  const { rowAxes, columnAxes, channelAxes } = image
  ensure(
    isPartition([...rowAxes, ...columnAxes, ...channelAxes], block.axes.length),
    'key: image axes',
  )
  const size = (axes: readonly number[]) => product(axes.map((axis) => block.axes[axis]!))
  ensure(
    size(rowAxes) === image.height &&
      size(columnAxes) === image.width &&
      size(channelAxes) === image.channels,
    'key: image size',
  )
  ensure(
    key.tablePoints.length === key.columns.table && key.weightPoints.length === key.columns.weight,
    'key: number of commitments',
  )
}

function checkAffine(
  key: VerifierKey,
  node: Extract<NodeDescriptor, { kind: 'affine' }>,
  block: BlockDescriptor,
  i: number,
  aligned: (offset: number, bits: number, limit: number) => boolean,
): void {
  const weightRows = key.columns.weight * 2 ** key.columnBits
  ensure(node.table < key.segments.length, 'key: table')
  ensure(node.limbs.length === key.limbs, 'key: limbs')
  ensure(node.shift <= key.limbs * key.limbBits, 'key: shift')
  node.limbs.forEach((limb, l) => {
    const bits = Math.min(key.limbBits, Math.max(0, node.shift - l * key.limbBits))
    const segment = key.segments[limb]
    ensure(
      bits === 0 ? limb === -1 : segment?.bits === bits && segment.first === 0,
      'key: limb segment',
    )
  })
  if (node.bias !== null) {
    const { axes, offset } = node.bias
    ensure(
      new Set(axes).size === axes.length && axes.every((axis) => axis < block.axes.length),
      'key: bias axes',
    )
    ensure(aligned(offset, blockBits(block, axes), weightRows), 'key: bias offset')
  }
  for (const term of node.terms) {
    ensure(term.input <= i, 'key: term input')
    const input = key.blocks[term.input]!
    const pairs = [...term.rowAxes, ...term.groupAxes]
    for (const [o, u] of pairs)
      ensure(
        block.axes[o] !== undefined && block.axes[o] === input.axes[u],
        'key: paired axes differ',
      )
    ensure(
      isPartition(
        [
          ...term.outputAxes,
          ...pairs.map(([o]) => o),
          ...term.spatial.flatMap(({ output }) => output),
        ],
        block.axes.length,
      ) &&
        isPartition(
          [
            ...term.contractAxes,
            ...pairs.map(([, u]) => u),
            ...term.spatial.flatMap((axis) => axis.input),
          ],
          input.axes.length,
        ),
      'key: roles of axes',
    )
    const order = term.spatial.map(({ kernelAxis }) => kernelAxis)
    ensure(order.length < 2 || order[0]! < order[1]!, 'key: order of spatial axes')
    term.kernel.forEach((size, axis) => {
      ensure(size >= 1 && size <= 4096 && (size === 1 || order.includes(axis)), 'key: kernel')
    })
    const bits =
      blockBits(block, [...term.outputAxes, ...term.groupAxes.map(([o]) => o)]) +
      blockBits(input, term.contractAxes) +
      bitsOf(product(term.kernel))
    ensure(aligned(term.weight, bits, weightRows), 'key: weight offset')
  }
}

/** G1's generator. */
export const G1_BASE: G1 = bn254.G1.Point.BASE
