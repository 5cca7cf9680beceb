import { fixturePath } from '../fixtures/golden.js'
import type { InputChoices } from '../model-export/input-choice.js'

/** A fixture that the demo can be run with. */
export type DemoModel = {
  /** Inputs besides the latent, where they cannot be detected, and what they are to be. */
  readonly inputs?: InputChoices
  readonly conditions?: Uint8Array
  /** Of the model and of the files. */
  readonly name: string
  readonly onnx: string
  readonly backend: 'sumcheck' | 'groth16'
  readonly profile: 'fidelity' | 'compact'
  /** What a sumcheck proof binds, where that is not the default. */
  readonly imageBinding?: 'pixels' | 'commitment'
  readonly seed: bigint
  readonly collection: { readonly name: string; readonly symbol: string }
}

/** The fixtures, the one that is shown unless another is asked for first. */
export const demoModels: readonly [DemoModel, ...DemoModel[]] = [
  {
    name: 'landscapes',
    onnx: fixturePath('landscapes/landscapes.onnx'),
    backend: 'sumcheck',
    profile: 'fidelity',
    seed: 7n,
    collection: { name: 'Landscapes', symbol: 'LAND' },
  },
  {
    name: 'sprites',
    onnx: fixturePath('sprites/sprites.onnx'),
    backend: 'groth16',
    profile: 'compact',
    seed: 42n,
    collection: { name: 'Sprites', symbol: 'SPRITE' },
  },
]
