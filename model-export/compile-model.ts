import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Choice } from './choose-bits.js'
import { type FidelityOptions, type FidelityReport, measureFidelity } from './fidelity.js'
import type { InputOptions } from './input-choice.js'
import type { IntegerModel } from './integer-model.js'
import { isolatePixels } from './isolate-pixels.js'
import { layerErrors } from './layer-errors.js'
import { lowerWithInputs } from './lower-onnx.js'
import type { LoweredGraph } from './lowering/lower-graph.js'
import type { Progress } from './progress.js'
import { prepareQuantization, type QuantizeOptions, quantize, type Wish } from './quantize.js'

export type CompileOptions = Omit<QuantizeOptions, 'onnxSha256'> &
  Omit<FidelityOptions, 'inputs'> &
  InputOptions

/** A model and how far it is from the float model. */
export type CompiledModel = { readonly model: IntegerModel; readonly report: FidelityReport }

/** How close the median image is to be, in decibels, where nobody says. */
const USUAL_PSNR = 45
/** The worst image may be so many decibels below. */
const WORST_BELOW_MEDIAN = 5
const MOST_ATTEMPTS = 4
/** Every layer's range grows by so much at a time. */
const MORE_HEADROOM = 1.25
/** Rounding to whole pixels leaves 59 dB. */
const MOST_PSNR = 58

/**
 * ONNX to an exact integer model, compared with the float model in onnxruntime. The median of 256 images
 * (fewer of a large model) is 45 dB close or `targetPsnr`, the worst at most 5 dB less, at the least cost
 * that was found; the report says whether that was reached.
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
  const choose = prepareQuantization(lowered.model, quantizeOptions(onnx, options), progress)
  const psnr = options.targetPsnr ?? USUAL_PSNR
  let wish: Wish = options
  let best: { readonly compiled: CompiledModel; readonly missing: number } | undefined
  for (let attempt = 1; ; attempt++) {
    const choice = choose(wish)
    const compiled = await report(onnx, lowered, choice, options, progress)
    const { medianPsnr, worstPsnr } = compiled.report
    const worstMissing = psnr - WORST_BELOW_MEDIAN - worstPsnr
    const missing = Math.max(psnr - medianPsnr, worstMissing)
    if (best === undefined || missing < best.missing) best = { compiled, missing }
    const next =
      missing <= 0 || attempt === MOST_ATTEMPTS
        ? undefined
        : nextWish(wish, choice, missing, worstMissing === missing)
    if (next === undefined) {
      const target = { psnr, worstPsnr: psnr - WORST_BELOW_MEDIAN, reached: best.missing <= 0 }
      return { ...best.compiled, report: { ...best.compiled.report, target } }
    }
    wish = next
  }
}

/**
 * What to try where images are not close enough; undefined where nothing is left.
 *
 * @param missing - decibels
 * @param outlier - whether the worst image lacks them rather than the median: then it has left the range of
 *   a layer, where bits do not help it
 */
function nextWish(
  { targetPsnr, headroom = 1 }: Wish,
  choice: Choice,
  missing: number,
  outlier: boolean,
): Wish | undefined {
  if (choice.psnr === undefined) return undefined
  if (!choice.reached && !outlier) return undefined
  // More range did not help it enough: then bits, too.
  const more = choice.reached && (!outlier || headroom > 1)
  return {
    // Trial seeds were kinder than these: the next try aims higher than what was chosen now.
    targetPsnr: more ? Math.min(MOST_PSNR, choice.psnr + missing) : targetPsnr,
    headroom: outlier ? headroom * MORE_HEADROOM : headroom,
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
  return quantize(model, quantizeOptions(onnx, options), progress)
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

function quantizeOptions(
  onnx: Uint8Array,
  { inputs: _, ...options }: CompileOptions,
): QuantizeOptions {
  return { ...options, onnxSha256: `0x${bytesToHex(sha256(onnx))}` }
}

/** What was chosen, how close its images are and where the error comes from. */
async function report(
  onnx: Uint8Array,
  { model: float, inputs }: LoweredGraph,
  { model, trials, why, layers: bits }: Choice,
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
      nodes: measured.nodes.map((node, i) => ({
        ...node,
        ...layers[i],
        ...(bits === undefined ? {} : { bits: bits[i]! }),
      })),
    },
  }
}
