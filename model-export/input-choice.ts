import type { VectorValues } from './float-model.js'

/** What an input of the ONNX file is to the proof. */
export type InputChoice =
  /** Expanded from the seed: several one after the other; in a loop once, or in each step anew. */
  | { readonly kind: 'latent'; readonly eachStep?: boolean }
  /** A class that the user chooses; the number of classes where the graph does not show it. */
  | { readonly kind: 'label'; readonly classes?: number }
  /** Numbers that the user chooses, a byte each. */
  | { readonly kind: 'vector'; readonly values: VectorValues }
  /** Always the same: one number for all elements, a number an element, or as many for each step of a loop. */
  | { readonly kind: 'constant'; readonly values: readonly number[] }

/** Choices by name of the input. */
export type InputChoices = ReadonlyMap<string, InputChoice>

/** A model that is called several times, its output each time the next call's input. */
export type LoopChoice = {
  readonly steps: number
  readonly output: string
  readonly input: string
}

/** How the inputs of an ONNX file are to be taken. */
export type InputOptions = {
  readonly inputs?: InputChoices
  readonly loop?: LoopChoice
}
