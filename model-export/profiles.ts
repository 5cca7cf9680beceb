/**
 * How many bits a model gets.
 *
 * - `fidelity`: for backends where weights and accumulators are nearly free and table rows are not
 *   (sumcheck with lookups): layers of the same function share one table, and all tables together are
 *   as short as `targetPsnr` allows. Pixels differ from the float model's by little more than rounding.
 * - `balanced`: the fewest bits that reach 50 dB, layer by layer, tables of up to 2^16 rows.
 * - `compact`: for circuits that pay for every bit of an accumulator (groth16): the fewest bits that
 *   reach 45 dB, layer by layer, and coarse pixel tables.
 */
export type ProfileName = 'fidelity' | 'balanced' | 'compact'

/** Bits of a layer. */
export type LayerBits = {
  /** Weights lie within ±(2^(weightBits − 1) − 1). */
  readonly weightBits: number
  /** Unsigned activations lie in [0, 2^activationBits), signed ones within ±(2^(activationBits − 1) − 1). */
  readonly activationBits: number
}

export type Profile = LayerBits & {
  /** Layers that have other bits, by the name of their output. */
  readonly layers?: ReadonlyMap<string, LayerBits>
  /** Tables have at most 2^tableBits rows; where they are shared, those of all layers together. */
  readonly tableBits: number
  /** The table of pixels has at most 2^pixelTableBits rows. */
  readonly pixelTableBits: number
  /** Remainders have at most this many bits (a table is their range): weights are rounded so far. */
  readonly remainderBits: number
  /** Whether layers of the same function get the same table, at the cost of output levels. */
  readonly sharedTables: boolean
  /** Where a table is not piecewise linear: output steps that one row may span where it is steepest. */
  readonly rowSpan: number
  /** Saturation is at this many times what calibration finds best: unseen seeds go a little further. */
  readonly headroom: number
  /** −log2 of the scale of a normal latent. */
  readonly latentBits: number
  /** In decibels: bits are only a start for the search of those that make images this close. */
  readonly targetPsnr: number
}

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  fidelity: {
    weightBits: 24,
    activationBits: 13,
    tableBits: 13,
    pixelTableBits: 12,
    remainderBits: 11,
    sharedTables: true,
    rowSpan: 1 / 8,
    headroom: 1.1,
    latentBits: 8,
    targetPsnr: 52,
  },
  balanced: {
    weightBits: 12,
    activationBits: 12,
    tableBits: 16,
    pixelTableBits: 16,
    remainderBits: 52,
    sharedTables: false,
    rowSpan: 1 / 4,
    headroom: 1.25,
    latentBits: 10,
    targetPsnr: 50,
  },
  compact: {
    weightBits: 8,
    activationBits: 7,
    tableBits: 17,
    pixelTableBits: 17,
    remainderBits: 52,
    sharedTables: false,
    rowSpan: 3,
    headroom: 1.1,
    latentBits: 7,
    targetPsnr: 45,
  },
}
