/** IEEE half precision from its 16 bits. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Halfway from the largest half to where the next would be. */
const OVERFLOW = 65520

/** The 16 bits of the half that is nearest, ties to even; infinity beyond the largest. */
export function numberToHalf(value: number): number {
  const magnitude = Math.abs(value)
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  if (Number.isNaN(value)) return 0x7e00
  if (magnitude >= OVERFLOW) return sign | 0x7c00
  // Halves below 2^−14 all have the step of that binade.
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14)
  const steps = roundToEven(magnitude * 2 ** (10 - exponent))
  // A carry into the next binade is one into the exponent's bits.
  const bits = steps + (exponent + 14) * 1024
  return sign | bits
}

function roundToEven(value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below
}
