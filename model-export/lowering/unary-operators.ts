import type { ElementaryName } from '../elementary.js'
import { floatAttribute, stringAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { OnnxNode } from '../onnx/onnx-graph.js'
import type { UnaryChain } from '../unary.js'
import { uniformValue } from './compact.js'
import { activationInput, emitElementwise, type Lower, required, requireFloat } from './lowering.js'

/** An operator that is a table. */
function table(chain: (node: OnnxNode) => UnaryChain): Lower {
  return (node, inputs, lowering) => [
    emitElementwise(lowering, node, activationInput(node, inputs, 0), { activation: chain(node) }),
  ]
}

function elementary(name: ElementaryName): Lower {
  return table(() => [{ op: 'elementary', name }])
}

const times = (factor: number, offset = 0) => ({ op: 'linear', factor, offset }) as const

/** `x · function(x)`. */
const gated = (chain: UnaryChain): UnaryChain => [{ op: 'product', of: [[], chain] }]

const HARD_SWISH = gated([{ op: 'hardSigmoid', alpha: 1 / 6, beta: 0.5 }])
const MISH = gated([{ op: 'softplus' }, { op: 'tanh' }])
const GELU = gated([times(Math.SQRT1_2), { op: 'elementary', name: 'erf' }, times(0.5, 0.5)])
const GELU_BY_TANH = gated([
  { op: 'sum', of: [[], [{ op: 'power', exponent: 3 }, times(0.044715)]] },
  times(Math.sqrt(2 / Math.PI)),
  { op: 'tanh' },
  times(0.5, 0.5),
])

/** Operators that are one function of each element. */
export const unaryOperators: Readonly<Record<string, Lower>> = {
  Abs: elementary('abs'),
  Acos: elementary('acos'),
  Acosh: elementary('acosh'),
  Asin: elementary('asin'),
  Asinh: elementary('asinh'),
  Atan: elementary('atan'),
  Atanh: elementary('atanh'),
  Ceil: elementary('ceil'),
  // max(0, x) + min(0, alpha · (e^(x / alpha) − 1))
  Celu: table((node) => {
    const alpha = floatAttribute(node, 'alpha', 1)
    return [times(1 / alpha), { op: 'elu', alpha: 1 }, times(alpha)]
  }),
  Cos: elementary('cos'),
  Cosh: elementary('cosh'),
  Erf: elementary('erf'),
  Exp: elementary('exp'),
  Floor: elementary('floor'),
  Gelu: table((node) =>
    stringAttribute(node, 'approximate', 'none') === 'tanh' ? GELU_BY_TANH : GELU,
  ),
  HardSwish: table(() => HARD_SWISH),
  Log: elementary('log'),
  Mish: table(() => MISH),
  Reciprocal: elementary('reciprocal'),
  Round: elementary('round'),
  Selu: table((node) => [
    { op: 'elu', alpha: floatAttribute(node, 'alpha', 1.6732631921768188) },
    times(floatAttribute(node, 'gamma', 1.0507010221481323)),
  ]),
  Shrink: table((node) => [
    {
      op: 'shrink',
      bias: floatAttribute(node, 'bias', 0),
      lambda: floatAttribute(node, 'lambd', 0.5),
    },
  ]),
  Sign: elementary('sign'),
  Sin: elementary('sin'),
  Sinh: elementary('sinh'),
  Softsign: elementary('softsign'),
  Sqrt: elementary('sqrt'),
  Swish: table((node) => gated([times(floatAttribute(node, 'alpha', 1)), { op: 'sigmoid' }])),
  Tan: elementary('tan'),
  ThresholdedRelu: table((node) => [
    { op: 'thresholdedRelu', alpha: floatAttribute(node, 'alpha', 1) },
  ]),
}

/** A power with one constant exponent, or of one constant base. */
export const lowerPow: Lower = (node, inputs, lowering) => {
  const [base, exponent] = [required(node, inputs, 0), required(node, inputs, 1)]
  const constant = base.kind === 'constant' ? base : exponent
  const value = base.kind === 'constant' ? exponent : base
  if (constant.kind !== 'constant' || value.kind === 'constant') {
    throw nodeError(node, 'a power of two computed tensors is not supported', {
      expected: 'a constant base or a constant exponent',
      found: `"${node.inputs[0]}" and "${node.inputs[1]}" both depend on the latent`,
    })
  }
  requireFloat(node, { ...constant, dtype: 'float32' }, 'constant operand')
  const number = uniformValue(constant)
  if (number === undefined || constant.shape.length > value.shape.length) {
    throw nodeError(node, 'the constant operand is not one number', {
      expected: 'a scalar',
      found: `shape ${constant.shape.join('×')}`,
    })
  }
  if (base.kind !== 'constant')
    return [
      emitElementwise(lowering, node, value, { activation: [{ op: 'power', exponent: number }] }),
    ]
  if (!(number > 0)) throw nodeError(node, 'the base is not positive', { found: String(number) })
  const activation: UnaryChain = [times(Math.log(number)), { op: 'elementary', name: 'exp' }]
  return [emitElementwise(lowering, node, value, { activation })]
}
