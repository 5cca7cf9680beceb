/**
 * Arithmetic of the BN254 scalar field on bigints, and multilinear basics (`docs/protocol.md` §1).
 * Every function returns a reduced value; points list the most significant bit first.
 */

/** Order p of the groups. */
export const ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n

export function mod(value: bigint): bigint {
  const rest = value % ORDER
  return rest < 0n ? rest + ORDER : rest
}

export function multiply(a: bigint, b: bigint): bigint {
  return (a * b) % ORDER
}

export function power(base: bigint, exponent: number): bigint {
  let result = 1n
  let square = mod(base)
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(result, square)
    square = multiply(square, square)
  }
  return result
}

/** 1/value by Euclid's algorithm; value ≠ 0. */
export function invert(value: bigint): bigint {
  let [a, b] = [mod(value), ORDER]
  let [x, y] = [1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a - quotient * b]
    ;[x, y] = [y, x - quotient * y]
  }
  return mod(x)
}

/** ⌈log2 size⌉. */
export function bitsOf(size: number): number {
  let bits = 0
  while (2 ** bits < size) bits++
  return bits
}

/** Π (aₖbₖ + (1−aₖ)(1−bₖ)), equal lengths. */
export function eq(a: readonly bigint[], b: readonly bigint[]): bigint {
  let product = 1n
  a.forEach((x, k) => {
    const y = b[k]!
    product = mod(product * (1n - x - y + 2n * x * y))
  })
  return product
}

/** eq of an index with `point.length` bits. */
export function eqIndex(index: number, point: readonly bigint[]): bigint {
  let product = 1n
  let rest = index
  for (let k = point.length - 1; k >= 0; k--) {
    product = mod(product * (rest % 2 === 1 ? point[k]! : 1n - point[k]!))
    rest = Math.floor(rest / 2)
  }
  return product
}

/** The bits of an index, as a point. */
export function bitsOfIndex(index: number, count: number): bigint[] {
  return Array.from({ length: count }, (_, k) =>
    BigInt(Math.floor(index / 2 ** (count - 1 - k)) % 2),
  )
}

/** Π (1 − xᵢ): eq of the index 0. */
export function allZero(point: readonly bigint[]): bigint {
  return point.reduce((product, x) => mod(product * (1n - x)), 1n)
}

/** eq(i, point) for all i. */
export function eqTable(point: readonly bigint[]): bigint[] {
  let table = [1n]
  for (const x of point)
    table = table.flatMap((value) => {
      const high = multiply(value, x)
      return [mod(value - high), high]
    })
  return table
}

/** Σ_{i < size} eq(i, point). */
export function below(size: number, point: readonly bigint[]): bigint {
  if (size === 2 ** point.length) return 1n
  let prefix = 1n
  let sum = 0n
  point.forEach((x, k) => {
    const bit = Math.floor(size / 2 ** (point.length - 1 - k)) % 2
    if (bit === 1) sum += prefix * (1n - x)
    prefix = mod(prefix * (bit === 1 ? x : 1n - x))
  })
  return mod(sum)
}
