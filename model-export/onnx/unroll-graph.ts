import type { InputChoice, InputChoices, LoopChoice } from '../input-choice.js'
import { PlatemarkError } from '../platemark-error.js'
import { elementCount } from '../tensor-index.js'
import type { OnnxGraph, OnnxNode } from './onnx-graph.js'

/** A graph without loop, and the choices for its inputs: those of single steps have names of their own. */
export type Unrolled = { readonly graph: OnnxGraph; readonly inputs: InputChoices }

/** A name in a step that is not the last. */
export function nameInStep(name: string, step: number): string {
  return `${name}#${step + 1}`
}

/** Far more than any sampler of few steps. */
const MOST_STEPS = 64

/**
 * Writes a model that is called several times as one graph: its nodes once a step, and in every step but the
 * first its output of the step before in place of an input. Weights are shared. A constant with as many numbers
 * as all steps together need is another one in each step, and so is a latent that is drawn anew.
 *
 * @throws {PlatemarkError} for an input or output that is not there.
 * @example
 * unrollGraph(graph, { steps: 4, output: 'denoised', input: 'noisy' }, choices)
 */
export function unrollGraph(graph: OnnxGraph, loop: LoopChoice, inputs: InputChoices): Unrolled {
  const { steps, output, input } = loop
  const wrong = (expected: string, found: string) =>
    new PlatemarkError('The loop does not fit the model.', { expected, found })
  const list = (ports: readonly { readonly name: string }[]) =>
    ports.map(({ name }) => `"${name}"`).join(', ')
  if (!Number.isInteger(steps) || steps < 1 || steps > MOST_STEPS)
    throw wrong(`1 to ${MOST_STEPS} steps`, String(steps))
  const result = graph.outputs.find(({ name }) => name === output)
  if (result === undefined) throw wrong(`an output: ${list(graph.outputs)}`, `"${output}"`)
  if (!graph.inputs.some(({ name }) => name === input))
    throw wrong(`an input: ${list(graph.inputs)}`, `"${input}"`)
  const isConstant = (name: string) => inputs.get(name)?.kind === 'constant'
  if (isConstant(input)) throw wrong('an input that is no constant', `"${input}"`)
  const made = new Set(graph.nodes.flatMap((node) => node.outputs))
  if (made.has(input)) throw wrong('an input that no node writes', `"${input}"`)
  const stepInputs = graph.inputs.filter(
    ({ name, shape }) => name !== input && stepChoices(inputs.get(name), shape ?? [], steps),
  )

  /** What a name is in a step; the names of the last step are those of the model. */
  const inStep = (name: string, step: number): string => {
    if (name === input) return step === 0 ? input : inStep(output, step - 1)
    const own = made.has(name) || stepInputs.some((it) => it.name === name)
    return name === '' || !own || step === steps - 1 ? name : nameInStep(name, step)
  }
  const nodes = Array.from({ length: steps }, (_, step) =>
    graph.nodes.map(
      (node): OnnxNode => ({
        ...node,
        name: step === steps - 1 || node.name === '' ? node.name : nameInStep(node.name, step),
        inputs: node.inputs.map((name) => inStep(name, step)),
        outputs: node.outputs.map((name) => inStep(name, step)),
      }),
    ),
  ).flat()
  const choices = new Map(inputs)
  const further = stepInputs.flatMap((port) => {
    const own = stepChoices(inputs.get(port.name), port.shape ?? [], steps)!
    return own.map((choice, step) => {
      const name = inStep(port.name, step)
      choices.set(name, choice)
      return { ...port, name }
    })
  })
  const kept = graph.inputs.filter((port) => !stepInputs.includes(port))
  return {
    graph: { ...graph, inputs: [...kept, ...further], outputs: [result], nodes },
    inputs: choices,
  }
}

/** What an input is in each step, where it is another in each. */
function stepChoices(
  choice: InputChoice | undefined,
  shape: readonly (number | string)[],
  steps: number,
): readonly InputChoice[] | undefined {
  if (choice === undefined || steps === 1) return undefined
  if (choice.kind === 'latent' && choice.eachStep === true)
    return new Array<InputChoice>(steps).fill({ kind: 'latent' })
  if (choice.kind !== 'constant') return undefined
  const count = elementCount(shape.map((size) => (typeof size === 'number' ? size : 1)))
  const { values } = choice
  if (values.length !== steps * count) return undefined
  return Array.from({ length: steps }, (_, step) => ({
    kind: 'constant',
    values: values.slice(step * count, (step + 1) * count),
  }))
}
