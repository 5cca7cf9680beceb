/*
 * Elementary functions by name. Their values go into tables once and are never computed again, so
 * another engine's last bit changes a table's making, not its meaning.
 */

const { PI, abs, exp, sqrt } = Math

/**
 * The error function, to about 1e-15: its power series near 0, the continued fraction of erfc beyond
 * (Abramowitz and Stegun 7.1.6 and 7.1.14).
 *
 * @example
 * erf(1) // 0.8427007929497149
 */
export function erf(x: number): number {
  const size = abs(x)
  if (!(size < 6)) return Number.isNaN(x) ? x : Math.sign(x)
  if (size < 2.5) {
    let term = x
    let sum = x
    for (let n = 1; abs(term) > 1e-17; n++) {
      term *= (2 * x * x) / (2 * n + 1)
      sum += term
    }
    return (2 / sqrt(PI)) * exp(-x * x) * sum
  }
  let fraction = size
  for (let n = 60; n > 0; n--) fraction = size + n / 2 / fraction
  return Math.sign(x) * (1 - exp(-x * x) / (sqrt(PI) * fraction))
}

/** Half to even, as ONNX rounds. */
export function roundEven(x: number): number {
  const below = Math.floor(x)
  if (x - below !== 0.5) return Math.round(x)
  return below % 2 === 0 ? below : below + 1
}

/** How a function is laid out in a table. */
type Elementary = {
  readonly value: (x: number) => number
  /** Lines and steps: a row an output integer loses nothing. Others need finer rows where they are steep. */
  readonly straight?: true
  /** Rises, or falls, on each side of 0 with a value everywhere: its range follows from the ends. */
  readonly monotone?: true
}

const rising = (value: (x: number) => number): Elementary => ({ value, monotone: true })

export const ELEMENTARY = {
  abs: { value: Math.abs, straight: true, monotone: true },
  acos: { value: Math.acos },
  acosh: { value: Math.acosh },
  asin: { value: Math.asin },
  asinh: rising(Math.asinh),
  atan: rising(Math.atan),
  atanh: { value: Math.atanh },
  ceil: { value: Math.ceil, straight: true, monotone: true },
  cos: { value: Math.cos },
  cosh: rising(Math.cosh),
  erf: rising(erf),
  exp: rising(Math.exp),
  floor: { value: Math.floor, straight: true, monotone: true },
  log: { value: Math.log },
  reciprocal: { value: (x: number) => 1 / x },
  round: { value: roundEven, straight: true, monotone: true },
  sign: { value: Math.sign, straight: true, monotone: true },
  sin: { value: Math.sin },
  sinh: rising(Math.sinh),
  softsign: {
    value: (x: number) => (abs(x) === Infinity ? Math.sign(x) : x / (1 + abs(x))),
    monotone: true,
  },
  sqrt: { value: Math.sqrt },
  tan: { value: Math.tan },
} as const satisfies Readonly<Record<string, Elementary>>

export type ElementaryName = keyof typeof ELEMENTARY

/** What is known of a function, in the widest terms. */
export function elementary(name: ElementaryName): Elementary {
  return ELEMENTARY[name]
}
