/**
 * How many bits a model gets.
 *
 * - `fidelity`: for backends where bits are nearly free (sumcheck with lookups) and as a reference:
 *   16-bit weights, 15-bit activations, tables of up to 2^17 rows. Pixels differ from the float
 *   model's by rounding.
 * - `balanced`: 12-bit weights and activations, more where 50 dB need them, tables of up to 2^16 rows.
 * - `compact`: for circuits that pay for every bit of an accumulator (groth16): the fewest bits that
 *   reach `targetPsnr` against the float model, and coarse pixel tables.
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
  /** Saturation is at this many times what calibration finds best: unseen seeds go a little further. */
  readonly headroom: number
  /** −log2 of the scale of a normal latent. */
  readonly latentBits: number
  /** In decibels: where set, bits are only a start and grow until the images are this close. */
  readonly targetPsnr?: number
}

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  fidelity: {
    weightBits: 16,
    activationBits: 15,
    tableBits: 17,
    rowSpan: 1 / 8,
    headroom: 1.25,
    latentBits: 12,
  },
  balanced: {
    weightBits: 12,
    activationBits: 12,
    tableBits: 16,
    rowSpan: 1 / 4,
    headroom: 1.25,
    latentBits: 10,
    targetPsnr: 50,
  },
  compact: {
    weightBits: 8,
    activationBits: 7,
    tableBits: 17,
    rowSpan: 3,
    headroom: 1.1,
    latentBits: 7,
    targetPsnr: 45,
  },
}
