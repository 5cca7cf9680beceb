/** The key's public part, `docs/protocol.md` §2. Axes are indices into a block's `axes`. */
export type SumcheckDescriptor = {
  readonly format: 'platemark-sumcheck-key'
  readonly version: 1
  readonly modelId: string
  /** log2 of the rows of every column. */
  readonly columnBits: number
  readonly limbBits: number
  readonly limbs: number
  /** Physical columns of each space. */
  readonly columns: {
    readonly activation: number
    readonly copy: number
    readonly table: number
    readonly weight: number
  }
  readonly latent: { readonly dimensions: number; readonly table: readonly number[] }
  readonly image: {
    readonly height: number
    readonly width: number
    readonly channels: number
    readonly block: number
    readonly rowAxes: readonly number[]
    readonly columnAxes: readonly number[]
    readonly channelAxes: readonly number[]
  }
  /** Block 0 is the latent; node i fills block i + 1. */
  readonly blocks: readonly BlockDescriptor[]
  readonly nodes: readonly NodeDescriptor[]
  readonly segments: readonly SegmentDescriptor[]
}

export type BlockDescriptor = {
  readonly space: 'latent' | 'activation' | 'copy'
  readonly offset: number
  /** Unpadded sizes, outermost first, none of them 1. */
  readonly axes: readonly number[]
}

export type NodeDescriptor =
  | {
      readonly kind: 'affine'
      readonly output: number
      /** Segment of the activation table. */
      readonly table: number
      /** Segment of every limb of the remainder, −1 for a limb that is zero. */
      readonly limbs: readonly number[]
      readonly multiplier: number
      readonly shift: number
      readonly bias: { readonly offset: number; readonly axes: readonly number[] } | null
      readonly terms: readonly TermDescriptor[]
    }
  | {
      readonly kind: 'copy'
      readonly output: number
      readonly input: number
      readonly inputAxes: readonly number[]
    }

export type TermDescriptor = {
  readonly input: number
  /** Offset of the weight block. */
  readonly weight: number
  readonly outputAxes: readonly number[]
  readonly rowAxes: readonly (readonly [number, number])[]
  readonly groupAxes: readonly (readonly [number, number])[]
  readonly contractAxes: readonly number[]
  readonly kernel: readonly [number, number]
  readonly spatial: readonly SpatialDescriptor[]
}

export type SpatialDescriptor = {
  readonly output: readonly number[]
  readonly input: readonly number[]
  readonly kernelAxis: number
  readonly stride: number
  readonly dilation: number
  readonly pad: number
  readonly transposed: boolean
}

/** 2^bits rows (tag, first + i, T_out), tag = index + 1. */
export type SegmentDescriptor = {
  readonly offset: number
  readonly bits: number
  readonly first: number
}
