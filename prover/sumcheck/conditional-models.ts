import { quantizeOnnx } from '../../model-export/compile-model.js'
import { labelGenerator } from '../../model-export/conditional-specs.js'
import type { InputChoice } from '../../model-export/input-choice.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { buildOnnx } from '../../model-export/onnx/build-onnx.js'
import { silent } from '../../model-export/progress.js'

/** A generator of 8×8 images that takes a label of five classes, for tests. */
export function labelModel(): IntegerModel {
  return compiled(false)
}

/** The same that also takes a style of four numbers, by which the latent is multiplied. */
export function styledModel(): IntegerModel {
  return compiled(true)
}

function compiled(styled: boolean): IntegerModel {
  const inputs = new Map<string, InputChoice>([['z', { kind: 'latent' }]])
  if (styled) inputs.set('style', { kind: 'vector', values: [-2, 2] })
  return quantizeOnnx(
    buildOnnx(labelGenerator('gather', styled)),
    styled ? 'styled' : 'labelled',
    {
      profile: 'fidelity',
      latent: 'normal',
      toolVersion: '0',
      calibrationSeeds: 24,
      tableBits: 11,
      inputs,
    },
    silent,
  )
}

/** The conditions of `labelModel`, or with a style of `styledModel`. */
export function choice(label: number, ...style: readonly number[]): Uint8Array {
  return Uint8Array.of(label >> 8, label & 255, ...style)
}
