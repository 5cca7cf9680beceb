import { type Hex, hexToBytes } from 'viem'
import { axisBits } from '../circuits/sumcheck/axes.js'
import type {
  BlockDescriptor,
  ConditionDescriptor,
  NodeDescriptor,
  SumcheckDescriptor,
  TermDescriptor,
} from '../circuits/sumcheck/descriptor.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { writeWire } from './encode-wire.js'
import { Prefixes } from './key-prefixes.js'
import {
  bitsOf,
  type Digit,
  isPowerOfTwo,
  joined,
  KEY_SPACE,
  LATENT_SPACE,
  MOST_LOW_BITS,
  product,
  type Slice,
  type Slots,
  take,
  total,
  Writer,
} from './key-writer.js'

/** The key file's content, checked. */
export type SumcheckKeyFile = SumcheckDescriptor & {
  readonly commitments: readonly Hex[]
  readonly tauG2: Hex
}

/** `n_C` of a key without copies. */
const NO_COPY = 255

/**
 * Writes a key for the contract `SumcheckVerifier`, as `SumcheckKey.sol` describes. The contract trusts what
 * it is given, so the key must be one that `readKey` does not refuse.
 *
 * @param key - content of the key file
 * @param digest - keccak-256 of its RFC 8785 text
 * @throws {PlatemarkError} for keys with more columns, terms or challenges than the contract counts.
 * @example
 * encodeSumcheckKey(key, keyDigest(key)).length // some 2,000 bytes
 */
export function encodeSumcheckKey(key: SumcheckKeyFile, digest: Uint8Array): Uint8Array {
  const { activation, table, copy, image, columns, limbs } = key
  const slots = slotsOf(key)
  const terms = key.nodes.reduce((n, node) => n + (node.kind === 'copy' ? 1 : node.terms.length), 0)
  const head = new Writer()
  head.bytes(digest)
  head.bytes(hexToBytes(key.tauG2))
  for (const value of [
    key.columnBits,
    (image.binding === 'commitment' ? 1 : 0) + (key.conditions === undefined ? 0 : 2),
    columns.first,
    columns.second,
    columns.key,
    limbs,
    key.limbBits,
    activation.bits,
    copy === null ? NO_COPY : copy.bits,
    table.bits,
    slots.phaseOne,
    slots.phaseTwo,
    slots.rEnd,
  ])
    head.number(value, 1)
  for (const value of [terms, image.height, image.width, image.channels, key.latent.dimensions])
    head.number(value, 2)
  const regions = new Writer()
  for (const [offset, bits] of [
    ...[activation.quotient, activation.output, ...activation.limbs, ...activation.inverses].map(
      (at) => [at, activation.bits] as const,
    ),
    ...[table.multiplicity, table.inverse, table.output].map((at) => [at, table.bits] as const),
    ...(copy === null ? [] : [[copy.offset, copy.bits] as const]),
  ]) {
    regions.number(Math.floor(offset / 2 ** key.columnBits), 1)
    regions.number(slots.prefixes.of(offset, 0, key.columnBits, bits), 2)
  }
  const before = [
    writeSegments(key, slots),
    writeLatent(key),
    writeImage(key, slots),
    writeNodes(key, slots),
  ]
  const commitments = new Writer()
  for (const point of key.commitments) commitments.bytes(hexToBytes(point))
  // Prefixes are known when everything else is written.
  const prefixes = new Writer()
  slots.prefixes.write(prefixes, key.columnBits)
  const sPrefixes = new Writer()
  sPrefixes.number(slots.sPrefixes.variables, 1)
  slots.sPrefixes.write(sPrefixes, slots.sPrefixes.variables)
  const sections = [...before, commitments, prefixes, sPrefixes].map((section) => section.content())
  let start = head.length + 2 * sections.length + regions.length
  for (const section of sections) {
    head.number(start, 2)
    start += section.length
  }
  head.bytes(regions.content())
  for (const section of sections) head.bytes(section)
  if (key.conditions !== undefined) {
    head.bytes(writeConditions(key, key.conditions))
    head.number(start, 2)
  }
  return head.content()
}

/** Bits of the region that blocks of a space lie in; those of the key group lie in whole columns. */
function regionBits(key: SumcheckDescriptor, space: number): number {
  if (space === KEY_SPACE) return key.columnBits
  return { 0: 0, 1: key.activation.bits, 2: key.copy?.bits ?? 0 }[space]!
}
const spaceOf = ({ space }: BlockDescriptor) =>
  ({ latent: LATENT_SPACE, condition: LATENT_SPACE, activation: 1, copy: 2 })[space]

/** The digits of a block whose point starts at a slot. */
function digitsAt(block: BlockDescriptor, start: number): readonly Digit[] {
  let slot = start
  return block.axes.map((axis) => {
    const digit = { slot, bits: axisBits(axis), size: axis }
    slot += digit.bits
    return digit
  })
}

function phaseOneSizes(key: SumcheckDescriptor, term: TermDescriptor): readonly number[] {
  const { axes } = key.blocks[term.input]!
  return [
    ...term.groupAxes.map(([, u]) => axes[u]!),
    ...term.contractAxes.map((u) => axes[u]!),
    product(term.kernel),
  ]
}

function phaseTwoSizes(key: SumcheckDescriptor, term: TermDescriptor): readonly number[] {
  const { axes } = key.blocks[term.input]!
  return [
    ...term.groupAxes.map(([, u]) => axes[u]!),
    ...term.spatial.flatMap((axis) => axis.input.map((u) => axes[u]!)),
  ]
}

function slotsOf(key: SumcheckDescriptor): Slots {
  const most = (count: (node: NodeDescriptor) => number) => Math.max(0, ...key.nodes.map(count))
  const phaseOne = most((node) =>
    node.kind === 'copy'
      ? 0
      : Math.max(0, ...node.terms.map((term) => bitsOf(phaseOneSizes(key, term)))),
  )
  const phaseTwo = most((node) =>
    node.kind === 'copy'
      ? bitsOf(key.blocks[node.input]!.axes)
      : Math.max(0, ...node.terms.map((term) => bitsOf(phaseTwoSizes(key, term)))),
  )
  const rEnd = Math.max(0, ...key.nodes.map(({ output }) => bitsOf(key.blocks[output]!.axes)))
  const sEnd = rEnd + phaseOne + phaseTwo + Math.max(key.activation.bits, key.table.bits)
  const zero = sEnd + Math.max(0, rEnd - key.columnBits) + key.columnBits
  if (rEnd === 0)
    throw new PlatemarkError('The Solidity verifier cannot hold this key.', {
      expected: 'a model of more than one activation',
    })
  const lookups = Math.max(key.activation.bits, key.table.bits)
  return {
    phaseOne,
    phaseTwo,
    rEnd,
    a: rEnd,
    b: rEnd + phaseOne,
    zero,
    columnBits: key.columnBits,
    lookups,
    prefixes: new Prefixes(),
    sPrefixes: new Prefixes(),
  }
}

function writeSegments(key: SumcheckDescriptor, { lookups, sPrefixes }: Slots): Writer {
  const to = new Writer()
  to.list(key.segments, ({ bits, offset, first }) => {
    to.number(bits, 1)
    to.number(sPrefixes.of(offset, lookups - key.table.bits, key.table.bits, bits), 2)
    to.number(first, 8)
  })
  return to
}

function writeLatent(key: SumcheckDescriptor): Writer {
  return writeByteTable(key.blocks[0]!, key.latent.table)
}

/** What each byte of a latent or a vector stands for, and where its element is in the block. */
function writeByteTable(block: BlockDescriptor, table: readonly number[]): Writer {
  const to = new Writer()
  const smallest = Math.min(...table)
  const width = Math.max(1, Math.ceil(axisBits(Math.max(...table) - smallest + 1) / 8))
  const digits = [...digitsAt(block, 0)]
  // The last few bits of the index apart, so that two small tables do for a large one. That needs rows of
  // equal length, all but the last of them.
  const last = digits.pop()
  const splits = last !== undefined && (digits.length === 0 || isPowerOfTwo(last.size))
  const low = splits ? Math.min(MOST_LOW_BITS, last.bits) : 0
  if (last !== undefined)
    digits.push({ ...last, bits: last.bits - low, size: Math.ceil(last.size / 2 ** low) })
  to.digits(digits)
  to.number(last === undefined ? 0 : last.slot + last.bits - low, 1)
  to.number(low, 1)
  to.number(smallest, 8)
  to.number(width, 1)
  for (const value of table) to.number(value - smallest, width)
  return to
}

function writeConditions(
  key: SumcheckDescriptor,
  conditions: readonly ConditionDescriptor[],
): Uint8Array {
  const to = new Writer()
  let index = 0
  to.list(conditions, (condition) => {
    const block = key.blocks[++index]!
    let rest = new Writer()
    if (condition.kind === 'label') rest.digits(digitsAt(block, 0))
    else rest = writeByteTable(block, condition.table)
    to.number(condition.kind === 'label' ? 0 : 1, 1)
    to.number(condition.kind === 'label' ? condition.classes : condition.dimensions, 3)
    to.number(rest.length, 2)
    to.bytes(rest.content())
  })
  return to.content()
}

/** Bytes in a word of packed pixels. */
const WORD_BYTES = 16

/** A factor Σ_{d < size} z^{exponent·d}·eq(d, ·) of the image's weights. */
type Factor = Digit & { readonly exponent: number }

function writeImage(key: SumcheckDescriptor, slots: Slots): Writer {
  const to = new Writer()
  const { image } = key
  const block = key.blocks[image.block]!
  const bits = bitsOf(block.axes)
  const digits = digitsAt(block, slots.zero - bits)
  const pick = (axes: readonly number[]) => axes.map((axis) => digits[axis]!)
  const [rows, columns, channels] = [image.rowAxes, image.columnAxes, image.channelAxes].map(
    pick,
  ) as [Digit[], Digit[], Digit[]]
  placeOf(to, key, slots, block)
  const factors = (own: readonly Digit[], step: number): readonly Factor[] => {
    let exponent = step
    return [...own].reverse().map((digit) => {
      const factor = { ...digit, exponent }
      exponent *= digit.size
      return factor
    })
  }
  const write = (all: readonly Factor[]) =>
    to.list(all, ({ exponent, size, slot, bits: own }) => {
      to.number(exponent, 4)
      to.number(size, 4)
      to.number(slot, 1)
      to.number(own, 1)
    })
  const row = image.width * image.channels
  if (image.binding === 'commitment') {
    write([...factors(rows, row), ...factors(columns, image.channels), ...factors(channels, 1)])
    return to
  }
  const index = contiguous([...columns, ...channels])
  if (index !== undefined && index.bits >= axisBits(WORD_BYTES)) {
    write(factors(rows, Math.ceil(row / WORD_BYTES)))
    to.number(1, 1)
    to.number(index.slot, 1)
    to.number(index.bits, 1)
    to.number(index.size, 4)
    return to
  }
  const { low, high, period } = splitColumns(columns, image.channels)
  write([
    ...factors(rows, Math.ceil(row / WORD_BYTES)),
    ...factors(high, (period * image.channels) / WORD_BYTES),
  ])
  to.number(0, 1)
  to.digits(low)
  to.digits(channels)
  return to
}

/** Digits as one, if they lie side by side and its bits are those of the composite index. */
function contiguous(digits: readonly Digit[]): Digit | undefined {
  const [first, ...rest] = digits
  if (first === undefined || rest.some(({ size }) => !isPowerOfTwo(size))) return undefined
  const slices = joined(digits)
  return slices.length === 1
    ? { ...slices[0]!, size: product(digits.map(({ size }) => size)) }
    : undefined
}

/**
 * The innermost digits of the columns up to where a column starts with a word: `period` columns. What is
 * further out multiplies by a power of z only.
 */
function splitColumns(columns: readonly Digit[], channels: number) {
  const high = [...columns]
  const low: Digit[] = []
  let period = 1
  while (high.length > 0 && (period * channels) % WORD_BYTES !== 0) {
    const digit = high.pop()!
    let bits = digit.bits
    if (isPowerOfTwo(digit.size))
      for (bits = 0; (period * 2 ** bits * channels) % WORD_BYTES !== 0 && bits < digit.bits; )
        bits++
    const inner = bits === digit.bits ? digit.size : 2 ** bits
    low.unshift({ slot: digit.slot + digit.bits - bits, bits, size: inner })
    if (bits < digit.bits)
      high.push({ slot: digit.slot, bits: digit.bits - bits, size: digit.size / inner })
    period *= inner
  }
  return { low, high, period }
}

function writeNodes(key: SumcheckDescriptor, slots: Slots): Writer {
  const to = new Writer()
  to.number(key.nodes.length, 2)
  key.nodes.forEach((node) => {
    const output = key.blocks[node.output]!
    if (node.kind === 'copy') writeCopy(to, key, slots, node, output)
    else writeAffine(to, key, slots, node, output)
  })
  return to
}

function placeOf(to: Writer, key: SumcheckDescriptor, slots: Slots, block: BlockDescriptor): void {
  const space = spaceOf(block)
  if (block.space === 'condition') {
    // The column is the block.
    for (const value of [space, key.blocks.indexOf(block), 0, 0, bitsOf(block.axes)])
      to.number(value, 1)
    return
  }
  to.place(slots, space, block.offset, bitsOf(block.axes), regionBits(key, space))
}

function writeCopy(
  to: Writer,
  key: SumcheckDescriptor,
  slots: Slots,
  node: Extract<NodeDescriptor, { kind: 'copy' }>,
  output: BlockDescriptor,
): void {
  const bits = bitsOf(output.axes)
  const input = key.blocks[node.input]!
  to.number(1, 1)
  to.number(bits, 1)
  to.columnAndPrefix(slots, output.offset, bits, regionBits(key, spaceOf(output)))
  placeOf(to, key, slots, input)
  to.digits(digitsAt(output, slots.rEnd - bits))
  const inputs = digitsAt(input, slots.b)
  to.digits(node.inputAxes.map((axis) => inputs[axis]!))
}

function writeAffine(
  to: Writer,
  key: SumcheckDescriptor,
  slots: Slots,
  node: Extract<NodeDescriptor, { kind: 'affine' }>,
  output: BlockDescriptor,
): void {
  const bits = bitsOf(output.axes)
  const r = digitsAt(output, slots.rEnd - bits)
  to.number(0, 1)
  const { lookups, sPrefixes } = slots
  const { bits: region } = key.activation
  to.number(bits, 1)
  to.columnAndPrefix(slots, output.offset, bits, region)
  to.number(sPrefixes.of(output.offset, lookups - region, region, bits), 2)
  to.number(node.shift, 1)
  to.number(node.multiplier, 7)
  for (const tag of [node.table, ...node.limbs]) to.number(tag + 1, 2)
  to.digits(digitsAt(output, 0).filter(({ size }) => !isPowerOfTwo(size)))
  if (node.bias === null) to.number(0, 1)
  else {
    const { axes, offset } = node.bias
    const inside = axes.map((axis) => r[axis]!)
    to.place(slots, KEY_SPACE, offset, total(inside), key.columnBits)
    to.point(slots, KEY_SPACE, inside)
    // Where no axis of the bias can be invalid, its mask is that of the node.
    const masked = inside.every(({ size }) => isPowerOfTwo(size))
    to.number(masked ? 1 : 0, 1)
    if (!masked)
      to.digits(r.filter(({ size }, axis) => !axes.includes(axis) && !isPowerOfTwo(size)))
  }
  to.list(node.terms, (term) => writeTerm(to, key, slots, term, r))
}

function writeTerm(
  to: Writer,
  key: SumcheckDescriptor,
  slots: Slots,
  term: TermDescriptor,
  r: readonly Digit[],
): void {
  const input = key.blocks[term.input]!
  const ones = take(slots.a, phaseOneSizes(key, term))
  const twos = take(slots.b, phaseTwoSizes(key, term))
  const groups = term.groupAxes.map(([y, u], i) => ({ y, u, a: ones[i]!, b: twos[i]! }))
  const contracted = term.contractAxes.map((u, i) => ({ u, a: ones[groups.length + i]! }))
  const kernel = ones.at(-1)!

  const outputs = term.outputAxes.map((axis) => r[axis]!)
  const own = [...outputs, ...groups.map(({ a }) => a), ...contracted.map(({ a }) => a)]
  if (term.weight.kind === 'constant') {
    const slices = [...own, kernel]
    to.place(slots, KEY_SPACE, term.weight.offset, total(slices), key.columnBits)
    to.point(slots, KEY_SPACE, slices)
  } else {
    const block = key.blocks[term.weight.block]!
    const slices: Slice[] = []
    term.weight.axes.forEach((axis, i) => {
      slices[axis] = own[i]!
    })
    placeOf(to, key, slots, block)
    to.point(slots, spaceOf(block), slices)
  }
  to.number(total(ones), 1)

  const point: Slice[] = []
  for (const { u, b } of groups) point[u] = b
  for (const { u, a } of contracted) point[u] = a
  for (const [y, u] of term.rowAxes) point[u] = r[y]!
  let next = groups.length
  for (const axis of term.spatial) for (const u of axis.input) point[u] = twos[next++]!
  placeOf(to, key, slots, input)
  to.point(slots, spaceOf(input), point)
  to.number(total(twos), 1)
  const inputDigit = (u: number): Digit => ({ ...point[u]!, size: input.axes[u]! })
  const slices = groups.map(({ y, a, b }) => ({ r: r[y]!, a, b }))
  writeWire(to, slots.zero, term, slices, kernel, r, inputDigit)
}
