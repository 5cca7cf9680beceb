import type { UnaryChain, UnaryStep } from '../unary.js'

/** Joins neighbouring linear steps and leaves out the ones that do nothing. */
export function simplify(steps: UnaryChain): UnaryChain {
  const short: UnaryStep[] = []
  for (const step of steps) {
    const last = short.at(-1)
    if (step.op === 'linear' && last?.op === 'linear') {
      short[short.length - 1] = {
        op: 'linear',
        factor: step.factor * last.factor,
        offset: step.factor * last.offset + step.offset,
      }
    } else {
      short.push(step)
    }
  }
  return short.filter((step) => step.op !== 'linear' || step.factor !== 1 || step.offset !== 0)
}
