import { prepareEinsum } from './einsum.js'
import type { FloatModel, FloatNode, FloatTerm } from './float-model.js'
import { prepareTerm } from './linear-terms.js'
import { PlatemarkError } from './platemark-error.js'
import { broadcastIndex, elementCount, gather, transposeIndex } from './tensor-index.js'
import { evaluateStep } from './unary.js'

/** Values by name. */
export type FloatTensors = Map<string, Float64Array>
type Tensors = FloatTensors
type Step = (tensors: Tensors) => Float64Array

/** The tensor that a node makes, and how. */
export type FloatStep = readonly [output: string, step: Step]

/**
 * Runs a float model in plain double arithmetic: what calibration measures and tests compare with.
 * For more than one input, `prepareFloat` saves the preparation of the weights.
 *
 * @param model - a lowered model
 * @param input - the latent, row-major, one value an element of `model.input.shape`
 * @param conditions - the tensors of `model.conditions`, in order
 * @returns every tensor by name, the inputs included, in order of definition
 * @throws PlatemarkError if an input has the wrong number of elements
 * @example
 * const tensors = executeFloat(model, latent)
 * const image = tensors.get(model.output.name)
 */
export function executeFloat(
  model: FloatModel,
  input: Float64Array,
  conditions: readonly Float64Array[] = [],
): Map<string, Float64Array> {
  return prepareFloat(model)(input, conditions)
}

/**
 * `executeFloat` in two steps: lays the weights out once, then runs any number of inputs.
 *
 * @param model - a lowered model
 * @returns a function of the latent and the conditions, as `executeFloat`
 */
export function prepareFloat(
  model: FloatModel,
): (input: Float64Array, conditions?: readonly Float64Array[]) => Map<string, Float64Array> {
  const steps = floatSteps(model)
  const inputs = [model.input, ...(model.conditions ?? [])]
  return (latent, conditions = []) => {
    const tensors: Tensors = new Map()
    inputs.forEach(({ name, shape }, i) => {
      const input = i === 0 ? latent : (conditions[i - 1] ?? new Float64Array(0))
      const size = elementCount(shape)
      if (input.length !== size) {
        throw new PlatemarkError(`An input of model "${model.name}" has the wrong size.`, {
          expected: `${size} values for "${name}" (shape ${shape.join('×')})`,
          found: `${input.length} values`,
        })
      }
      tensors.set(name, input)
    })
    for (const [output, step] of steps) tensors.set(output, step(tensors))
    return tensors
  }
}

/** The nodes of a model, each with its weights laid out. */
export function floatSteps(model: FloatModel): readonly FloatStep[] {
  return model.nodes.map((node) => [node.output, prepareNode(node)])
}

function prepareNode(node: FloatNode): Step {
  if (node.kind === 'rearrange') {
    const index = transposeIndex(node.inputShape, node.permutation)
    return (tensors) => gather(read(tensors, node.input), index)
  }
  const terms = node.terms.map((term) => termStep(term, node.shape))
  const size = elementCount(node.shape)
  const { bias } = node
  const start =
    bias === undefined
      ? new Float64Array(size)
      : gather(bias.data, broadcastIndex(bias.shape, node.shape))
  return (tensors) => {
    const out = start.slice()
    for (const addTo of terms) addTo(tensors, out)
    for (const step of node.activation) {
      for (let i = 0; i < out.length; i++) out[i] = evaluateStep(step, out[i]!)
    }
    return out
  }
}

function termStep(
  term: FloatTerm,
  shape: readonly number[],
): (tensors: Tensors, out: Float64Array) => void {
  if (term.kind === 'einsum') {
    const multiply = prepareEinsum(term)
    return (tensors, out) => multiply(read(tensors, term.input), read(tensors, term.operand), out)
  }
  const add = prepareTerm(term, shape)
  return (tensors, out) => add(read(tensors, term.input), out)
}

function read(tensors: Tensors, name: string): Float64Array {
  const tensor = tensors.get(name)
  if (tensor === undefined) throw new RangeError(`tensor "${name}" is used before it is defined`)
  return tensor
}
