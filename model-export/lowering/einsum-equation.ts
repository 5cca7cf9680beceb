import { stringAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import type { OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import { type Lower, type Lowering, required, requireFloat, type Value } from './lowering.js'
import { multiply } from './matrix-product.js'
import { transposeValue } from './transpose.js'

/**
 * `Einsum` of one or two operands in which every label that one operand alone has is in the result: axes
 * are moved so that it is a stack of matrix products.
 */
export const lowerEinsum: Lower = (node, inputs, lowering) => {
  const { terms, result } = parse(node, inputs)
  const [a, b] = inputs.map((_, index) =>
    labelled(node, required(node, inputs, index), terms[index]!),
  )
  if (a === undefined || inputs.length > 2) {
    throw nodeError(node, 'only one or two operands are supported', {
      found: String(inputs.length),
    })
  }
  if (b === undefined) return [arrange(lowering, node, a, result)]
  const sizes = new Map<string, number>()
  for (const { value, labels } of [a, b])
    labels.forEach((label, axis) => {
      const size = value.shape[axis]!
      if ((sizes.get(label) ?? size) !== size) throw unfit(node, `"${label}" has two sizes`)
      sizes.set(label, size)
    })
  const shared = a.labels.filter((label) => b.labels.includes(label))
  const stack = shared.filter((label) => result.includes(label))
  const inner = shared.filter((label) => !result.includes(label))
  const [rows, columns] = [a, b].map(({ labels }) => labels.filter((it) => !shared.includes(it)))
  const count = (labels: readonly string[]) =>
    elementCount(labels.map((label) => sizes.get(label)!))
  const matrices = (of: Labelled, order: readonly (readonly string[])[]): Value => ({
    ...arrange(lowering, node, of, order.flat()),
    shape: order.map(count),
  })
  const left = matrices(a, [stack, rows!, inner])
  const right = matrices(b, [stack, inner, columns!])
  const product = multiply(lowering, node, left, right, 1)
  const labels = [...stack, ...rows!, ...columns!]
  const value = { ...product, shape: labels.map((label) => sizes.get(label)!) }
  return [arrange(lowering, node, { value, labels }, result)]
}

type Labelled = { readonly value: Value; readonly labels: readonly string[] }

/** Moves axes into the order of the labels, which must be all there are. */
function arrange(
  lowering: Lowering,
  node: OnnxNode,
  { value, labels }: Labelled,
  order: readonly string[],
): Value {
  if (order.length !== labels.length || order.some((label) => !labels.includes(label)))
    throw unfit(node, 'a label of one operand alone that is not in the result')
  const permutation = order.map((label) => labels.indexOf(label))
  return transposeValue(lowering, node, value, permutation)
}

function labelled(node: OnnxNode, value: Value, labels: readonly string[]): Labelled {
  if (value.kind === 'constant') requireFloat(node, value, 'operand')
  if (labels.length !== value.shape.length) throw unfit(node, `${labels.length} labels`)
  if (new Set(labels).size !== labels.length) throw unfit(node, 'a label twice in one operand')
  return { value, labels }
}

/** The labels of each operand and of the result; an ellipsis stands for as many as are left. */
function parse(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
): { readonly terms: readonly (readonly string[])[]; readonly result: readonly string[] } {
  const equation = stringAttribute(node, 'equation', '').replace(/\s/g, '')
  const [left = '', right] = equation.split('->')
  if (!/^[A-Za-z.,]+$/.test(left) || !/^[A-Za-z.]*$/.test(right ?? ''))
    throw unfit(node, JSON.stringify(equation.slice(0, 60)))
  const words = left.split(',')
  if (words.length !== inputs.length) throw unfit(node, `${inputs.length} operands`)
  const hidden = words.map((word, index) => {
    const rank = inputs[index]?.shape.length ?? 0
    return word.includes('...') ? rank - word.replace('...', '').length : 0
  })
  const most = Math.max(0, ...hidden)
  if (hidden.some((count, i) => words[i]!.includes('...') && count !== most))
    throw unfit(node, 'ellipses of different lengths')
  const dots = Array.from({ length: most }, (_, i) => `.${i}`)
  const labelsOf = (word: string) =>
    word.split('...').flatMap((part, i) => [...(i > 0 ? dots : []), ...part])
  const terms = words.map(labelsOf)
  if (right !== undefined) return { terms, result: labelsOf(right) }
  // Without a result: the labels that occur once, in alphabetical order.
  const all = words.join('').replaceAll('.', '')
  const once = [...new Set(all)].filter((label) => all.split(label).length === 2).sort()
  return { terms, result: [...dots, ...once] }
}

function unfit(node: OnnxNode, found: string): Error {
  return nodeError(node, 'this equation is not supported', {
    expected: 'labels that are once in an operand, and in the other one or in the result',
    found,
  })
}
