import type { EinsumAxes } from './einsum.js'
import type { ConvGeometry } from './float-model.js'

/**
 * The integer model: the thing that is executed, hashed and proven. Its semantics are exact; every
 * implementation (executor, witness, circuit) must agree with this file bit for bit.
 *
 * - All tensors are row-major integers. Every accumulator and product stays below 2^52 in absolute
 *   value (the compiler proves it), so IEEE doubles hold them exactly.
 * - An affine node computes, for every output element,
 *
 *       acc = Σ_terms L(W, x) + bias          (W constant, or for `einsum` a tensor itself)
 *       acc · multiplier + half = q · 2^shift + rem,   0 ≤ rem < 2^shift,
 *       half = shift > 0 ? 2^(shift−1) : 0             (round half up)
 *       out = table.values[q − table.first]
 *
 *   The compiler proves by interval analysis over the fixed weights, all latents and all conditions that q always
 *   lies within the table: there is no seed and no condition for which the model is undefined. Saturation is in the
 *   table's values.
 * - A rearrange node moves elements and computes nothing.
 */
export type IntegerModel = {
  readonly format: 'platemark-model'
  readonly version: 1
  readonly name: string
  readonly latent: Latent
  /** What is chosen besides the seed; absent where that is nothing. */
  readonly conditions?: readonly Condition[]
  readonly tensors: readonly TensorInfo[]
  readonly nodes: readonly IntegerNode[]
  readonly tables: readonly Table[]
  readonly image: ImageInfo
  readonly source: ModelSource
}

/** Index into `tensors`. Tensor 0 is the latent, the next ones are the conditions, then come the nodes' outputs. */
export type TensorId = number

export type TensorInfo = {
  readonly name: string
  readonly shape: readonly number[]
  /** Proven bounds of every element, both inclusive. */
  readonly min: number
  readonly max: number
  /** real value ≈ integer · scale. The image tensor holds pixels, scale 1. */
  readonly scale: number
}

/** `dimensions` latent bytes come from the seed; each becomes `table[byte]`, real value `· scale`. */
export type Latent = {
  readonly dimensions: number
  readonly distribution: 'normal' | 'uniform'
  /** 256 integers, non-decreasing. */
  readonly table: readonly number[]
  readonly scale: number
}

/**
 * A public input that is chosen, not drawn from the seed (`conditions.ts` has its bytes). The tensor of a
 * label is zero but for a 1 at the class, so that a table of embeddings is a matrix product; that of a
 * vector is `table[byte]` for each byte, real value `· scale`.
 */
export type Condition =
  | { readonly kind: 'label'; readonly classes: number }
  | {
      readonly kind: 'vector'
      readonly dimensions: number
      /** 256 integers, non-decreasing. */
      readonly table: readonly number[]
      readonly scale: number
    }

/** Row-major integer constants; they live in `weights.bin`, in order of first use. */
export type IntegerTensor = { readonly shape: readonly number[]; readonly data: Int32Array }

export type Table = {
  /** The function and its scales in words, for reports: it defines nothing. */
  readonly description: string
  /** The quotient that `values[0]` belongs to. */
  readonly first: number
  readonly values: Int32Array
}

export type IntegerNode = AffineNode | RearrangeNode

export type AffineNode = {
  readonly kind: 'affine'
  readonly name: string
  readonly output: TensorId
  readonly terms: readonly IntegerTerm[]
  /** Broadcasts to the output shape (same rank, axes of size 1 repeat). Entries fit 2^52: kept as doubles. */
  readonly bias?: { readonly shape: readonly number[]; readonly data: Float64Array }
  readonly requantize: { readonly multiplier: number; readonly shift: number }
  readonly table: number
  /** Proven inclusive bounds over all seeds and elements. */
  readonly accumulator: { readonly min: number; readonly max: number }
  readonly quotient: { readonly min: number; readonly max: number }
}

/** The maps of `FloatTerm`, with integer weights. */
export type IntegerTerm = LinearIntegerTerm | IntegerEinsum

/** A linear map of one tensor. */
export type LinearIntegerTerm =
  | {
      readonly kind: 'gemm'
      readonly input: TensorId
      readonly rows: number
      readonly weight: IntegerTensor
    }
  | ({
      readonly kind: 'conv'
      readonly input: TensorId
      readonly weight: IntegerTensor
    } & ConvGeometry)
  | ({
      readonly kind: 'convTranspose'
      readonly input: TensorId
      readonly weight: IntegerTensor
    } & ConvGeometry)
  | { readonly kind: 'elementwise'; readonly input: TensorId; readonly weight: IntegerTensor }

/** The product of two tensors, which may be the same one. */
export type IntegerEinsum = {
  readonly kind: 'einsum'
  readonly input: TensorId
  readonly operand: TensorId
} & EinsumAxes

/** `output = reshape(transpose(reshape(input, inputShape), permutation), output shape)`. */
export type RearrangeNode = {
  readonly kind: 'rearrange'
  readonly name: string
  readonly output: TensorId
  readonly input: TensorId
  readonly inputShape: readonly number[]
  readonly permutation: readonly number[]
}

/** The image is tensor `tensor`, row-major height × width × channels, every element a pixel 0…255. */
export type ImageInfo = {
  readonly tensor: TensorId
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3 | 4
  /** Range of the float model's output that was mapped to 0…255. */
  readonly range: readonly [number, number]
}

/** Where the model came from; part of `model.json`, not of the model id's arithmetic. */
export type ModelSource = {
  /** SHA-256 of the ONNX file, 0x-hex. */
  readonly onnxSha256: string
  readonly profile: string
  readonly toolVersion: string
}
