import { listFoldedOperators, listSupportedOperators } from './lowering/operators.js'

/** ONNX's own operators, domain "", as of opset 26. */
const ALL_OPERATORS =
  `Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization
  Bernoulli BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike
  CausalConvWithState Ceil Celu CenterCropPad Clip Col2Im Compress Concat ConcatFromSequence Constant ConstantOfShape
  Conv ConvInteger ConvTranspose Cos Cosh CumProd CumSum DFT DeformConv DepthToSpace DequantizeLinear Det Div Dropout
  DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu
  Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HammingWindow
  HannWindow HardSigmoid HardSwish Hardmax Identity If ImageDecoder InstanceNormalization IsInf IsNaN LRN LSTM
  LayerNormalization LeakyRelu Less LessOrEqual LinearAttention Log LogSoftmax Loop LpNormalization LpPool MatMul
  MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul
  Multinomial Neg NegativeLogLikelihoodLoss NonMaxSuppression NonZero Not OneHot Optional OptionalGetElement
  OptionalHasElement Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN RandomNormal
  RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
  ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare RegexFullMatch Relu Reshape Resize
  ReverseSequence RoiAlign RotaryEmbedding Round STFT Scan Scatter ScatterElements ScatterND Selu SequenceAt
  SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin
  Sinh Size Slice Softmax SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze
  StringConcat StringNormalizer StringSplit Sub Sum SwiGLU Swish Tan Tanh TensorScatter TfIdfVectorizer ThresholdedRelu
  Tile TopK Transpose Trilu Unique Unsqueeze Upsample Where Xor`.split(/\s+/)

type Entry = { readonly how: string; readonly cost: string; readonly operators: string }

const FREE = 'nothing'
const TABLE = 'a table (shared by all layers of the same function); no layer where it follows one'
const LAYER = 'a layer'
const COPIES =
  'a layer of copies, nothing rounded; nothing where a convolution or matrix product behind takes it in'

/** How each supported operator is lowered, and what it adds to a proof. */
const ENTRIES: readonly Entry[] = [
  {
    how: 'moves or renames elements',
    cost: FREE,
    operators:
      'DepthToSpace Dropout Flatten Identity Reshape Shape Size SpaceToDepth Squeeze Transpose Unsqueeze',
  },
  { how: 'is a constant', cost: FREE, operators: 'Constant' },
  {
    how: 'a function of each element',
    cost: TABLE,
    operators: `Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Clip Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid HardSwish
      LeakyRelu Log Mish Pow Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Swish Tan Tanh
      ThresholdedRelu`,
  },
  {
    how: 'a function of each element by channel: the sum of two ReLUs',
    cost: 'two layers',
    operators: 'PRelu',
  },
  {
    how: 'between real types nothing, to integers a function of each element',
    cost: TABLE,
    operators: 'Cast',
  },
  {
    how: 'a linear map of each row or window with constant weights',
    cost: LAYER,
    operators:
      'AveragePool Col2Im Conv ConvTranspose CumSum Gemm GlobalAveragePool ReduceMean ReduceSum',
  },
  {
    how: 'a scale and a shift, merged into a layer before or behind',
    cost: 'nothing, or a layer where none can take it',
    operators: 'BatchNormalization Neg Trilu',
  },
  {
    how: 'a sum of layers',
    cost: 'nothing where a layer before can take it in, else a layer',
    operators: 'Add Mean Sub Sum',
  },
  {
    how: 'a sum of two masked operands; the condition may be computed, then it is a product',
    cost: 'nothing where a layer before can take it in, else a layer; by a computed condition two',
    operators: 'Where',
  },
  {
    how: 'the sign of a difference; as sharp as that is quantized',
    cost: 'a layer and a table; no layer where it follows one',
    operators: 'Equal Greater GreaterOrEqual Less LessOrEqual',
  },
  {
    how: 'sums and products of 0 and 1',
    cost: 'up to two layers',
    operators: 'And Not Or',
  },
  { how: 'false: every value is finite', cost: FREE, operators: 'IsInf IsNaN' },
  {
    how: 'by a constant a scale; of two activations a product of tensors, Div with a table of reciprocals',
    cost: 'nothing or a layer; for activations a layer, and for Div a table',
    operators: 'Div Mul',
  },
  {
    how: 'with a constant a linear map, of two activations a contraction of tensors',
    cost: LAYER,
    operators: 'Einsum MatMul',
  },
  {
    how: 'picks, repeats or puts together elements with constant places',
    cost: COPIES,
    operators: 'Concat Expand Gather Pad Slice Split Tile',
  },
  {
    how: 'nearest neighbour by whole numbers repeats pixels; else a matrix along each axis',
    cost: `${COPIES}; else a layer an axis`,
    operators: 'Resize Upsample',
  },
  {
    how: 'max(a, b) = b + relu(a − b), halves of a row or window against each other',
    cost: 'two layers a comparison; nothing is rounded within one tensor',
    operators: 'GlobalMaxPool Max MaxPool Min ReduceMax ReduceMin',
  },
  {
    how: 'row sums of a function of each element',
    cost: 'up to two layers and two tables',
    operators: 'ReduceL1 ReduceL2 ReduceLogSum ReduceSumSquare',
  },
  {
    how: 'mean, variance, reciprocal square root by table, product',
    cost: 'four or five layers and a table',
    operators:
      'GroupNormalization InstanceNormalization LayerNormalization LpNormalization MeanVarianceNormalization RMSNormalization',
  },
  {
    how: 'row maximum, exponential, row sum, reciprocal, product',
    cost: 'two layers a halving of the row, and about five, and two tables',
    operators: 'LogSoftmax Softmax',
  },
  {
    how: 'integers as reals that are whole; the scale is kept, rounding differs from onnxruntime in ties only',
    cost: 'a table; no layer where it follows one',
    operators: 'DequantizeLinear QuantizeLinear',
  },
  {
    how: 'zero points and scales go into weights and bias, rounding into the table',
    cost: LAYER,
    operators: 'ConvInteger MatMulInteger QLinearConv QLinearMatMul',
  },
]

/** The operators that `ENTRIES` tells of, in alphabetical order. */
export function describedOperators(): readonly string[] {
  return ENTRIES.flatMap(({ operators }) => operators.split(/\s+/)).sort()
}

/** The text of `docs/operators.md`. */
export function operatorsPage(): string {
  const supported = new Set(listSupportedOperators())
  const folded = new Set(listFoldedOperators())
  const entries = new Map(
    ENTRIES.flatMap((entry) => entry.operators.split(/\s+/).map((name) => [name, entry] as const)),
  )
  const rows = ALL_OPERATORS.map((name) => {
    const entry = entries.get(name)
    if (supported.has(name) && entry !== undefined)
      return `| ${name} | yes | ${entry.how} | ${entry.cost} |`
    if (name === 'If')
      return `| ${name} | by a constant condition | the branch that is taken | nothing |`
    if (folded.has(name)) return `| ${name} | on constants | computed while compiling | nothing |`
    return `| ${name} | no | | |`
  })
  return `# Operators

Written by \`node dist/model-export/write-operators.js\`; do not edit.

Every operator of ONNX itself (domain "", opset 26; files of opset 9 to 26 are read). "Supported" means: on
tensors that depend on the latent. On constants all of these are computed while compiling, whatever
they cost. Operators of other domains are not supported.

A *layer* is a linear map with a table behind it: its outputs are committed to, rounded once and looked
up. What is written as several operators is one layer where that is exact: scale and shift, sums, the
function behind, and functions spelled out in several operators (SiLU, GELU, Mish).
Batches must be 1, convolutions one- or two-dimensional, and indices, shapes, pads and scales constant.

Inputs besides the latent are *conditions*, which are chosen when an image is made (sumcheck backend only), or
constants. What depends on a class label alone is computed while compiling for every class, by whatever operators of
this list (Gather, OneHot, Cast and Equal, a small network), and becomes a table with a row a class: one layer, which
merges with what is behind it. Vectors are read like a latent.

| operator | supported | how it is lowered | what it adds |
|---|---|---|---|
${rows.join('\n')}

${supported.size} operators are supported, ${folded.size} more on constants, of ${ALL_OPERATORS.length}.

## How this is checked

\`npm run onnx-vectors\` runs the ONNX project's own operator tests (PyPI package onnx 1.21, kept in
\`node_modules/.cache\`; skipped with a printed line where it cannot be had) for every operator above that is
supported: with each real input as the latent, with all of them, and with none. Each must give the test's
output or be refused with a reason; it prints how many did which. \`--integers\` also quantizes them.
\`npm run zoo -- folder/\` takes every ONNX file of a folder through compile, setup, prove and verify, one row
a file, with the PSNR or the reason why not; \`--evm\` runs the generated contract as well.

A mask before Softmax (−∞, or −10000 and less, added or chosen by a constant condition) is not a number here: what
it hides is left out, exactly, and costs five layers of copies.

Refused with a reason, because somebody may expect them: three-dimensional convolutions and pools; a mask of −∞
that anything but Softmax reads; \`MaxPool\` padded so far that each place of the window is outside in some window;
batches; integers of 4 bits and reals of 8 or 4. \`Resize\` with \`align_corners\` and \`QLinearMatMul\` at the ends of
int8 do what onnxruntime does, which differs from ONNX's reference. Products of uint8 and int8 are exact here;
onnxruntime lets pairs of them saturate at 16 bits on processors without VNNI.
`
}
