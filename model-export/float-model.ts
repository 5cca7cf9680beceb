import type { EinsumAxes } from './einsum.js'
import type { UnaryChain } from './unary.js'

/**
 * What lowering makes of an ONNX graph, before quantization: real weights, batch dimension dropped
 * where it was 1, linear operators fused, unary operators attached to the linear node before them.
 * Tensors are row-major and named; every name is defined exactly once, before it is used.
 */
export type FloatModel = {
  readonly name: string
  /** The latent input; `shape` is the whole shape (a leading batch of 1 included or not). */
  readonly input: { readonly name: string; readonly shape: readonly number[] }
  /** Further inputs, which the user chooses; absent where there are none. */
  readonly conditions?: readonly FloatCondition[]
  readonly nodes: readonly FloatNode[]
  /** The tensor that is the image, before post-processing. */
  readonly output: { readonly name: string; readonly shape: readonly number[] }
}

/** `name` is a tensor of the model and the input's name in ONNX. */
export type FloatCondition =
  /** A class: the tensor holds a 1 at it and zeros, whatever the input is in ONNX. */
  | {
      readonly kind: 'label'
      readonly name: string
      readonly shape: readonly [number]
      readonly classes: number
    }
  | {
      readonly kind: 'vector'
      readonly name: string
      readonly shape: readonly number[]
      readonly values: VectorValues
    }

/** What the 256 bytes of a vector stand for: as in a latent, or equal steps between two numbers. */
export type VectorValues = 'normal' | 'uniform' | readonly [low: number, high: number]

/** Row-major real tensor. */
export type FloatTensor = { readonly shape: readonly number[]; readonly data: Float64Array }

export type FloatNode = FloatAffine | FloatRearrange

/**
 * `output = activation(Σ terms + bias)`, elementwise activation. A product of two tensors is the only
 * term of its node: scales multiply, so nothing else could be added exactly.
 */
export type FloatAffine = {
  readonly kind: 'affine'
  /** Name of the ONNX node(s) it came from, for messages and reports. */
  readonly name: string
  readonly output: string
  readonly shape: readonly number[]
  readonly terms: readonly FloatTerm[]
  /** Broadcasts to `shape` by NumPy's rules (same rank, axes of size 1 repeat); absent is zero. */
  readonly bias?: FloatTensor
  readonly activation: UnaryChain
  /**
   * Where set, nothing is rounded: the output has the scale of the tensor `like`, as all inputs have,
   * and weights are whole numbers. `clamped`: the output takes no values that `like` does not take.
   */
  readonly exact?: { readonly like: string; readonly clamped: boolean }
}

/**
 * One linear map of one earlier tensor, or the product of two. Inputs are read with the shape that the
 * map needs (their element count matches; row-major reshapes are free).
 */
export type FloatTerm = LinearFloatTerm | FloatEinsum

export type LinearFloatTerm =
  /** Input as rows × in, weight out × in, contribution rows × out. */
  | {
      readonly kind: 'gemm'
      readonly input: string
      readonly rows: number
      readonly weight: FloatTensor
    }
  /** Input Cin × H × W; weight Cout × Cin/groups × Kh × Kw. */
  | ({ readonly kind: 'conv'; readonly input: string; readonly weight: FloatTensor } & ConvGeometry)
  /** Input Cin × H × W; weight Cin × Cout/groups × Kh × Kw (ONNX order). */
  | ({
      readonly kind: 'convTranspose'
      readonly input: string
      readonly weight: FloatTensor
    } & ConvGeometry)
  /** `weight ∘ input`, weight broadcast to the output shape; input has the output's shape. */
  | { readonly kind: 'elementwise'; readonly input: string; readonly weight: FloatTensor }

/** The product of two tensors, which may be the same one. */
export type FloatEinsum = {
  readonly kind: 'einsum'
  readonly input: string
  readonly operand: string
} & EinsumAxes

/**
 * Geometry of a two-dimensional convolution (a one-dimensional one has H = 1, Kh = 1).
 * `conv`: out[y] reads in[y·stride + k·dilation − padBegin].
 * `convTranspose`: in[y] adds to out[y·stride + k·dilation − padBegin]; positions outside the
 * output are dropped, so output padding is only a larger `output`.
 */
export type ConvGeometry = {
  readonly inputChannels: number
  readonly inputHeight: number
  readonly inputWidth: number
  readonly outputChannels: number
  readonly outputHeight: number
  readonly outputWidth: number
  readonly strides: readonly [number, number]
  readonly dilations: readonly [number, number]
  /** Top and left padding; bottom and right follow from the output size. */
  readonly padBegin: readonly [number, number]
  readonly groups: number
}

/** `output = reshape(transpose(reshape(input, inputShape), permutation), shape)`; moves, never computes. */
export type FloatRearrange = {
  readonly kind: 'rearrange'
  readonly name: string
  readonly output: string
  readonly shape: readonly number[]
  readonly input: string
  readonly inputShape: readonly number[]
  readonly permutation: readonly number[]
}
