/**
 * How many bits a model gets.
 *
 * - `fidelity`: for backends where bits are nearly free (sumcheck with lookups) and as a reference:
 *   16-bit weights, 14-bit activations, tables of up to 2^17 rows. Images differ from the float
 *   model's by rounding of the last pixel bit.
 * - `balanced`: 12-bit weights and activations, tables of up to 2^16 rows.
 * - `compact`: for circuits that pay for every bit of an accumulator (groth16): as few bits as keep
 *   well above 40 dB, saturation at powers of two, pixel tables with few distinct rows.
 */
export type ProfileName = 'fidelity' | 'balanced' | 'compact'

export type Profile = {
  /** Weights lie within ±(2^(weightBits − 1) − 1). */
  readonly weightBits: number
  /** Unsigned activations lie in [0, 2^activationBits), signed ones within ±(2^(activationBits − 1) − 1). */
  readonly activationBits: number
  /** Tables have at most 2^tableBits rows. */
  readonly tableBits: number
  /** Where a table is not piecewise linear: output steps that one row may span where it is steepest. */
  readonly rowSpan: number
  /** −log2 of the scale of a normal latent. */
  readonly latentBits: number
}

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  fidelity: { weightBits: 16, activationBits: 14, tableBits: 17, rowSpan: 1 / 8, latentBits: 12 },
  balanced: { weightBits: 12, activationBits: 12, tableBits: 16, rowSpan: 1 / 4, latentBits: 10 },
  compact: { weightBits: 9, activationBits: 8, tableBits: 16, rowSpan: 1.5, latentBits: 7 },
}
