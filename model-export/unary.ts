import { type ElementaryName, elementary } from './elementary.js'

/**
 * Unary real functions, as data. A chain of them is what the table of one layer computes, so a
 * model's `Tanh → Mul 0.5 → Add 0.5` costs the same as a lone `Tanh`.
 */
export type UnaryStep =
  | { readonly op: 'linear'; readonly factor: number; readonly offset: number }
  | { readonly op: 'relu' }
  | { readonly op: 'leakyRelu'; readonly alpha: number }
  | { readonly op: 'thresholdedRelu'; readonly alpha: number }
  | { readonly op: 'elu'; readonly alpha: number }
  | { readonly op: 'sigmoid' }
  | { readonly op: 'tanh' }
  | { readonly op: 'clip'; readonly min: number; readonly max: number }
  | { readonly op: 'hardSigmoid'; readonly alpha: number; readonly beta: number }
  | { readonly op: 'softplus' }
  | { readonly op: 'shrink'; readonly bias: number; readonly lambda: number }
  | { readonly op: 'power'; readonly exponent: number }
  | { readonly op: 'elementary'; readonly name: ElementaryName }
  /** The sum, or the product, of several functions of the same number: `x · sigmoid(x)`. */
  | { readonly op: 'sum'; readonly of: readonly UnaryChain[] }
  | { readonly op: 'product'; readonly of: readonly UnaryChain[] }

/** Functions applied from first to last; the empty chain is the identity. */
export type UnaryChain = readonly UnaryStep[]

/** The value of one step at `x`. */
export function evaluateStep(step: UnaryStep, x: number): number {
  switch (step.op) {
    case 'linear':
      return step.factor * x + step.offset
    case 'relu':
      return x > 0 ? x : 0
    case 'leakyRelu':
      return x >= 0 ? x : step.alpha * x
    case 'thresholdedRelu':
      return x > step.alpha ? x : 0
    case 'elu':
      return x >= 0 ? x : step.alpha * Math.expm1(x)
    case 'sigmoid':
      return 1 / (1 + Math.exp(-x))
    case 'tanh':
      return Math.tanh(x)
    case 'clip':
      return Math.min(Math.max(x, step.min), step.max)
    case 'hardSigmoid':
      return Math.min(Math.max(step.alpha * x + step.beta, 0), 1)
    case 'softplus':
      return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))
    case 'shrink':
      return x < -step.lambda ? x + step.bias : x > step.lambda ? x - step.bias : 0
    case 'power':
      return x ** step.exponent
    case 'elementary':
      return elementary(step.name).value(x)
    case 'sum':
      return step.of.reduce((sum, chain) => sum + evaluateUnary(chain, x), 0)
    case 'product': {
      const factors = step.of.map((chain) => evaluateUnary(chain, x))
      // Where one factor has vanished and another overflowed, the first is meant.
      return factors.includes(0) ? 0 : factors.reduce((product, factor) => product * factor, 1)
    }
  }
}

/**
 * The value of a chain at `x`.
 *
 * @example
 * evaluateUnary([{ op: 'tanh' }, { op: 'linear', factor: 0.5, offset: 0.5 }], 0) // 0.5
 */
export function evaluateUnary(chain: UnaryChain, x: number): number {
  let value = x
  for (const step of chain) value = evaluateStep(step, value)
  return value
}

/** Whether a table of the chain needs rows finer than its output where it is steepest. */
export function isCurved(chain: UnaryChain): boolean {
  return chain.some((step) =>
    step.op === 'elementary'
      ? elementary(step.name).straight !== true
      : step.op === 'sigmoid' || step.op === 'tanh' || isRoot(step),
  )
}

/** Whether the chain has places where it is much steeper than at 0: then it matters where it is used. */
export function isUneven(chain: UnaryChain): boolean {
  return chain.some((step) => (step.op === 'elementary' ? isCurved([step]) : isRoot(step)))
}

/** Whether the chain goes to infinity somewhere: its values matter by their ratio, not their difference. */
export function hasPole(chain: UnaryChain): boolean {
  return chain.some(
    (step) =>
      (step.op === 'elementary' && step.name === 'reciprocal') ||
      (step.op === 'power' && step.exponent < 0),
  )
}

/** Powers that are no polynomials. */
function isRoot(step: UnaryStep): boolean {
  return step.op === 'power' && !(Number.isInteger(step.exponent) && step.exponent >= 0)
}

/** The chain in words, for reports. */
export function describeChain(chain: UnaryChain): string {
  const words = chain.map((step) =>
    step.op === 'elementary'
      ? step.name
      : step.op === 'sum' || step.op === 'product'
        ? `(${step.of.map(describeChain).join(step.op === 'sum' ? ' + ' : ' · ')})`
        : step.op,
  )
  return words.join(' → ') || 'identity'
}
/** Whether f(c·x) = c·f(x) for all c > 0: then a table of f knows no scale. */
export function isHomogeneous(chain: UnaryChain): boolean {
  return chain.every(
    (step) =>
      step.op === 'relu' || step.op === 'leakyRelu' || (step.op === 'linear' && step.offset === 0),
  )
}

/** Whether a step rounds to integers. */
export function isRounding(step: UnaryStep): boolean {
  return step.op === 'elementary' && step.name === 'round'
}

/** Whether a step jumps somewhere: no row is narrow enough there. */
export function jumps(step: UnaryStep): boolean {
  return step.op === 'elementary' && ['ceil', 'floor', 'round', 'sign'].includes(step.name)
}
