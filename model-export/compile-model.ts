import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { type FidelityOptions, type FidelityReport, measureFidelity } from './fidelity.js'
import type { InputOptions } from './input-choice.js'
import type { IntegerModel } from './integer-model.js'
import { lowerOnnx, lowerWithInputs } from './lower-onnx.js'
import type { Progress } from './progress.js'
import { type QuantizeOptions, quantize } from './quantize.js'

export type CompileOptions = Omit<QuantizeOptions, 'onnxSha256'> &
  Omit<FidelityOptions, 'inputs'> &
  InputOptions

/** A model and how far it is from the float model. */
export type CompiledModel = { readonly model: IntegerModel; readonly report: FidelityReport }

/**
 * ONNX to an exact integer model, compared with the float model in onnxruntime.
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
  progress({ step: 'read the ONNX file' })
  const { inputs: _, ...rest } = options
  const lowered = lowerWithInputs(onnx, name, options)
  const model = quantize(lowered.model, { ...rest, onnxSha256: hashOf(onnx) }, progress)
  const feeds = { ...rest, inputs: lowered.inputs }
  return { model, report: await measureFidelity(onnx, model, feeds, progress) }
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
  progress({ step: 'read the ONNX file' })
  const floatModel = lowerOnnx(onnx, name, options)
  return quantize(floatModel, { ...options, onnxSha256: hashOf(onnx) }, progress)
}

function hashOf(onnx: Uint8Array): string {
  return `0x${bytesToHex(sha256(onnx))}`
}
