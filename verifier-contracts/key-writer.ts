import { axisBits } from '../circuits/sumcheck/axes.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { Prefixes } from './key-prefixes.js'

/** Bits of an index whose eq is looked up apart, at most. */
export const MOST_LOW_BITS = 4

export const LATENT_SPACE = 0

/** A block that is no block: weights at an offset of the key group. */
export const KEY_SPACE = 3

/** Some bits of a point, `slot` counting from what the context says. */
export type Slice = { readonly slot: number; readonly bits: number }

/** A digit: below `size`, in `bits` bits. */
export type Digit = Slice & { readonly size: number }

/** What all parts of the encoding count by: places of the challenges r ‖ a ‖ b ‖ s ‖ (zeros) ‖ ρ ‖ 0, and prefixes. */
export type Slots = {
  readonly phaseOne: number
  readonly phaseTwo: number
  /** Ends of r, s and ρ. */
  readonly rEnd: number
  readonly a: number
  readonly b: number
  /** The place of the 0, behind ρ. */
  readonly zero: number
  readonly columnBits: number
  readonly lookups: number
  /** Prefixes at ρ and at s. */
  readonly prefixes: Prefixes
  readonly sPrefixes: Prefixes
}

/** Big-endian numbers side by side. */
export class Writer {
  readonly #bytes: number[] = []

  get length(): number {
    return this.#bytes.length
  }

  bytes(bytes: Uint8Array): void {
    for (const byte of bytes) this.#bytes.push(byte)
  }

  /** `width` bytes; two's complement for negative numbers. */
  number(value: number, width: number): void {
    const limit = 1n << BigInt(8 * width)
    const big = BigInt(value)
    if (big >= limit || big < -limit / 2n)
      throw new PlatemarkError('The Solidity verifier cannot hold this key.', {
        expected: `numbers of at most ${width} bytes here`,
        found: String(value),
        fix: 'Compile the model with longer columns, or verify its proofs off the chain.',
      })
    const positive = big < 0n ? big + limit : big
    for (let i = width - 1; i >= 0; i--)
      this.#bytes.push(Number((positive >> BigInt(8 * i)) & 255n))
  }

  list<T>(items: readonly T[], write: (item: T) => void): void {
    this.number(items.length, 1)
    items.forEach(write)
  }

  slices(slices: readonly Slice[]): void {
    this.list(slices, ({ slot, bits }) => {
      this.number(slot, 1)
      this.number(bits, 1)
    })
  }

  /**
   * A point of a block: nothing where it is the last entries of r, whose eq with ρ is at hand. The latent and blocks
   * of several columns need the point itself.
   */
  point({ rEnd, columnBits }: Slots, space: number, slices: readonly Slice[]): void {
    const all = joined(slices)
    const [only] = all
    const isEnd = all.length === 1 && only !== undefined && only.slot + only.bits === rEnd
    this.slices(isEnd && space !== LATENT_SPACE && only.bits <= columnBits ? [] : all)
  }

  /** From the innermost on. */
  digits(digits: readonly Digit[]): void {
    this.list([...digits].reverse(), ({ slot, bits, size }) => {
      this.number(slot, 1)
      this.number(bits, 1)
      this.number(size, 4)
    })
  }

  place(slots: Slots, space: number, offset: number, bits: number, regionBits: number): void {
    this.number(space, 1)
    this.columnAndPrefix(slots, offset, bits, regionBits)
    this.number(bits, 1)
  }

  /** Of a block of `bits` bits at an offset of a region. */
  columnAndPrefix(slots: Slots, offset: number, bits: number, regionBits: number): void {
    const { columnBits: n, prefixes } = slots
    const top = Math.min(n, regionBits)
    this.number(Math.floor(offset / 2 ** n), 1)
    this.number(prefixes.of(offset % 2 ** n, n - top, top, bits), 2)
  }

  content(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}

export const bitsOf = (sizes: readonly number[]) =>
  sizes.reduce((sum, size) => sum + axisBits(size), 0)
export const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)
export const isPowerOfTwo = (size: number) => size === 2 ** axisBits(size)
export const total = (slices: readonly Slice[]) => slices.reduce((sum, { bits }) => sum + bits, 0)

/** Slices that lie side by side as one; empty ones go. */
export function joined(slices: readonly Slice[]): readonly Slice[] {
  const all: Slice[] = []
  for (const { slot, bits } of slices) {
    const last = all.at(-1)
    if (bits === 0) continue
    if (last !== undefined && last.slot + last.bits === slot)
      all.splice(-1, 1, { slot: last.slot, bits: last.bits + bits })
    else all.push({ slot, bits })
  }
  return all
}

/** Slices one after the other from a slot on. */
export function take(start: number, sizes: readonly number[]): readonly Slice[] {
  let slot = start
  return sizes.map((size) => {
    const slice = { slot, bits: axisBits(size) }
    slot += slice.bits
    return slice
  })
}
