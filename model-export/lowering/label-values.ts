import type { FloatTensor } from '../float-model.js'
import { nodeError } from '../onnx/node-error.js'
import { type Constant, isFloat, type OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import { lowerNode } from './lower-node.js'
import { emitAffine, type Lowering, requireFloat, reserve, type Value } from './lowering.js'
import type { ResolvedCondition } from './resolve-inputs.js'
import { identityView } from './view.js'

/*
 * What depends on a label alone is known for every class while lowering: the graph from the label to where
 * it meets the latent is computed once a class, whatever operators it is made of (Gather, OneHot, Cast and
 * Equal, a small network), and becomes a table with a row a class, which is a matrix times the vector with
 * one 1 at the class.
 */

/** A tensor that depends on one label alone: a constant for every class. */
export type LabelValue = {
  readonly label: LabelInput
  readonly values: readonly Constant[]
}

export type LabelInput = Extract<ResolvedCondition, { kind: 'label' }>

/** A table of more entries is not worth what it spares. */
const LARGEST_TABLE = 2 ** 22

/** The label itself: an integer, or the vector with one 1. */
export function labelValue(label: LabelInput): LabelValue {
  const { dtype, shape } = label.input
  const values = Array.from({ length: label.classes }, (_, k): Constant => {
    const data = new Float64Array(elementCount(shape))
    if (isFloat(dtype)) data[k] = 1
    else data[0] = k
    return { kind: 'constant', dtype, shape, data }
  })
  return { label, values }
}

/**
 * Computes a node for every class, where all that it reads is constant or depends on one label.
 *
 * @param inputs - undefined where left out
 * @returns its outputs: constants where no class matters; undefined where the node has to be a layer
 */
export function foldByClass(
  node: OnnxNode,
  inputs: readonly (Value | LabelValue | undefined)[],
  lowering: Lowering,
): readonly (Constant | LabelValue)[] | undefined {
  const labels = new Set(inputs.flatMap((input) => (isLabelValue(input) ? [input.label] : [])))
  const [label] = labels
  const fixed = inputs.every((input) => isLabelValue(input) || input?.kind !== 'activation')
  if (label === undefined || labels.size > 1 || !fixed) return undefined
  const outputs: Constant[][] = []
  for (let k = 0; k < label.classes; k++) {
    const own = inputs.map((input) => (isLabelValue(input) ? input.values[k]! : input))
    const results = lowerNode(node, own as readonly (Value | undefined)[], lowering)
    for (const [i, value] of results.entries()) {
      if (value.kind !== 'constant') return undefined
      const values = outputs[i] ?? []
      outputs[i] = values
      values.push(value)
      if (isFloat(value.dtype) && value.data.length * label.classes > LARGEST_TABLE)
        return undefined
      if (value.dtype !== values[0]!.dtype || value.shape.join() !== values[0]!.shape.join())
        throw nodeError(node, 'its shape depends on the label', {
          expected: `shape ${values[0]!.shape.join('×')}, as for class 0`,
          found: `shape ${value.shape.join('×')} for class ${k}`,
        })
    }
  }
  return outputs.map((values) => {
    const [first, ...others] = values as [Constant, ...Constant[]]
    const same = others.every(({ data }) => data.every((value, i) => value === first.data[i]))
    return same ? first : { label, values }
  })
}

export function isLabelValue(value: Value | LabelValue | undefined): value is LabelValue {
  return value !== undefined && 'label' in value
}

/** The layer that picks the row of the class: what a tensor of a label is to all that knows no labels. */
export function pickByClass(
  node: OnnxNode,
  name: string,
  { label, values }: LabelValue,
  lowering: Lowering,
): Value {
  const [first] = values as [Constant, ...Constant[]]
  if (!isFloat(first.dtype))
    throw nodeError(
      node,
      'integers that depend on the label meet a tensor that depends on the latent',
      {
        expected: 'labels that pick from constant tables, or are cast to real numbers',
        found: `"${name}" of type ${first.dtype}`,
      },
    )
  const count = elementCount(first.shape)
  reserve(lowering, node, [count, label.classes])
  const weight: FloatTensor = {
    shape: [count, label.classes],
    data: new Float64Array(count * label.classes),
  }
  values.forEach((value, k) => {
    requireFloat(node, value, 'table of the label')
    value.data.forEach((entry, i) => {
      weight.data[i * label.classes + k] = entry
    })
  })
  if (isIdentity(weight))
    return {
      kind: 'activation',
      tensor: label.name,
      shape: first.shape,
      view: identityView(count),
    }
  const term = { kind: 'gemm', input: label.name, rows: 1, weight } as const
  return emitAffine(lowering, node, { shape: [count], terms: [term], name }, first.shape)
}

function isIdentity({ shape: [rows = 0, columns = 0], data }: FloatTensor): boolean {
  return (
    rows === columns &&
    data.every((value, i) => value === (i % columns === Math.floor(i / columns) ? 1 : 0))
  )
}
