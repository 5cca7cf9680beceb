import { axisBits } from '../circuits/sumcheck/axes.js'
import type { SpatialDescriptor, TermDescriptor } from '../circuits/sumcheck/descriptor.js'
import {
  type Digit,
  isPowerOfTwo,
  joined,
  MOST_LOW_BITS,
  product,
  type Slice,
  total,
  type Writer,
} from './key-writer.js'

/** A group of a term's axes: slices of r, a and b. */
export type GroupSlices = { readonly r: Slice; readonly a: Slice; readonly b: Slice }

/**
 * Writes what a term's wire (`docs/protocol.md` §6.3) is computed by: its groups and its kernel.
 *
 * @param kernel - the kernel's slice of a
 * @param r - digits of the output block
 * @param inputDigit - digits of the input's spatial axes, in b
 */
export function writeWire(
  to: Writer,
  zero: number,
  term: Pick<TermDescriptor, 'kernel' | 'spatial'>,
  groups: readonly GroupSlices[],
  kernel: Slice,
  r: readonly Digit[],
  inputDigit: (axis: number) => Digit,
): void {
  to.list(groups, ({ r: y, a, b }) => {
    for (const value of [y.slot, a.slot, b.slot, b.bits]) to.number(value, 1)
  })
  writeKernel(to, zero, term, kernel, r, inputDigit)
}

function writeKernel(
  to: Writer,
  zero: number,
  term: Pick<TermDescriptor, 'kernel' | 'spatial'>,
  kernel: Slice,
  r: readonly Digit[],
  inputDigit: (axis: number) => Digit,
): void {
  const write = (kernelAxis: number) => {
    const entry = term.spatial.find((axis) => axis.kernelAxis === kernelAxis)
    if (entry === undefined) to.number(0, 1)
    else
      writeAxis(
        to,
        zero,
        entry,
        term.kernel[kernelAxis]!,
        entry.output.map((y) => r[y]!),
        entry.input.map(inputDigit),
      )
  }
  const [height, width] = term.kernel
  if (term.spatial.length === 0) to.number(0, 1)
  else if (isPowerOfTwo(width)) {
    // The index k_y·width + k_x is the digits side by side.
    const low = axisBits(width)
    const high = kernel.bits - low
    to.number(1, 1)
    for (const [slot, bits, count, axis] of [
      [kernel.slot, high, height, 0],
      [kernel.slot + high, low, width, 1],
    ] as const) {
      to.number(slot, 1)
      to.number(bits, 1)
      to.number(count, 2)
      write(axis)
    }
  } else {
    to.number(2, 1)
    to.number(kernel.slot, 1)
    to.number(kernel.bits, 1)
    to.number(height, 2)
    to.number(width, 2)
    write(0)
    write(1)
  }
}

/** The cheapest of three ways to sum over an axis: index by index, or bit by bit. */
function writeAxis(
  to: Writer,
  zero: number,
  axis: SpatialDescriptor,
  taps: number,
  output: readonly Digit[],
  input: readonly Digit[],
): void {
  const [driving, driven] = axis.transposed ? [input, output] : [output, input]
  const cells = 2 ** total(driving) + 2 ** total(driven)
  const direct = cells + taps * product(driving.map(({ size }) => size))
  const bits = Math.max(total(driving), total(driven))
  if (direct > 3 * bits) {
    if (writeShift(to, zero, axis, taps, driving, driven)) return
    const whole = [...driving, ...driven].every(({ size }) => isPowerOfTwo(size))
    if (whole && 3 * bits * carriesOf(axis, taps).count < direct) {
      writeCarry(to, zero, axis, taps, driving, driven)
      return
    }
  }
  writeTable(to, axis, taps, driving, driven)
}

/** Index by index; of a driven index that is one digit, the last bits apart where the stride allows. */
function writeTable(
  to: Writer,
  { stride, dilation, pad }: SpatialDescriptor,
  taps: number,
  driving: readonly Digit[],
  driven: readonly Digit[],
): void {
  const offsets = Array.from({ length: taps }, (_, k) => k * dilation - pad)
  const [digit] = driven
  const low = axisBits(stride)
  const splits =
    digit !== undefined &&
    driven.length === 1 &&
    stride === 2 ** low &&
    low <= MOST_LOW_BITS &&
    digit.size % stride === 0
  to.number(1, 1)
  if (!splits) {
    to.number(0, 2)
    to.number(stride, 3)
    to.number(-pad, 4)
    to.number(dilation, 3)
    to.number(taps, 2)
    to.digits(driving)
    to.digits(driven)
    for (let k = 0; k < taps; k++) {
      to.number(0, 1)
      to.number(k, 1)
    }
    return
  }
  const shifts = offsets.map((offset) => Math.floor(offset / stride))
  const first = Math.min(...shifts)
  to.number(digit.slot + digit.bits - low, 1)
  to.number(low, 1)
  to.number(1, 3)
  to.number(first, 4)
  to.number(1, 3)
  to.number(Math.max(...shifts) - first + 1, 2)
  to.digits(driving)
  to.digits([{ slot: digit.slot, bits: digit.bits - low, size: digit.size / stride }])
  offsets.forEach((offset, k) => {
    to.number(offset - stride * shifts[k]!, 1)
    to.number(shifts[k]! - first, 1)
  })
}

/** Slices as so many bits, zeros in front. */
function padded(zero: number, slices: readonly Slice[], bits: number): readonly Slice[] {
  const zeros = Array.from({ length: bits - total(slices) }, () => ({ slot: zero, bits: 1 }))
  return [...zeros, ...joined(slices)]
}

/** Carries that occur, with all that they hand on. */
function carriesOf({ stride, dilation, pad }: SpatialDescriptor, taps: number) {
  const below = Math.max(0, pad)
  return { below, count: below + Math.max(0, stride - 1, (taps - 1) * dilation - pad) + 1 }
}

function writeCarry(
  to: Writer,
  zero: number,
  axis: SpatialDescriptor,
  taps: number,
  driving: readonly Slice[],
  driven: readonly Slice[],
): void {
  const bits = Math.max(total(driving), total(driven))
  const { below, count } = carriesOf(axis, taps)
  to.number(2, 1)
  to.number(axis.stride, 3)
  to.number(axis.dilation, 3)
  to.number(axis.pad, 4)
  to.number(bits, 1)
  to.number(below, 2)
  to.number(count, 2)
  to.slices(padded(zero, driving, bits))
  to.slices(padded(zero, driven, bits))
}

/** Largest shift that the contract computes bit by bit without a table of carries. */
const MOST_SHIFT = 1

/**
 * Where the stride is 2^a and k·dilation − pad = 2^a·shift + rest has small shifts only, and the bits of an index
 * count its values, of which both have as many.
 */
function writeShift(
  to: Writer,
  zero: number,
  { stride, dilation, pad }: SpatialDescriptor,
  taps: number,
  driving: readonly Digit[],
  driven: readonly Digit[],
): boolean {
  const low = axisBits(stride)
  const shifts = Array.from({ length: taps }, (_, k) => Math.floor((k * dilation - pad) / stride))
  if (stride !== 2 ** low || low > MOST_LOW_BITS || total(driven) < low) return false
  if (shifts.some((shift) => Math.abs(shift) > MOST_SHIFT)) return false
  if ([...driving.slice(1), ...driven.slice(1)].some(({ size }) => !isPowerOfTwo(size)))
    return false
  const count = product(driving.map(({ size }) => size))
  const drivenCount = product(driven.map(({ size }) => size)) / stride
  const whole = isPowerOfTwo(count) && isPowerOfTwo(drivenCount)
  if (!whole && count !== drivenCount) return false
  const single = driven.flatMap(({ slot, bits }) =>
    Array.from({ length: bits }, (_, i) => ({ slot: slot + i, bits: 1 })),
  )
  const high = single.slice(0, single.length - low)
  const rest = joined(single.slice(single.length - low))
  // The last bits must lie side by side.
  if (rest.length > 1) return false
  const bits = Math.max(total(driving), high.length)
  to.number(3, 1)
  to.number(bits, 1)
  to.number(rest[0]?.slot ?? 0, 1)
  to.number(low, 1)
  to.number(whole ? 0 : count, 4)
  to.number(MOST_SHIFT * stride - pad, 1)
  to.number(taps === 1 ? 0 : dilation, 1)
  to.slices(padded(zero, driving, bits))
  to.slices(padded(zero, high, bits))
  return true
}
