import { makeTable, type OutputCode } from './quantize-affine.js'
import { evaluateUnary, type UnaryChain } from './unary.js'

/** Beyond this no table reaches. */
const FAR = 2 ** 24

/**
 * The output of a layer that the model itself rounds: its integers are the model's, and where only
 * lines stand before the rounding, so are the borders between the rows of its table. Then layer and
 * model differ in ties only (half up, and half to even).
 *
 * @param fixed - whether the layer's scale is not free, as that of a product of two activations
 * @returns undefined where the function does not end in a rounding, lines and bounds
 */
export function roundedCode(activation: UnaryChain, fixed: boolean): OutputCode | undefined {
  const at = activation.findLastIndex((step) => step.op === 'elementary' && step.name === 'round')
  if (at < 0) return undefined
  const before = activation.slice(0, at)
  const after = activation.slice(at + 1)
  const isStraight = (chain: UnaryChain): boolean =>
    chain.every(({ op }) => op === 'linear' || op === 'relu' || op === 'clip')
  if (!isStraight(after)) return undefined
  const slope = slopeOf(after)
  if (slope === 0) return undefined
  const ends = [-FAR, FAR].map((x) => evaluateUnary(after, x) / Math.abs(slope))
  const limits = { min: Math.round(Math.min(...ends)), max: Math.round(Math.max(...ends)) }
  const code = { factor: 1 / Math.abs(slope), offset: 0, ...limits, elastic: false }
  const steepness = Math.abs(slopeOf(before))
  const movesRows = before.some((step) => step.op === 'linear' && step.offset !== 0)
  if (fixed || !isStraight(before) || steepness === 0 || movesRows) return code
  const width = 1 / steepness
  return {
    ...code,
    rows: { width, table: (range) => makeTable(activation, code, width, 0, range) },
  }
}

function slopeOf(chain: UnaryChain): number {
  return chain.reduce((slope, step) => (step.op === 'linear' ? slope * step.factor : slope), 1)
}
