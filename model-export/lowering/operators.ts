import { elementwiseFolds } from '../folding/elementwise.js'
import type { Fold } from '../folding/fold.js'
import { quantizedFolds } from '../folding/quantized.js'
import { structuralFolds } from '../folding/structural.js'
import {
  lowerClip,
  lowerElu,
  lowerHardSigmoid,
  lowerLeakyRelu,
  lowerPRelu,
  lowerRelu,
  lowerSigmoid,
  lowerSoftplus,
  lowerTanh,
} from './activations.js'
import { lowerAdd, lowerDiv, lowerMul, lowerNeg, lowerSub, lowerSum } from './arithmetic.js'
import { lowerAveragePool, lowerGlobalAveragePool } from './average-pool.js'
import { lowerBatchNormalization } from './batch-normalization.js'
import { lowerCol2Im } from './col2im.js'
import { comparisons } from './comparisons.js'
import { lowerConv } from './conv.js'
import { lowerConvTranspose } from './conv-transpose.js'
import { lowerDepthToSpace, lowerSpaceToDepth } from './depth-to-space.js'
import { lowerEinsum } from './einsum-equation.js'
import { lowerGemm } from './gemm.js'
import type { Lower } from './lowering.js'
import { lowerCumSum, lowerMean, lowerTrilu, lowerWhere } from './masks.js'
import { lowerMatMul } from './matrix-product.js'
import {
  lowerGlobalMaxPool,
  lowerMax,
  lowerMaxPool,
  lowerMin,
  lowerReduceMax,
  lowerReduceMin,
} from './maximum.js'
import {
  lowerGroupNormalization,
  lowerInstanceNormalization,
  lowerLayerNormalization,
  lowerLpNormalization,
  lowerMeanVarianceNormalization,
  lowerRmsNormalization,
} from './normalization.js'
import {
  lowerConvInteger,
  lowerDequantizeLinear,
  lowerMatMulInteger,
  lowerQLinearConv,
  lowerQLinearMatMul,
  lowerQuantizeLinear,
} from './quantized.js'
import {
  lowerReduceL1,
  lowerReduceL2,
  lowerReduceLogSum,
  lowerReduceMean,
  lowerReduceSum,
  lowerReduceSumSquare,
} from './reductions.js'
import {
  lowerCast,
  lowerDropout,
  lowerExpand,
  lowerFlatten,
  lowerIdentity,
  lowerReshape,
  lowerShape,
  lowerSize,
  lowerSqueeze,
  lowerUnsqueeze,
} from './reshape.js'
import { lowerResize, lowerUpsample } from './resize.js'
import {
  lowerConcat,
  lowerGather,
  lowerPad,
  lowerSlice,
  lowerSplit,
  lowerTile,
} from './selections.js'
import { lowerLogSoftmax, lowerSoftmax } from './softmax.js'
import { lowerTranspose } from './transpose.js'
import { lowerPow, unaryOperators } from './unary-operators.js'

/** Operators that treat constants and activations alike. */
export const movers: ReadonlyMap<string, Lower> = new Map(
  Object.entries({
    DepthToSpace: lowerDepthToSpace,
    Dropout: lowerDropout,
    Flatten: lowerFlatten,
    Identity: lowerIdentity,
    Reshape: lowerReshape,
    Shape: lowerShape,
    Size: lowerSize,
    SpaceToDepth: lowerSpaceToDepth,
    Squeeze: lowerSqueeze,
    Transpose: lowerTranspose,
    Unsqueeze: lowerUnsqueeze,
  }),
)

/** Operators on tensors that depend on the latent. */
export const lowerings: ReadonlyMap<string, Lower> = new Map(
  Object.entries({
    Add: lowerAdd,
    AveragePool: lowerAveragePool,
    BatchNormalization: lowerBatchNormalization,
    Cast: lowerCast,
    Clip: lowerClip,
    Col2Im: lowerCol2Im,
    Concat: lowerConcat,
    Conv: lowerConv,
    ConvInteger: lowerConvInteger,
    ConvTranspose: lowerConvTranspose,
    CumSum: lowerCumSum,
    DequantizeLinear: lowerDequantizeLinear,
    Div: lowerDiv,
    Einsum: lowerEinsum,
    Elu: lowerElu,
    Expand: lowerExpand,
    Gather: lowerGather,
    Gemm: lowerGemm,
    GlobalAveragePool: lowerGlobalAveragePool,
    HardSigmoid: lowerHardSigmoid,
    LeakyRelu: lowerLeakyRelu,
    MatMul: lowerMatMul,
    MatMulInteger: lowerMatMulInteger,
    Mul: lowerMul,
    Neg: lowerNeg,
    PRelu: lowerPRelu,
    Pad: lowerPad,
    QLinearConv: lowerQLinearConv,
    QLinearMatMul: lowerQLinearMatMul,
    QuantizeLinear: lowerQuantizeLinear,
    Resize: lowerResize,
    Relu: lowerRelu,
    Sigmoid: lowerSigmoid,
    Slice: lowerSlice,
    Softplus: lowerSoftplus,
    Split: lowerSplit,
    Sub: lowerSub,
    Sum: lowerSum,
    Tanh: lowerTanh,
    Tile: lowerTile,
    Trilu: lowerTrilu,
    Upsample: lowerUpsample,
    Where: lowerWhere,
    GlobalMaxPool: lowerGlobalMaxPool,
    GroupNormalization: lowerGroupNormalization,
    InstanceNormalization: lowerInstanceNormalization,
    LayerNormalization: lowerLayerNormalization,
    LogSoftmax: lowerLogSoftmax,
    LpNormalization: lowerLpNormalization,
    Max: lowerMax,
    MaxPool: lowerMaxPool,
    Mean: lowerMean,
    MeanVarianceNormalization: lowerMeanVarianceNormalization,
    Min: lowerMin,
    Pow: lowerPow,
    RMSNormalization: lowerRmsNormalization,
    ReduceL1: lowerReduceL1,
    ReduceL2: lowerReduceL2,
    ReduceLogSum: lowerReduceLogSum,
    ReduceMax: lowerReduceMax,
    ReduceMean: lowerReduceMean,
    ReduceMin: lowerReduceMin,
    ReduceSum: lowerReduceSum,
    ReduceSumSquare: lowerReduceSumSquare,
    Softmax: lowerSoftmax,
    ...comparisons,
    ...unaryOperators,
  }),
)

/** Operators whose inputs must all be constant (among them those of `lowerings` that also fold). */
export const folds: ReadonlyMap<string, Fold> = new Map(
  Object.entries({ ...elementwiseFolds, ...structuralFolds, ...quantizedFolds }),
)

/**
 * The ONNX operators that may work on the latent, in alphabetical order. `Constant` and the operators
 * of shape arithmetic are supported as well, on constants.
 */
export function listSupportedOperators(): readonly string[] {
  return [...movers.keys(), ...lowerings.keys(), 'Constant'].sort()
}

/** The operators that are supported on constants only, in alphabetical order. */
export function listFoldedOperators(): readonly string[] {
  return [...folds.keys()].filter((name) => !lowerings.has(name) && name !== 'Constant').sort()
}
