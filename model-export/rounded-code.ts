import { makeTable, type OutputCode } from './quantize-affine.js'
import { evaluateUnary, isRounding, type UnaryChain } from './unary.js'

/*
 * Layers that the model itself rounds, as models do that are quantized already. Where only lines stand
 * before the first rounding, the borders between the table's rows are the rounding's own, so that
 * what stands behind is met exactly; where only lines stand behind the last one, the output's integers
 * are the model's. Then layer and model differ in ties only (half up, and half to even).
 */

/** Beyond this no table reaches. */
const FAR = 2 ** 24

/**
 * The output that has the model's own integers.
 *
 * @returns undefined where the function does not end in a rounding, lines and bounds
 */
export function roundedCode(activation: UnaryChain): OutputCode | undefined {
  const at = activation.findLastIndex(isRounding)
  const after = activation.slice(at + 1)
  const slope = Math.abs(slopeOf(after))
  if (at < 0 || !isStraight(after) || slope === 0) return undefined
  const ends = [-FAR, FAR].map((x) => evaluateUnary(after, x) / slope)
  const limits = { min: Math.round(Math.min(...ends)), max: Math.round(Math.max(...ends)) }
  return { factor: 1 / slope, offset: 0, ...limits, elastic: false }
}

/** The same output, with a row for each integer that the first rounding can make. */
export function withRoundedRows(activation: UnaryChain, code: OutputCode): OutputCode {
  const at = activation.findIndex(isRounding)
  const before = activation.slice(0, Math.max(at, 0))
  const moves = before.some((step) => step.op === 'linear' && step.offset !== 0)
  const steepness = Math.abs(slopeOf(before))
  if (at < 0 || !isStraight(before) || moves || steepness === 0) return code
  const width = 1 / steepness
  return {
    ...code,
    rows: { width, table: (range) => makeTable(activation, code, width, 0, range) },
  }
}

function isStraight(chain: UnaryChain): boolean {
  return chain.every(({ op }) => op === 'linear' || op === 'relu' || op === 'clip')
}

function slopeOf(chain: UnaryChain): number {
  return chain.reduce((slope, step) => (step.op === 'linear' ? slope * step.factor : slope), 1)
}
