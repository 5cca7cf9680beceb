import type { NodeDescriptor, TermDescriptor } from '../../../circuits/sumcheck/descriptor.js'
import type { VerifierKey } from './read-key.js'
import { blockBits, publicBlocks, type Region, regionsOf } from './regions.js'
import { ensure } from './reject.js'
import { bitsOf } from './scalar-field.js'

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)

function isPartition(axes: readonly number[], count: number): boolean {
  return axes.length === count && new Set(axes).size === count && axes.every((axis) => axis < count)
}

/** Is [offset, offset + 2^bits) a run of whole 2^bits below `limit`? */
function fits(offset: number, bits: number, limit: number): boolean {
  return offset % 2 ** bits === 0 && offset + 2 ** bits <= limit
}

type Run = { readonly offset: number; readonly bits: number }

function disjoint(runs: readonly Run[]): boolean {
  const sorted = [...runs].sort((a, b) => a.offset - b.offset)
  return sorted.every(({ offset }, i) => {
    const before = sorted[i - 1]
    return before === undefined || before.offset + 2 ** before.bits <= offset
  })
}

/**
 * Refuses every key of `docs/protocol.md` §3.6.
 *
 * @throws {Rejection}
 */
export function checkKey(key: VerifierKey): void {
  ensure(key.points.length === key.columns.key, 'key: number of commitments')
  checkRegions(key)
  checkBlocks(key)
  ensure(key.latent.table.length === 256, 'key: latent table')
  ensure(key.conditions === undefined || key.conditions.length > 0, 'key: conditions')
  for (const condition of key.conditions ?? [])
    ensure(condition.kind === 'label' || condition.table.length === 256, 'key: condition table')
  for (const { offset, bits } of key.segments)
    ensure(fits(offset, bits, 2 ** key.table.bits - 1), 'key: segment offset')
  ensure(disjoint(key.segments), 'key: segments overlap')
  key.nodes.forEach((node, i) => {
    ensure(node.output === publicBlocks(key) + i, 'key: node output')
    if (node.kind === 'copy') checkCopy(key, node)
    else checkAffine(key, node)
  })
  checkImage(key)
}

function checkRegions(key: VerifierKey): void {
  const { limbs, inverses } = key.activation
  ensure(limbs.length === key.limbs && inverses.length === key.limbs + 1, 'key: number of regions')
  const { quotient, output, copy, multiplicity, tableInverse, tableOutput, ...lists } =
    regionsOf(key)
  const all = [
    ...[quotient, output, multiplicity, tableInverse, tableOutput],
    ...(copy === undefined ? [] : [copy]),
    ...lists.limbs,
    ...lists.inverses,
  ]
  for (const region of all) inGroup(key, region, 'key: region offset')
  for (const group of ['first', 'second', 'key'] as const)
    ensure(disjoint(all.filter((region) => region.group === group)), 'key: regions overlap')
}

function inGroup(key: VerifierKey, { group, offset, bits }: Region, reason: string): void {
  ensure(fits(offset, bits, key.columns[group] * 2 ** key.columnBits), reason)
}

/** A weight or bias: in the key group, off the table. */
function checkConstant(key: VerifierKey, run: Run, what: string): void {
  inGroup(key, { group: 'key', ...run }, `key: ${what} offset`)
  ensure(disjoint([run, regionsOf(key).tableOutput]), `key: ${what} overlaps the table`)
}

function checkBlocks(key: VerifierKey): void {
  const publics = publicBlocks(key)
  ensure(key.nodes.length + publics === key.blocks.length, 'key: one node a block')
  key.blocks.forEach((block, i) => {
    const isCondition = i > 0 && i < publics
    ensure((block.space === 'latent') === (i === 0), 'key: first block')
    ensure((block.space === 'condition') === isCondition, 'key: condition block')
    if (i === 0) {
      const elements = product(block.axes)
      ensure(block.offset === 0 && elements === key.latent.dimensions, 'key: latent block')
    } else if (isCondition) {
      const condition = key.conditions![i - 1]!
      const elements = condition.kind === 'label' ? condition.classes : condition.dimensions
      ensure(block.offset === 0 && product(block.axes) === elements, 'key: condition block')
    } else {
      const bits = block.space === 'copy' ? key.copy?.bits : key.activation.bits
      const limit = bits === undefined ? 0 : 2 ** bits
      ensure(fits(block.offset, blockBits(block), limit), 'key: block offset')
    }
  })
  for (const space of ['activation', 'copy']) {
    const own = key.blocks.filter((block) => block.space === space)
    const runs = own.map((block) => ({ offset: block.offset, bits: blockBits(block) }))
    ensure(disjoint(runs), 'key: blocks overlap')
  }
}

function checkCopy(key: VerifierKey, node: Extract<NodeDescriptor, { kind: 'copy' }>): void {
  const block = key.blocks[node.output]!
  ensure(block.space === 'copy' && node.input < node.output, 'key: copy')
  const from = key.blocks[node.input]!
  ensure(isPartition(node.inputAxes, from.axes.length), 'key: copy axes')
  ensure(product(from.axes) === product(block.axes), 'key: copy size')
}

function checkAffine(key: VerifierKey, node: Extract<NodeDescriptor, { kind: 'affine' }>): void {
  const block = key.blocks[node.output]!
  ensure(block.space === 'activation', 'key: affine block')
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
    checkConstant(key, { offset, bits: blockBits(block, axes) }, 'bias')
  }
  for (const term of node.terms) checkTerm(key, term, node.output)
}

function checkTerm(key: VerifierKey, term: TermDescriptor, output: number): void {
  const block = key.blocks[output]!
  ensure(term.input < output, 'key: term input')
  const input = key.blocks[term.input]!
  const pairs = [...term.rowAxes, ...term.groupAxes]
  for (const [o, u] of pairs)
    ensure(
      block.axes[o] !== undefined && block.axes[o] === input.axes[u],
      'key: paired axes differ',
    )
  const { outputAxes, contractAxes, spatial } = term
  const outputs = [...outputAxes, ...pairs.map(([o]) => o), ...spatial.flatMap((s) => s.output)]
  const inputs = [...contractAxes, ...pairs.map(([, u]) => u), ...spatial.flatMap((s) => s.input)]
  ensure(
    isPartition(outputs, block.axes.length) && isPartition(inputs, input.axes.length),
    'key: roles of axes',
  )
  const order = spatial.map(({ kernelAxis }) => kernelAxis)
  ensure(order.length < 2 || order[0]! < order[1]!, 'key: order of spatial axes')
  term.kernel.forEach((size, axis) => {
    ensure(size >= 1 && size <= 4096 && (size === 1 || order.includes(axis)), 'key: kernel')
  })
  const sizes = [
    ...[...outputAxes, ...term.groupAxes.map(([o]) => o)].map((axis) => block.axes[axis]!),
    ...contractAxes.map((axis) => input.axes[axis]!),
  ]
  const { weight } = term
  if (weight.kind === 'constant') {
    const bits = sizes.reduce((sum, size) => sum + bitsOf(size), bitsOf(product(term.kernel)))
    checkConstant(key, { offset: weight.offset, bits }, 'weight')
    return
  }
  ensure(weight.block < output, 'key: weight block')
  ensure(spatial.length === 0 && product(term.kernel) === 1, 'key: kernel of a tensor')
  const { axes } = key.blocks[weight.block]!
  ensure(
    weight.axes.length === sizes.length &&
      isPartition(weight.axes, axes.length) &&
      sizes.every((size, k) => axes[weight.axes[k]!] === size),
    'key: weight axes',
  )
}

function checkImage(key: VerifierKey): void {
  const { image } = key
  ensure(image.block >= publicBlocks(key) && image.block < key.blocks.length, 'key: image block')
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
}
