import type { Condition, IntegerModel } from './integer-model.js'
import { sampleLatent } from './latent-table.js'
import { PlatemarkError } from './platemark-error.js'

/*
 * What a user chooses besides the seed is one byte string, the conditions of the model one after the
 * other:
 *
 *     label:  two bytes, the class as a big-endian number below `classes`
 *     vector: one byte a dimension, an index into the table
 *
 * There is one such string for every choice, and its length follows from the model.
 */

/** Labels are two bytes. */
export const MOST_CLASSES = 2 ** 16

const LABEL_BYTES = 2

/** The conditions of a model without any. */
export const NO_CONDITIONS: Uint8Array = new Uint8Array(0)

/** The conditions of a model; tensor i + 1 holds condition i. */
export function conditionsOf(model: Pick<IntegerModel, 'conditions'>): readonly Condition[] {
  return model.conditions ?? []
}

/** Bytes of one condition. */
export function conditionBytes(condition: Condition): number {
  return condition.kind === 'label' ? LABEL_BYTES : condition.dimensions
}

/** Elements of the tensor that holds a condition. */
export function conditionElements(condition: Condition): number {
  return condition.kind === 'label' ? condition.classes : condition.dimensions
}

/** What one condition is: a class, or the bytes of a vector. */
export type ConditionValue =
  | { readonly kind: 'label'; readonly label: number }
  | { readonly kind: 'vector'; readonly bytes: Uint8Array }

/**
 * Takes a byte string apart.
 *
 * @throws {PlatemarkError} for a wrong length, or a label that is no class.
 * @example
 * splitConditions([{ kind: 'label', classes: 10 }], Uint8Array.of(0, 3)) // [{ kind: 'label', label: 3 }]
 */
export function splitConditions(
  conditions: readonly Condition[],
  bytes: Uint8Array,
): readonly ConditionValue[] {
  const size = conditions.reduce((sum, condition) => sum + conditionBytes(condition), 0)
  if (bytes.length !== size)
    throw new PlatemarkError('The conditions have the wrong length.', {
      expected:
        size === 0 ? 'none: this model takes a seed only' : `${size} bytes, as the model says`,
      found: `${bytes.length} bytes`,
    })
  let at = 0
  return conditions.map((condition, i) => {
    const own = bytes.subarray(at, at + conditionBytes(condition))
    at += own.length
    if (condition.kind === 'vector') return { kind: 'vector', bytes: own }
    const label = own[0]! * 256 + own[1]!
    if (label >= condition.classes)
      throw new PlatemarkError('The label is no class of the model.', {
        expected: `condition ${i} from 0 to ${condition.classes - 1}`,
        found: String(label),
      })
    return { kind: 'label', label }
  })
}

/** The byte string of what was chosen; `splitConditions` is its inverse. */
export function joinConditions(values: readonly ConditionValue[]): Uint8Array {
  return Uint8Array.from(
    values.flatMap((value) =>
      value.kind === 'label' ? [value.label >> 8, value.label & 255] : [...value.bytes],
    ),
  )
}

/**
 * The integers that the tensors 1, 2, … hold: a label is the vector with one 1, at the class.
 *
 * @throws {PlatemarkError} as `splitConditions`.
 */
export function conditionTensors(
  conditions: readonly Condition[],
  bytes: Uint8Array,
): readonly Float64Array[] {
  return splitConditions(conditions, bytes).map((value, i) => {
    const condition = conditions[i]!
    if (value.kind === 'vector' && condition.kind === 'vector')
      return Float64Array.from(value.bytes, (byte) => condition.table[byte]!)
    const tensor = new Float64Array(conditionElements(condition))
    if (value.kind === 'label') tensor[value.label] = 1
    return tensor
  })
}

/** The real tensors that conditions stand for: what the float model is fed with. */
export function realConditions(
  conditions: readonly Condition[],
  bytes: Uint8Array,
): readonly Float64Array[] {
  return conditionTensors(conditions, bytes).map((tensor, i) => {
    const condition = conditions[i]!
    return condition.kind === 'label' ? tensor : tensor.map((value) => value * condition.scale)
  })
}

/** Conditions for calibration and reports: classes in turn, vectors of spread bytes. */
export function sampleConditions(seed: number, conditions: readonly Condition[]): Uint8Array {
  return joinConditions(
    conditions.map((condition, i) => {
      if (condition.kind === 'label') return { kind: 'label', label: seed % condition.classes }
      return { kind: 'vector', bytes: sampleLatent(seed + 7919 * (i + 1), condition.dimensions) }
    }),
  )
}
