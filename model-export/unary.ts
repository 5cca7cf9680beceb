/**
 * Unary real functions, as data. A chain of them is what the table of one layer computes, so a
 * model's `Tanh → Mul 0.5 → Add 0.5` costs the same as a lone `Tanh`.
 */
export type UnaryStep =
  | { readonly op: 'linear'; readonly factor: number; readonly offset: number }
  | { readonly op: 'relu' }
  | { readonly op: 'leakyRelu'; readonly alpha: number }
  | { readonly op: 'elu'; readonly alpha: number }
  | { readonly op: 'sigmoid' }
  | { readonly op: 'tanh' }
  | { readonly op: 'clip'; readonly min: number; readonly max: number }
  | { readonly op: 'hardSigmoid'; readonly alpha: number; readonly beta: number }
  | { readonly op: 'softplus' }

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
