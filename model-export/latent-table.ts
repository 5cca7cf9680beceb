import type { Latent } from './integer-model.js'

/**
 * The 256 values of one latent dimension: integers nearest to F⁻¹((byte + 1/2) / 256) / scale, where F
 * is the distribution function of the standard normal distribution, or of the uniform one on (−1, 1).
 * Computed with +, −, ×, ÷ and comparisons alone, which IEEE 754 fixes to the bit on every machine.
 *
 * @param scale - a power of two; the latent's real value is integer · scale
 * @example
 * latentTable('uniform', 2 ** -8)[0] // -255
 */
export function latentTable(
  distribution: Latent['distribution'],
  scale: number,
): readonly number[] {
  const upper = Array.from({ length: 128 }, (_, i) => {
    const excess = (i + 0.5) / 256
    const value = distribution === 'uniform' ? 2 * excess : normalQuantile(excess)
    return Math.floor(value / scale + 0.5)
  })
  return [...upper.map((value) => -value).reverse(), ...upper]
}

/**
 * The 256 values of one dimension of a vector: integers nearest to equal steps from `low` to `high`.
 *
 * @example
 * rangeTable(0, 255, 1)[7] // 7
 */
export function rangeTable(low: number, high: number, scale: number): readonly number[] {
  return Array.from({ length: 256 }, (_, byte) =>
    Math.floor((low + ((high - low) * byte) / 255) / scale + 0.5),
  )
}

/** x ≥ 0 with Φ(x) = 1/2 + excess, by bisection: Φ is increasing and the answer is below 4. */
function normalQuantile(excess: number): number {
  let low = 0
  let high = 4
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (normalExcess(middle) < excess) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Φ(x) − 1/2 = φ(x) · (x + x³/3 + x⁵/(3·5) + …), for 0 ≤ x ≤ 4. */
function normalExcess(x: number): number {
  let term = x
  let sum = x
  for (let odd = 3; odd < 200; odd += 2) {
    term = (term * x * x) / odd
    sum += term
  }
  return (sum * 0.3989422804014327) / exponential((x * x) / 2)
}

/** e^y for 0 ≤ y ≤ 8, by its series. */
function exponential(y: number): number {
  let term = 1
  let sum = 1
  for (let n = 1; n < 80; n++) {
    term = (term * y) / n
    sum += term
  }
  return sum
}

/** The real latent that latent bytes stand for: what the float model is fed with. */
export function realLatent(latent: Latent, latentBytes: Uint8Array): Float64Array {
  return Float64Array.from(latentBytes, (byte) => latent.table[byte]! * latent.scale)
}

/**
 * Latent bytes for calibration and reports: any fixed, well-spread sequence will do. (Seeds of users
 * are expanded by keccak, see `circuits/seed-expansion.ts`.)
 */
export function sampleLatent(seed: number, dimensions: number): Uint8Array {
  // Streams of different seeds start at unrelated states and step by different odd numbers.
  let state = mix(seed + 1)
  const step = mix(state ^ 0x9e3779b9) | 1
  return Uint8Array.from({ length: dimensions }, () => {
    state = (state + step) | 0
    return mix(state) >>> 24
  })
}

/** The 32-bit finalizer of MurmurHash3: a bijection in which every bit depends on every other. */
function mix(value: number): number {
  let z = value
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
  return z ^ (z >>> 16)
}
