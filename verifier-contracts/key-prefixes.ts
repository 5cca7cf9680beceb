import type { Writer } from './key-writer.js'

/** Words of an entry of a list of prefixes. */
const PREFIX_WORDS = 4

/** Stands for the word that is 1. */
const ONE = -1

/**
 * Products of factors of eq(offset, point) for the offsets of a key, each once: a product of many factors is one
 * of fewer, which others share, times the next few.
 */
export class Prefixes {
  readonly #entries: { readonly parent: number; readonly words: readonly number[] }[] = []
  readonly #numbers = new Map<string, number>()

  /** The number of eq(high bits of `offset`, variables from `first` on), `bits` of them, less the last `skip`. */
  of(offset: number, first: number, bits: number, skip: number): number {
    let number = 0
    for (let done = 0; done < bits - skip; done += PREFIX_WORDS) {
      const words = Array.from({ length: PREFIX_WORDS }, (_, i) => {
        const bit = done + i
        if (bit >= bits - skip) return ONE
        return 3 * (first + bit) + (Math.floor(offset / 2 ** (bits - 1 - bit)) % 2)
      })
      number = this.#add(number, words)
    }
    return number
  }

  #add(parent: number, words: readonly number[]): number {
    const name = [parent, ...words].join()
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const number = this.#entries.push({ parent, words })
    this.#numbers.set(name, number)
    return number
  }

  /** How many variables of the point are asked for, from the first on. */
  get variables(): number {
    const words = this.#entries.flatMap((entry) => entry.words.filter((word) => word !== ONE))
    return Math.floor(Math.max(-1, ...words) / 3) + 1
  }

  /** The list, for a point of whose lines so many are made; the word behind them is 1. */
  write(to: Writer, variables: number): void {
    to.number(this.#entries.length, 2)
    for (const { parent, words } of this.#entries) {
      to.number(parent, 2)
      for (const word of words) to.number(word === ONE ? 3 * variables : word, 1)
    }
  }
}
