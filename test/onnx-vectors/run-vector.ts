import { planBlocks } from '../../circuits/sumcheck/plan.js'
import { executeFloat } from '../../model-export/execute-float.js'
import { measureFidelity } from '../../model-export/fidelity.js'
import { verifyBounds } from '../../model-export/intervals.js'
import { lowerOnnx } from '../../model-export/lower-onnx.js'
import type { Constant } from '../../model-export/onnx/onnx-graph.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { silent } from '../../model-export/progress.js'
import { quantize } from '../../model-export/quantize.js'
import type { OnnxVector } from './read-vector.js'
import { waysToRun, wrapVector } from './wrap-vector.js'

/** What came of one vector. */
export type Outcome =
  | { readonly kind: 'passed'; readonly ways: number; readonly psnr?: number }
  /** Only with constants, which is all that is claimed of the operator, or all that it can be run with. */
  | { readonly kind: 'folded' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }

/** As ONNX compares, and a little for single precision. */
const RELATIVE = 1e-3
const ABSOLUTE = 1e-5
/** Short reals have 11 and 8 bits; what is computed is not rounded to them. */
const SHORT: Readonly<Record<string, number>> = { float16: 4e-3, bfloat16: 2e-2 }

/**
 * Runs a vector with every choice of inputs that depend on the latent, and each of its outputs. A choice may
 * be refused, with an error of ours; none may give other numbers.
 */
export async function runVector(vector: OnnxVector, integers: boolean): Promise<Outcome> {
  let ways = 0
  let folded = false
  let refusal: string | undefined
  let psnr = Infinity
  for (const active of waysToRun(vector)) {
    for (const [output, wanted] of vector.outputs.entries()) {
      const label = `${active.length === 0 ? 'constants' : `latent in ${active.join(', ')}`}, output ${output}`
      try {
        const { onnx, latent } = wrapVector(vector, active, output)
        const model = lowerOnnx(onnx, vector.name)
        const actual = executeFloat(model, latent).get(model.output.name)!
        const difference = compare(actual, model.output.shape, wanted, active.length === 0)
        if (difference !== undefined) return { kind: 'failed', reason: `${label}: ${difference}` }
        if (active.length === 0) folded = true
        else ways++
        if (integers && active.length === 1)
          psnr = Math.min(psnr, await integerPsnr(onnx, vector.name))
      } catch (error) {
        if (!(error instanceof PlatemarkError))
          return {
            kind: 'failed',
            reason: `${label}: ${error instanceof Error ? error.stack : error}`,
          }
        if (active.length > 0 || refusal === undefined) refusal ??= headline(error)
      }
    }
  }
  if (ways > 0) return { kind: 'passed', ways, ...(Number.isFinite(psnr) ? { psnr } : {}) }
  return folded ? { kind: 'folded' } : { kind: 'refused', reason: refusal ?? 'nothing to run' }
}

function compare(
  actual: Float64Array,
  shape: readonly number[],
  { dtype, data, shape: wantedShape }: Constant,
  folded: boolean,
): string | undefined {
  if (actual.length !== data.length)
    return `${actual.length} elements, wanted ${data.length} (${wantedShape.join('×')})`
  if (!folded && shape.join('×') !== wantedShape.join('×'))
    return `shape ${shape.join('×')}, wanted ${wantedShape.join('×')}`
  const relative = SHORT[dtype] ?? RELATIVE
  for (let i = 0; i < data.length; i++) {
    const [is, want] = [actual[i]!, data[i]!]
    if (Object.is(is, want) || is === want) continue
    if (Number.isNaN(is) && Number.isNaN(want)) continue
    if (!(Math.abs(is - want) <= ABSOLUTE + relative * Math.abs(want)))
      return `element ${i} is ${is}, wanted ${want}`
  }
  return undefined
}

/** The integer model, for latents of its own; its bounds and its circuit's blocks are made, too. */
async function integerPsnr(onnx: Uint8Array, name: string): Promise<number> {
  const options = {
    profile: 'fidelity',
    latent: 'normal',
    anyOutput: true,
    calibrationSeeds: 32,
    seeds: 8,
    toolVersion: 'vectors',
    onnxSha256: `0x${'00'.repeat(32)}`,
  } as const
  const model = quantize(lowerOnnx(onnx, name), options)
  verifyBounds(model)
  planBlocks(model)
  return (await measureFidelity(onnx, model, options, silent)).psnr
}

/** The first line without names, so that equal reasons count together. */
function headline(error: PlatemarkError): string {
  return error.message.split('\n')[0]!.replace(/"[^"]*"/g, '"…"')
}
