import { isSquare } from '../einsum.js'
import type { FloatAffine, FloatModel, FloatNode } from '../float-model.js'
import type { UnaryChain, UnaryStep } from '../unary.js'
import { simplify } from './chain.js'
import { uniformValue } from './compact.js'
import { itself } from './rows.js'

/** A tensor's elements as a function of another's. */
type Origin = { readonly tensor: string; readonly chain: UnaryChain }

/** Steps that one function may take, and origins that are remembered: against hostile files. */
const MOST_STEPS = 100
const MOST_ORIGINS = 20

/**
 * Finds every tensor that depends on one other tensor, element by element, by several ways that meet
 * again in a sum or a product, and makes it one function: `x · sigmoid(x)`, or GELU in the eight nodes
 * that exporters spell it out in, is one table.
 */
export function fuseUnary(model: FloatModel): FloatModel {
  const known = new Map<string, readonly Origin[]>()
  const originsOf = (tensor: string) => known.get(tensor) ?? [{ tensor, chain: [] }]
  const nodes = model.nodes.map((node): FloatNode => {
    const parts = partsOf(node)
    if (parts === undefined || node.kind === 'rearrange') return node
    const [first, ...others] = parts.inputs.map(({ input }) => originsOf(input))
    const common = first!.flatMap(({ tensor, chain }): readonly Origin[] => {
      const chains = [chain, ...others.map((own) => chainFrom(own, tensor))]
      if (chains.some((own) => own === undefined)) return []
      const joined = [...join(parts, chains as UnaryChain[]), ...node.activation]
      return length(joined) > MOST_STEPS ? [] : [{ tensor, chain: simplify(joined) }]
    })
    const own = { tensor: node.output, chain: [] }
    known.set(node.output, [own, ...common].slice(0, MOST_ORIGINS))
    const [nearest] = common
    if (nearest === undefined || !parts.meeting || isLinear(nearest.chain)) return node
    const { kind, name, output, shape } = node
    const terms = [itself(nearest.tensor, shape.length)]
    return { kind, name, output, shape, terms, activation: nearest.chain }
  })
  return { ...model, nodes }
}

/** What a node does to elements of the same place in several tensors. */
type Parts = {
  readonly kind: 'sum' | 'product'
  readonly inputs: readonly { readonly input: string; readonly factor: number }[]
  readonly offset: number
  /** Whether several ways meet here. */
  readonly meeting: boolean
}

function partsOf(node: FloatNode): Parts | undefined {
  if (node.kind === 'rearrange' || node.exact !== undefined) return undefined
  const offset = node.bias === undefined ? 0 : uniformValue(node.bias)
  if (offset === undefined) return undefined
  const [only] = node.terms
  if (only?.kind === 'einsum') {
    if (!isElementwise(only) || node.terms.length > 1) return undefined
    const inputs = [only.input, only.operand].map((input) => ({ input, factor: 1 }))
    return { kind: 'product', inputs, offset, meeting: true }
  }
  const inputs = node.terms.flatMap((term) => {
    const factor = term.kind === 'elementwise' ? uniformValue(term.weight) : undefined
    return factor === undefined ? [] : [{ input: term.input, factor }]
  })
  if (inputs.length < node.terms.length || inputs.length === 0) return undefined
  return { kind: 'sum', inputs, offset, meeting: inputs.length > 1 }
}

function isElementwise(term: FloatAffine['terms'][number]): boolean {
  return (
    term.kind === 'einsum' &&
    isSquare(term) &&
    term.outputAxes.length === term.inputAxes.length &&
    term.outputAxes.every((label, i) => label === term.inputAxes[i])
  )
}

function chainFrom(origins: readonly Origin[], tensor: string): UnaryChain | undefined {
  return origins.find((origin) => origin.tensor === tensor)?.chain
}

function join({ kind, inputs, offset }: Parts, chains: readonly UnaryChain[]): UnaryChain {
  const shift: UnaryChain = [{ op: 'linear', factor: 1, offset }]
  if (kind === 'product') {
    const [a, b] = chains as [UnaryChain, UnaryChain]
    const square = JSON.stringify(a) === JSON.stringify(b)
    const product: UnaryChain = square
      ? [...a, { op: 'power', exponent: 2 }]
      : [{ op: 'product', of: [a, b] }]
    return [...product, ...shift]
  }
  const scaled = chains.map((chain, i) =>
    simplify([...chain, { op: 'linear', factor: inputs[i]!.factor, offset: 0 }]),
  )
  return [...(scaled.length === 1 ? scaled[0]! : [{ op: 'sum', of: scaled } as const]), ...shift]
}

/** Sums that are linear are left to the passes that merge layers. */
function isLinear(chain: UnaryChain): boolean {
  return chain.every(
    (step) => step.op === 'linear' || (step.op === 'sum' && step.of.every(isLinear)),
  )
}

function length(chain: UnaryChain): number {
  return chain.reduce((sum, step) => sum + stepLength(step), 0)
}

function stepLength(step: UnaryStep): number {
  if (step.op !== 'sum' && step.op !== 'product') return 1
  return 1 + step.of.reduce((sum, chain) => sum + length(chain), 0)
}
