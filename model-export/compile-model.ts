import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Choice } from './choose-bits.js'
import { type FidelityOptions, type FidelityReport, measureFidelity } from './fidelity.js'
import type { FloatModel } from './float-model.js'
import type { InputOptions } from './input-choice.js'
import type { IntegerModel } from './integer-model.js'
import { isolatePixels } from './isolate-pixels.js'
import { layerErrors } from './layer-errors.js'
import { lowerWithInputs } from './lower-onnx.js'
import type { LoweredGraph } from './lowering/lower-graph.js'
import type { Progress } from './progress.js'
import { type QuantizeOptions, quantizeWithReasons } from './quantize.js'

export type CompileOptions = Omit<QuantizeOptions, 'onnxSha256'> &
  Omit<FidelityOptions, 'inputs'> &
  InputOptions

/** A model and how far it is from the float model. */
export type CompiledModel = { readonly model: IntegerModel; readonly report: FidelityReport }

/** The worst image may be so many decibels below the median that was asked for. */
const WORST_BELOW_MEDIAN = 5
/** Seeds that a wanted closeness is checked on. */
const TARGET_SEEDS = 256
const MOST_ATTEMPTS = 6
/** Every layer's range grows by so much at a time. */
const MORE_HEADROOM = 1.25

/**
 * ONNX to an exact integer model, compared with the float model in onnxruntime. With `targetPsnr`, the
 * median of 256 images is so close and the worst at most 5 dB less, at the least cost that was found; the
 * report says whether that was reached.
 *
 * @param onnx - content of the ONNX file
 * @param name - name of the model, for people
 * @throws {PlatemarkError} where the model is not supported, not an image generator or not sound.
 * @example
 * const { model, report } = await compileModel(await readFile('sprites.onnx'), 'sprites', {
 *   profile: 'compact', latent: 'normal', toolVersion: '0.1.0',
 * }, silent)
 */
export async function compileModel(
  onnx: Uint8Array,
  name: string,
  options: CompileOptions,
  progress: Progress,
): Promise<CompiledModel> {
  const lowered = readFloatModel(onnx, name, options, progress)
  const { targetPsnr } = options
  if (targetPsnr === undefined) {
    const choice = quantizeFloat(onnx, lowered.model, options, progress)
    return report(onnx, lowered, choice, options, progress)
  }
  const seeds = options.seeds ?? TARGET_SEEDS
  let wanted = targetPsnr
  let headroom = options.headroom ?? 1
  for (let attempt = 1; ; attempt++) {
    const own = { ...options, seeds, targetPsnr: wanted, headroom }
    const choice = quantizeFloat(onnx, lowered.model, own, progress)
    const compiled = await report(onnx, lowered, choice, own, progress)
    const { medianPsnr, worstPsnr } = compiled.report
    const missing = targetPsnr - medianPsnr
    const worstMissing = targetPsnr - WORST_BELOW_MEDIAN - worstPsnr
    const target = { psnr: targetPsnr, reached: missing <= 0 && worstMissing <= 0 }
    const most = choice.trials.every(({ psnr }) => psnr < wanted)
    if (target.reached || attempt === MOST_ATTEMPTS || (missing > 0 && most))
      return { ...compiled, report: { ...compiled.report, target } }
    // An image that is far worse than the others has left the range of a layer: bits do not help it.
    if (worstMissing > missing) headroom *= MORE_HEADROOM
    if (missing <= 0) continue
    // Trial seeds were kinder than these: the next try aims higher, and beyond what was chosen now.
    const chosen = Math.min(...choice.trials.map(({ psnr }) => psnr).filter((it) => it >= wanted))
    wanted = Math.min(58, Math.max(wanted + missing, chosen + 0.01))
  }
}

/**
 * ONNX to an exact integer model, without the comparison.
 *
 * @throws {PlatemarkError} as `compileModel`.
 */
export function quantizeOnnx(
  onnx: Uint8Array,
  name: string,
  options: CompileOptions,
  progress: Progress,
): IntegerModel {
  const { model } = readFloatModel(onnx, name, options, progress)
  return quantizeFloat(onnx, model, options, progress).model
}

function readFloatModel(
  onnx: Uint8Array,
  name: string,
  options: InputOptions,
  progress: Progress,
): LoweredGraph {
  progress({ step: 'read the ONNX file' })
  return lowerWithInputs(onnx, name, options)
}

function quantizeFloat(
  onnx: Uint8Array,
  float: FloatModel,
  { inputs: _, ...options }: CompileOptions,
  progress: Progress,
): Choice {
  const onnxSha256 = `0x${bytesToHex(sha256(onnx))}`
  return quantizeWithReasons(float, { ...options, onnxSha256 }, progress)
}

/** What was chosen, how close its images are and where the error comes from. */
async function report(
  onnx: Uint8Array,
  { model: float, inputs }: LoweredGraph,
  { model, trials, why }: Choice,
  options: CompileOptions,
  progress: Progress,
): Promise<CompiledModel> {
  const measured = await measureFidelity(onnx, model, { ...options, inputs }, progress)
  progress({ step: 'find the layer that hurts' })
  const { nodes, output } = isolatePixels(float)
  const errors = layerErrors({ ...float, nodes, output }, model)
  const layers = errors.filter((error) => error !== undefined)
  return {
    model,
    report: {
      ...measured,
      choice: { why, trials },
      nodes: measured.nodes.map((node, i) => ({ ...node, ...layers[i] })),
    },
  }
}
