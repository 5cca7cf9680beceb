import type { EinsumAxes } from '../einsum.js'
import { nodeError } from '../onnx/node-error.js'
import type { OnnxNode } from '../onnx/onnx-graph.js'
import { elementCount } from '../tensor-index.js'
import type { UnaryChain } from '../unary.js'
import { broadcastShape, sameShape } from './broadcast-shape.js'
import { type Activation, baseShape, emitAffine, inOrder, type Lowering } from './lowering.js'
import { sameView } from './view.js'

/** The axes of one operand: a label for each, undefined for a size of 1. */
type Labels = readonly (number | undefined)[]

/** Hands out labels for axes. */
type Labelling = { readonly sizes: number[]; readonly label: (size: number) => number }

function startLabelling(): Labelling {
  const sizes: number[] = []
  return { sizes, label: (size) => sizes.push(size) - 1 }
}

const known = (labels: Labels): readonly number[] => labels.filter((label) => label !== undefined)

function emitEinsum(
  lowering: Lowering,
  node: OnnxNode,
  input: Activation,
  operand: Activation,
  axes: EinsumAxes,
  shape: readonly number[],
  activation: UnaryChain,
): Activation {
  return emitAffine(
    lowering,
    node,
    {
      shape,
      terms: [{ kind: 'einsum', input: input.tensor, operand: operand.tensor, ...axes }],
      activation,
    },
    shape,
  )
}

/**
 * `a ∘ b` of two computed tensors whose shapes broadcast to each other. Operands of one shape and
 * view are multiplied as they lie; the product has their view.
 */
export function emitProduct(
  lowering: Lowering,
  node: OnnxNode,
  a: Activation,
  b: Activation,
): Activation {
  if (sameShape(a.shape, b.shape) && sameView(a.view, b.view)) {
    const shape = baseShape(lowering, a)
    const flat = [0]
    const axes = {
      sizes: [elementCount(shape)],
      inputAxes: flat,
      operandAxes: flat,
      outputAxes: flat,
    }
    return { ...emitEinsum(lowering, node, a, b, axes, shape, []), shape: a.shape, view: a.view }
  }
  const shape = broadcastShape(a.shape, b.shape)
  if (shape === undefined) throw unfit(node, a, b)
  const labelling = startLabelling()
  const { left, right, out } = broadcastLabels(labelling, a.shape, b.shape)
  const axes = {
    sizes: labelling.sizes,
    inputAxes: known(left),
    operandAxes: known(right),
    outputAxes: known(out),
  }
  const [input, operand] = [inOrder(lowering, node, a), inOrder(lowering, node, b)]
  return emitEinsum(lowering, node, input, operand, axes, shape, [])
}

/** Labels of two shapes that broadcast, and of the result. Neighbours that behave alike share one. */
function broadcastLabels(
  { sizes, label }: Labelling,
  a: readonly number[],
  b: readonly number[],
): { readonly left: Labels; readonly right: Labels; readonly out: Labels } {
  const rank = Math.max(a.length, b.length)
  const left: (number | undefined)[] = []
  const right: (number | undefined)[] = []
  const out: (number | undefined)[] = []
  let last = ''
  for (let axis = 0; axis < rank; axis++) {
    const own = a[axis - rank + a.length] ?? 1
    const other = b[axis - rank + b.length] ?? 1
    const size = Math.max(own, other)
    if (size === 1) continue
    const role = `${own > 1} ${other > 1}`
    if (role === last) {
      sizes[sizes.length - 1]! *= size
      continue
    }
    last = role
    const index = label(size)
    out.push(index)
    if (own > 1) left.push(index)
    if (other > 1) right.push(index)
  }
  return { left, right, out }
}

/** `factor · a · b` of two computed stacks of matrices, by the rules of MatMul; both of rank 2 at least. */
export function emitMatrixProduct(
  lowering: Lowering,
  node: OnnxNode,
  a: Activation,
  b: Activation,
  factor: number,
): Activation {
  const [rows, inner] = a.shape.slice(-2) as [number, number]
  const columns = b.shape.at(-1)!
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  if (batch === undefined) throw unfit(node, a, b)
  const labelling = startLabelling()
  const stacks = broadcastLabels(labelling, a.shape.slice(0, -2), b.shape.slice(0, -2))
  const [row, column] = [rows, columns].map((n) => (n === 1 ? undefined : labelling.label(n)))
  const summed = labelling.label(inner)
  const axes = {
    sizes: labelling.sizes,
    inputAxes: known([...stacks.left, row, summed]),
    operandAxes: known([...stacks.right, summed, column]),
    outputAxes: known([...stacks.out, row, column]),
  }
  const activation: UnaryChain = factor === 1 ? [] : [{ op: 'linear', factor, offset: 0 }]
  const [input, operand] = [inOrder(lowering, node, a), inOrder(lowering, node, b)]
  const shape = [...batch, rows, columns]
  return emitEinsum(lowering, node, input, operand, axes, shape, activation)
}

function unfit(node: OnnxNode, a: Activation, b: Activation): Error {
  return nodeError(node, 'the shapes of the operands do not fit', {
    expected: 'shapes that broadcast to each other',
    found: `[${a.shape.join(', ')}] and [${b.shape.join(', ')}]`,
  })
}
