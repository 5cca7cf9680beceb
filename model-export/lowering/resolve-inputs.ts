import { MOST_CLASSES } from '../conditions.js'
import type { FloatCondition } from '../float-model.js'
import type { InputChoice, InputChoices } from '../input-choice.js'
import {
  type Constant,
  type Dtype,
  isFloat,
  isInteger,
  type OnnxGraph,
  type OnnxNode,
  type OnnxValueInfo,
  reads,
} from '../onnx/onnx-graph.js'
import { PlatemarkError } from '../platemark-error.js'
import { elementCount } from '../tensor-index.js'
import { inputShape, LARGEST_LATENT } from './input-shape.js'

/** What each input of a graph that is used stands for. */
export type ResolvedInputs = {
  readonly latent: ResolvedLatent
  readonly conditions: readonly ResolvedCondition[]
  /** Inputs that are always the same, by name. */
  readonly constants: ReadonlyMap<string, Constant>
}

/** What is expanded from the seed, and the inputs in ONNX that are its parts, one after the other. */
export type ResolvedLatent = LatentPart & { readonly parts: readonly LatentPart[] }

type LatentPart = { readonly name: string; readonly shape: readonly number[] }

/** A condition and the input in ONNX that it is made from. */
export type ResolvedCondition = FloatCondition & {
  readonly input: { readonly dtype: Dtype; readonly shape: readonly number[] }
}

/**
 * Decides what the inputs that are read are: as the user says; else an integer that only picks from a table
 * is a label, and the one real input that is left is the latent. (Several inputs are latents where the user says
 * so.)
 *
 * @param nodes - those that the output depends on
 * @throws {PlatemarkError} listing the inputs where something is left open or a choice does not fit.
 */
export function resolveInputs(
  graph: OnnxGraph,
  nodes: readonly OnnxNode[],
  choices: InputChoices = new Map(),
): ResolvedInputs {
  const read = new Set(nodes.flatMap(reads))
  const used = graph.inputs.filter(({ name }) => read.has(name))
  for (const name of choices.keys()) {
    if (!used.some((input) => input.name === name))
      throw new PlatemarkError(`The model has no input "${name}" that it uses.`, {
        expected: used.map((input) => `"${input.name}"`).join(', ') || 'inputs',
        found: `--input ${name}=…`,
      })
  }
  const latents: OnnxValueInfo[] = []
  const open: OnnxValueInfo[] = []
  const conditions: ResolvedCondition[] = []
  const constants = new Map<string, Constant>()
  for (const input of used) {
    const choice = choices.get(input.name) ?? guess(graph, nodes, input)
    if (choice === undefined) open.push(input)
    else if (choice.kind === 'latent') latents.push(input)
    else if (choice.kind === 'constant')
      constants.set(input.name, fixed(graph, nodes, input, choice.values))
    else conditions.push(resolveCondition(graph, nodes, input, choice))
  }
  const reals = open.filter(({ dtype }) => dtype.startsWith('float'))
  if (latents.length === 0 && open.length === 1 && reals.length === 1) latents.push(open.pop()!)
  if (latents.length === 0 || open.length > 0) throw undecided(used, open)
  return { latent: resolveLatent(graph, nodes, latents), conditions, constants }
}

function resolveLatent(
  graph: OnnxGraph,
  nodes: readonly OnnxNode[],
  inputs: readonly OnnxValueInfo[],
): ResolvedLatent {
  const parts = inputs.map((input) => {
    const dtype = dtypeOf(input)
    if (!isFloat(dtype)) {
      throw new PlatemarkError(`Input "${input.name}" has the wrong element type.`, {
        expected: 'float32, float64 or float16',
        found: dtype,
      })
    }
    return { name: input.name, shape: inputShape(graph, nodes, input.name) }
  })
  const [only, ...others] = parts
  if (only !== undefined && others.length === 0) return { ...only, parts }
  const count = parts.reduce((sum, { shape }) => sum + elementCount(shape), 0)
  if (count > LARGEST_LATENT)
    throw new PlatemarkError('The latents are too large together.', {
      expected: `at most ${LARGEST_LATENT} values`,
      found: parts.map(({ name, shape }) => `"${name}" ${shape.join('×')}`).join(', '),
    })
  return { name: parts.map(({ name }) => name).join('+'), shape: [count], parts }
}

/** An integer that is nothing but an index into a constant. */
function guess(
  graph: OnnxGraph,
  nodes: readonly OnnxNode[],
  input: OnnxValueInfo,
): InputChoice | undefined {
  if (!isWhole(input.dtype)) return undefined
  const classes = classesOf(graph, nodes, input.name)
  return classes === undefined ? undefined : { kind: 'label', classes }
}

/**
 * The least number of rows of the tables that an input, or what is computed from it alone, picks from; undefined
 * where it does anything else.
 */
function classesOf(graph: OnnxGraph, nodes: readonly OnnxNode[], name: string): number | undefined {
  const derived = new Set([name])
  const others = new Set(graph.inputs.map((input) => input.name).filter((it) => it !== name))
  const sizes: (number | undefined)[] = []
  for (const node of nodes) {
    if (!reads(node).some((it) => derived.has(it))) continue
    const { operator, inputs, outputs } = node
    const [first = '', second = ''] = inputs
    if (PASSES_ON.has(operator) && !inputs.some((it) => others.has(it))) derived.add(outputs[0]!)
    else if (operator === 'Shape' || operator === 'Size') sizes.push(MOST_CLASSES)
    else if (operator === 'Gather' && derived.has(second) && !derived.has(first)) {
      const axis = node.attributes.get('axis')
      const table = constantOf(graph, nodes, first)?.shape
      sizes.push(table?.at(axis?.type === 'int' ? axis.value : 0))
    } else if (operator === 'OneHot' && derived.has(first))
      sizes.push(constantOf(graph, nodes, second)?.data[0])
    else if (operator === 'Equal')
      sizes.push(countedBy(constantOf(graph, nodes, derived.has(first) ? second : first)))
    else return undefined
  }
  const known = sizes.filter((size) => size !== undefined)
  return known.length === sizes.length && known.length > 0 ? Math.min(...known) : undefined
}

/** What may be between a label and the table: TensorFlow counts negative indices from the end. */
const PASSES_ON: ReadonlySet<string> = new Set([
  ...['Cast', 'Flatten', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze'],
  ...[
    'Add',
    'Clip',
    'Greater',
    'GreaterOrEqual',
    'Less',
    'LessOrEqual',
    'Mul',
    'Not',
    'Sub',
    'Where',
  ],
])

/** How many classes a label is compared with, where these are 0, 1, 2 and so on. */
function countedBy(constant: Constant | undefined): number | undefined {
  return constant?.data.every((value, i) => value === i) ? constant.data.length : undefined
}

function constantOf(graph: OnnxGraph, nodes: readonly OnnxNode[], name = ''): Constant | undefined {
  const initializer = graph.initializers.get(name)
  if (initializer !== undefined) return initializer
  const node = nodes.find(({ operator, outputs }) => operator === 'Constant' && outputs[0] === name)
  const value = node?.attributes.get('value')
  return value?.type === 'tensor' ? value.value : undefined
}

function resolveCondition(
  graph: OnnxGraph,
  nodes: readonly OnnxNode[],
  input: OnnxValueInfo,
  choice: Extract<InputChoice, { kind: 'label' | 'vector' }>,
): ResolvedCondition {
  const { name } = input
  const dtype = dtypeOf(input)
  const shape = shapeOf(graph, nodes, input)
  const count = elementCount(shape)
  const wrong = (expected: string, found: string, fix?: string) =>
    new PlatemarkError(`Input "${name}" cannot be a ${choice.kind}.`, {
      expected,
      found,
      ...(fix === undefined ? {} : { fix }),
    })
  if (choice.kind === 'vector') {
    if (!isFloat(dtype))
      throw wrong('real numbers', dtype, `Take it as a label: --input ${name}=class`)
    if (count > 2 ** 16) throw wrong(`at most ${2 ** 16} values`, shape.join('×'))
    return { kind: 'vector', name, shape, values: choice.values, input: { dtype, shape } }
  }
  if (isInteger(dtype) && count !== 1) throw wrong('one integer', shape.join('×'))
  const shown = isInteger(dtype) ? classesOf(graph, nodes, name) : count
  const classes = choice.classes ?? (shown === MOST_CLASSES ? undefined : shown)
  if (classes === undefined)
    throw wrong('a known number of classes', dtype, `Say it: --input ${name}=class:10`)
  if (isFloat(dtype) && classes !== count)
    throw wrong(`${count} classes, as elements`, `${classes}`)
  if (!(Number.isInteger(classes) && classes >= 2 && classes <= MOST_CLASSES))
    throw wrong(`2 to ${MOST_CLASSES} classes`, String(classes))
  return { kind: 'label', name, shape: [classes], classes, input: { dtype, shape } }
}

function fixed(
  graph: OnnxGraph,
  nodes: readonly OnnxNode[],
  input: OnnxValueInfo,
  values: readonly number[],
): Constant {
  const dtype = dtypeOf(input)
  const shape = shapeOf(graph, nodes, input)
  const count = elementCount(shape)
  const whole = !isFloat(dtype)
  const [first] = values
  if (first === undefined || (values.length !== 1 && values.length !== count))
    throw new PlatemarkError(`The constant for input "${input.name}" does not fit.`, {
      expected: count === 1 ? '1 number' : `1 number for all, or ${count} (${shape.join('×')})`,
      found: `${values.length} numbers`,
    })
  if (whole && !values.every(Number.isInteger))
    throw new PlatemarkError(`The constant for input "${input.name}" does not fit.`, {
      expected: `whole numbers (${dtype})`,
      found: String(values.find((value) => !Number.isInteger(value))),
    })
  const data = values.length === 1 ? new Float64Array(count).fill(first) : Float64Array.from(values)
  return {
    kind: 'constant',
    dtype,
    shape,
    data: dtype === 'float32' ? data.map(Math.fround) : data,
  }
}

/** As a latent's, but that a single symbolic dimension is the batch. */
function shapeOf(
  graph: OnnxGraph,
  nodes: readonly OnnxNode[],
  { name, shape }: OnnxValueInfo,
): readonly number[] {
  const [size, ...others] = shape ?? []
  return typeof size === 'string' && others.length === 0 ? [1] : inputShape(graph, nodes, name)
}

function isWhole(dtype: string): boolean {
  return dtype === 'int64' || dtype === 'int32'
}

/** Element types of inputs. */
const INPUT_TYPES: readonly Dtype[] = ['float32', 'float64', 'float16', 'int32', 'int64', 'bool']

function dtypeOf({ name, dtype }: OnnxValueInfo): Dtype {
  const known = INPUT_TYPES.find((type) => type === dtype)
  if (known !== undefined) return known
  throw new PlatemarkError(`Input "${name}" has the wrong element type.`, {
    expected: INPUT_TYPES.join(', '),
    found: dtype,
  })
}

function undecided(used: readonly OnnxValueInfo[], open: readonly OnnxValueInfo[]): PlatemarkError {
  const describe = ({ name, dtype, shape }: OnnxValueInfo) =>
    `"${name}" (${dtype} ${shape?.join('×') || 'of one element'})`
  for (const input of open) dtypeOf(input)
  if (used.length === 0)
    return new PlatemarkError('The output of the model does not depend on its input.', {
      expected: 'an image computed from a latent',
      found: 'no input in use',
    })
  const example = (open[0] ?? used[0]!).name
  return new PlatemarkError('It is not clear what the inputs of the model are.', {
    expected: 'one input, the latent, or for every other one what it is',
    found: `${used.length} in use: ${used.map(describe).join(', ')}`,
    fix: `Say what each is: --input ${example}=latent (from the seed), ${example}=class (a label that the user chooses), ${example}=vector (numbers that the user chooses) or ${example}=0.5 (always the same; @file.json or @file.npy for many).`,
  })
}
