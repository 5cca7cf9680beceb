import type { Claim } from './columns.js'
import { mod, multiply } from './scalar-field.js'

/** Σ ν^i · claim i (`docs/protocol.md` §7.1). */
export function mergeClaims(claims: readonly Claim[], nu: bigint): Claim {
  let power = 1n
  let value = 0n
  const weights = claims.flatMap((claim) => {
    const scale = power
    power = multiply(power, nu)
    value = mod(value + scale * claim.value)
    return claim.weights.map(({ region, at }) => ({
      region,
      at: (point: readonly bigint[]) => multiply(scale, at(point)),
    }))
  })
  return { value, weights }
}
