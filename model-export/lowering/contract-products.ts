import type {
  FloatAffine,
  FloatEinsum,
  FloatModel,
  FloatNode,
  FloatRearrange,
} from '../float-model.js'
import { simplify } from './chain.js'
import { uniformValue } from './compact.js'

/**
 * Makes every sum of products of two tensors, or of squares, one contraction: products need not be
 * rounded before they are added. So are variances spelled out.
 */
export function contractProducts(model: FloatModel): FloatModel {
  const nodes = new Map<string, FloatNode>()
  for (const node of model.nodes) {
    const sum = node.kind === 'affine' ? asRowSum(node) : undefined
    const producer = sum && nodes.get(sum.input)
    const moved = producer?.kind === 'rearrange' ? producer : undefined
    const products = asProducts(moved === undefined ? producer : nodes.get(moved.input))
    if (node.kind !== 'affine' || sum === undefined || products === undefined) {
      nodes.set(node.output, node)
      continue
    }
    const [input, operand] = products.factors.map((tensor) => {
      if (moved === undefined) return tensor
      const output = `${moved.output} of ${tensor}`
      nodes.set(output, { ...moved, output, input: tensor } satisfies FloatRearrange)
      return output
    }) as [string, string]
    const { rows, length } = sum
    const axes = { sizes: [rows, length], inputAxes: [0, 1], operandAxes: [0, 1], outputAxes: [0] }
    const term: FloatEinsum = { kind: 'einsum', input, operand, ...axes }
    const { bias: _, ...rest } = node
    const factor = sum.factor * products.factor
    const activation = simplify([{ op: 'linear', factor, offset: sum.offset }, ...node.activation])
    nodes.set(node.output, { ...rest, terms: [term], activation })
  }
  return { ...model, nodes: [...nodes.values()] }
}

type RowSum = {
  readonly input: string
  readonly rows: number
  readonly length: number
  readonly factor: number
  readonly offset: number
}

/** A node that adds up the elements of each row: a Gemm of one column, a pooling over everything. */
function asRowSum(node: FloatAffine): RowSum | undefined {
  const [term, ...others] = node.terms
  const offset = node.bias === undefined ? 0 : uniformValue(node.bias)
  if (others.length > 0 || offset === undefined || node.exact !== undefined) return undefined
  if (term?.kind === 'gemm') {
    const [columns, length] = term.weight.shape as [number, number]
    const factor = uniformValue(term.weight)
    if (columns !== 1 || factor === undefined) return undefined
    return { input: term.input, rows: term.rows, length, factor, offset }
  }
  if (term?.kind === 'conv') {
    const [, , height, width] = term.weight.shape
    const factor = uniformValue(term.weight)
    const everything =
      term.groups === term.inputChannels &&
      term.groups === term.outputChannels &&
      term.inputHeight === height &&
      term.inputWidth === width &&
      term.outputHeight * term.outputWidth === 1 &&
      term.padBegin.every((pad) => pad === 0) &&
      term.dilations.every((dilation) => dilation === 1)
    if (!everything || factor === undefined) return undefined
    const length = term.inputHeight * term.inputWidth
    return { input: term.input, rows: term.groups, length, factor, offset }
  }
  return undefined
}

type Products = { readonly factors: readonly [string, string]; readonly factor: number }

/** A node that multiplies two tensors element by element, or squares one, and nothing else. */
function asProducts(node: FloatNode | undefined): Products | undefined {
  if (node?.kind !== 'affine' || node.bias !== undefined || node.exact !== undefined)
    return undefined
  const [term, ...others] = node.terms
  if (term === undefined || others.length > 0) return undefined
  const [step, ...more] = node.activation
  if (term.kind === 'elementwise') {
    const weight = uniformValue(term.weight)
    const isSquare = step?.op === 'power' && step.exponent === 2 && more.length === 0
    return isSquare && weight !== undefined
      ? { factors: [term.input, term.input], factor: weight * weight }
      : undefined
  }
  const isPlain = term.kind === 'einsum' && term.sizes.length === 1 && step === undefined
  const isElementwise = isPlain && term.outputAxes.length === 1
  return isElementwise ? { factors: [term.input, term.operand], factor: 1 } : undefined
}
