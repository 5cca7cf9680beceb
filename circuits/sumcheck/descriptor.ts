/** The key's public part, `docs/protocol.md` §2. Axes are indices into a block's `axes`. */
export type SumcheckDescriptor = {
  readonly format: 'platemark-sumcheck-key'
  readonly version: 2
  readonly modelId: string
  /** log2 of the rows of every column. */
  readonly columnBits: number
  readonly limbBits: number
  readonly limbs: number
  /** Columns of each group: committed before any challenge, after β and α, by the key. */
  readonly columns: { readonly first: number; readonly second: number; readonly key: number }
  /** Where the regions q, out, rem_l (first group) and h_e (second group) start; all of 2^bits cells. */
  readonly activation: {
    readonly bits: number
    readonly quotient: number
    readonly output: number
    /** One a limb. */
    readonly limbs: readonly number[]
    /** `limbs` + 1 of them. */
    readonly inverses: readonly number[]
  }
  /** The region of copies (first group). */
  readonly copy: { readonly bits: number; readonly offset: number } | null
  /** Where the regions m (first group), g (second group) and T_out (key group) start. */
  readonly table: {
    readonly bits: number
    readonly multiplicity: number
    readonly inverse: number
    readonly output: number
  }
  readonly latent: { readonly dimensions: number; readonly table: readonly number[] }
  /** What is chosen besides the seed; absent where that is nothing. */
  readonly conditions?: readonly ConditionDescriptor[]
  readonly image: {
    readonly binding: ImageBinding
    readonly height: number
    readonly width: number
    readonly channels: number
    readonly block: number
    readonly rowAxes: readonly number[]
    readonly columnAxes: readonly number[]
    readonly channelAxes: readonly number[]
  }
  /** Block 0 is the latent, the next ones are the conditions; then every node fills one, in order. */
  readonly blocks: readonly BlockDescriptor[]
  readonly nodes: readonly NodeDescriptor[]
  readonly segments: readonly SegmentDescriptor[]
}

/** A public input of the user's (§3.5): a class, or a byte a dimension. */
export type ConditionDescriptor =
  | { readonly kind: 'label'; readonly classes: number }
  | { readonly kind: 'vector'; readonly dimensions: number; readonly table: readonly number[] }

/** Blocks that a verifier computes from the statement: they stand before all others. */
export function publicBlocks(descriptor: Pick<SumcheckDescriptor, 'conditions'>): number {
  return 1 + (descriptor.conditions?.length ?? 0)
}

/** What stands for the image in the statement: its bytes, or a commitment to them (§3.5). */
export type ImageBinding = 'pixels' | 'commitment'

export type BlockDescriptor = {
  readonly space: 'latent' | 'condition' | 'activation' | 'copy'
  /** In each of the regions of the space; 0 where it has none. */
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
  readonly weight: WeightDescriptor
  readonly outputAxes: readonly number[]
  readonly rowAxes: readonly (readonly [number, number])[]
  readonly groupAxes: readonly (readonly [number, number])[]
  readonly contractAxes: readonly number[]
  readonly kernel: readonly [number, number]
  readonly spatial: readonly SpatialDescriptor[]
}

/** Constants at an offset of the key group, or the values of a block before the output. */
export type WeightDescriptor =
  | { readonly kind: 'constant'; readonly offset: number }
  | {
      readonly kind: 'tensor'
      readonly block: number
      /** Axes of the block, one for each of outputAxes, groupAxes, contractAxes, in this order. */
      readonly axes: readonly number[]
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
