import { conditionsOf, conditionTensors, NO_CONDITIONS } from './conditions.js'
import { prepareEinsum } from './einsum.js'
import type { AffineNode, IntegerModel, IntegerTerm, RearrangeNode } from './integer-model.js'
import { prepareTerm } from './linear-terms.js'
import { PlatemarkError } from './platemark-error.js'
import { broadcastIndex, elementCount, gather, transposeIndex } from './tensor-index.js'

/** Bound once: these loops are hot, and a test runner's realm looks globals up slowly. */
const { floor } = Math

/** Every value of one execution. */
export type Trace = {
  readonly pixels: Uint8Array
  /** By tensor id. */
  readonly tensors: readonly Int32Array[]
  /** By node; rearrange nodes compute nothing and have none. */
  readonly nodes: readonly (AffineTrace | undefined)[]
}

/** For every output element, `accumulator · multiplier + half = quotient · 2^shift + remainder`. */
export type AffineTrace = {
  readonly accumulator: Float64Array
  readonly quotient: Int32Array
  readonly remainder: Float64Array
}

/** A model whose weights are laid out for execution. */
export type Executor = {
  readonly execute: (latentBytes: Uint8Array, conditions?: Uint8Array) => Uint8Array
  readonly trace: (latentBytes: Uint8Array, conditions?: Uint8Array) => Trace
}

const executors = new WeakMap<IntegerModel, Executor>()

/**
 * The exact image of a latent: the integer model's pixels, row-major height × width × channels.
 *
 * @param model - a model that is never changed afterwards (its layout is prepared once)
 * @param latentBytes - `model.latent.dimensions` bytes, from `expandSeed`
 * @param conditions - what was chosen besides the seed, as `conditions.ts` writes it
 * @throws {PlatemarkError} for a wrong number of bytes, a label that is no class, or a model whose bounds
 * are false.
 * @example
 * const pixels = execute(plate.model, expandSeed(42n, plate.model.latent.dimensions))
 */
export function execute(
  model: IntegerModel,
  latentBytes: Uint8Array,
  conditions: Uint8Array = NO_CONDITIONS,
): Uint8Array {
  return prepare(model).execute(latentBytes, conditions)
}

/**
 * Every tensor, accumulator, quotient and remainder of one execution.
 *
 * @throws {PlatemarkError} as `execute`.
 * @example
 * trace(model, latentBytes).tensors[model.image.tensor] // the pixels
 */
export function trace(
  model: IntegerModel,
  latentBytes: Uint8Array,
  conditions: Uint8Array = NO_CONDITIONS,
): Trace {
  return prepare(model).trace(latentBytes, conditions)
}

/** Lays out the weights of a model; `execute` and `trace` do this once per model. */
export function prepare(model: IntegerModel): Executor {
  const known = executors.get(model)
  if (known !== undefined) return known
  const executor = prepareExecutor(model)
  executors.set(model, executor)
  return executor
}

/** Computes one node: reads and writes `tensors`, returns its trace when `keep` is set. */
type Step = (tensors: readonly Float64Array[], keep: boolean) => AffineTrace | undefined

function prepareExecutor(model: IntegerModel): Executor {
  const tensors = model.tensors.map(({ shape }) => new Float64Array(elementCount(shape)))
  const latentTable = Float64Array.from(model.latent.table)
  const steps = model.nodes.map((node) =>
    node.kind === 'affine' ? affineStep(model, node) : rearrangeStep(node),
  )

  const conditions = conditionsOf(model)
  const run = (
    latentBytes: Uint8Array,
    chosen: Uint8Array,
    keep: boolean,
  ): (AffineTrace | undefined)[] => {
    if (latentBytes.length !== model.latent.dimensions)
      throw new PlatemarkError('The latent has the wrong length.', {
        expected: `${model.latent.dimensions} bytes`,
        found: `${latentBytes.length} bytes`,
      })
    for (let i = 0; i < latentBytes.length; i++) tensors[0]![i] = latentTable[latentBytes[i]!]!
    conditionTensors(conditions, chosen).forEach((tensor, i) => {
      tensors[i + 1]!.set(tensor)
    })
    return steps.map((step) => step(tensors, keep))
  }
  const pixels = () => toPixels(tensors[model.image.tensor]!)

  return {
    execute: (latentBytes, chosen = NO_CONDITIONS) => {
      run(latentBytes, chosen, false)
      return pixels()
    },
    trace: (latentBytes, chosen = NO_CONDITIONS) => {
      const nodes = run(latentBytes, chosen, true)
      return { pixels: pixels(), tensors: tensors.map((t) => Int32Array.from(t)), nodes }
    },
  }
}

function affineStep(model: IntegerModel, node: AffineNode): Step {
  const shape = model.tensors[node.output]!.shape
  const count = elementCount(shape)
  const terms = node.terms.map((term) => termStep(term, shape))
  const bias = expandBias(node, shape)
  const accumulator = new Float64Array(count)
  const table = model.tables[node.table]!
  const { multiplier, shift } = node.requantize
  const power = 2 ** shift
  const half = shift > 0 ? power / 2 : 0
  const { first, values } = table

  return (tensors, keep) => {
    accumulator.set(bias)
    for (const add of terms) add(tensors, accumulator)
    const output = tensors[node.output]!
    const quotient = new Int32Array(keep ? count : 0)
    const remainder = new Float64Array(keep ? count : 0)
    for (let i = 0; i < count; i++) {
      const scaled = accumulator[i]! * multiplier + half
      // Dividing by a power of two is exact, so the floor is too.
      const q = floor(scaled / power)
      const row = q - first
      if (!(row >= 0 && row < values.length)) throw outsideTable(node, i, q)
      output[i] = values[row]!
      if (keep) {
        quotient[i] = q
        remainder[i] = scaled - q * power
      }
    }
    return keep ? { accumulator: accumulator.slice(), quotient, remainder } : undefined
  }
}

type TermStep = (tensors: readonly Float64Array[], accumulator: Float64Array) => void

function termStep(term: IntegerTerm, shape: readonly number[]): TermStep {
  if (term.kind === 'einsum') {
    const multiply = prepareEinsum(term)
    return (tensors, accumulator) =>
      multiply(tensors[term.input]!, tensors[term.operand]!, accumulator)
  }
  const add = prepareTerm(term, shape)
  return (tensors, accumulator) => add(tensors[term.input]!, accumulator)
}

/** The bias of every output element, zero where the node has none. */
export function expandBias(node: Pick<AffineNode, 'bias'>, shape: readonly number[]): Float64Array {
  const { bias } = node
  if (bias === undefined) return new Float64Array(elementCount(shape))
  return gather(bias.data, broadcastIndex(bias.shape, shape))
}

function rearrangeStep(node: RearrangeNode): Step {
  const index = transposeIndex(node.inputShape, node.permutation)
  return (tensors) => {
    const input = tensors[node.input]!
    const output = tensors[node.output]!
    for (let i = 0; i < index.length; i++) output[i] = input[index[i]!]!
    return undefined
  }
}

/** Narrowing would wrap silently; a model whose bounds hold never gets to that. */
function toPixels(values: Float64Array): Uint8Array {
  const pixels = Uint8Array.from(values)
  const wrong = values.find((value, i) => value !== pixels[i])
  if (wrong === undefined) return pixels
  throw new PlatemarkError('The model is not sound: its image holds what is no pixel.', {
    expected: 'values from 0 to 255',
    found: String(wrong),
    fix: 'Compile the model again; the file was not written by this compiler.',
  })
}

function outsideTable(node: AffineNode, element: number, quotient: number): PlatemarkError {
  return new PlatemarkError(`The model is not sound: ${node.name} leaves its table.`, {
    expected: `quotients from ${node.quotient.min} to ${node.quotient.max}`,
    found: `${quotient} at element ${element}`,
    fix: 'Compile the model again; the file was not written by this compiler.',
  })
}
