import type {
  FloatAffine,
  FloatModel,
  FloatTensor,
  FloatTerm,
  LinearFloatTerm,
} from '../float-model.js'
import { simplify } from './chain.js'
import { compact, expand, uniformValue } from './compact.js'
import { scaleOutput } from './scale-term.js'
import { countUses, joinNames } from './uses.js'

/**
 * Folds every elementwise step into the layer before it, as far as that is exact:
 * scale and shift into its weights and bias, a function into its activation, a sum of layers into one
 * layer of several terms. A tensor that somebody else reads too stays.
 */
export function fuseBackward(model: FloatModel): FloatModel {
  const uses = countUses(model)
  const nodes = new Map(model.nodes.map((node) => [node.output, node]))
  for (const node of model.nodes) {
    if (node.kind !== 'affine') continue
    let fused = mergeEqualInputs(node, uses)
    for (const { kind, input } of fused.terms) {
      const producer = nodes.get(input)
      if (kind !== 'elementwise' || producer?.kind !== 'affine' || uses.get(input) !== 1) continue
      const merged = absorb(fused, producer)
      if (merged === undefined) continue
      nodes.delete(input)
      fused = merged
    }
    nodes.set(node.output, fused)
  }
  return { ...model, nodes: [...nodes.values()] }
}

type Elementwise = Extract<LinearFloatTerm, { kind: 'elementwise' }>

/** `x + x` is one term: then `x` has one reader. */
function mergeEqualInputs(node: FloatAffine, uses: Map<string, number>): FloatAffine {
  const merged: FloatTerm[] = []
  for (const term of node.terms) {
    const at = merged.findIndex(
      (other) => other.kind === 'elementwise' && other.input === term.input,
    )
    const other = merged[at]
    if (other?.kind !== 'elementwise' || term.kind !== 'elementwise') {
      merged.push(term)
      continue
    }
    const a = expand(other.weight, node.shape)
    const b = expand(term.weight, node.shape)
    const data = a.map((value, i) => value + b[i]!)
    merged[at] = { ...term, weight: compact({ shape: node.shape, data }) }
    uses.set(term.input, uses.get(term.input)! - 1)
  }
  return merged.length === node.terms.length ? node : { ...node, terms: merged }
}

/** `node` with its one, elementwise, term on `producer` replaced by what that computes, or undefined. */
function absorb(node: FloatAffine, producer: FloatAffine): FloatAffine | undefined {
  const name = joinNames(producer.name, node.name)
  const [only] = node.terms
  if (producer.activation.length > 0 || producer.terms.some(({ kind }) => kind === 'einsum')) {
    if (node.terms.length > 1 || only?.kind !== 'elementwise') return undefined
    const factor = uniformValue(only.weight)
    const offset = node.bias === undefined ? 0 : uniformValue(node.bias)
    if (factor === undefined || offset === undefined) return undefined
    const activation = simplify([
      ...producer.activation,
      { op: 'linear', factor, offset },
      ...node.activation,
    ])
    return { ...producer, name, output: node.output, activation }
  }
  const { shape } = rankOf(producer) > rankOf(node) ? producer : node
  const inner = reshaped(producer, shape)
  const { bias: own, ...outer } = reshaped(node, shape)
  const scale = outer.terms.find(
    (term): term is Elementwise => term.kind === 'elementwise' && term.input === producer.output,
  )!.weight
  const terms = inner.terms.map((term) => scaleOutput(term, scale, shape))
  if (terms.includes(undefined)) return undefined
  const bias = sumOf(own, inner.bias, scale, shape)
  return {
    ...outer,
    name,
    terms: outer.terms.flatMap((term) =>
      term.input === producer.output ? (terms as FloatTerm[]) : [term],
    ),
    ...(bias === undefined ? {} : { bias }),
  }
}

/** Whose axes to keep: a convolution's, where a bias by channel is small, before a Gemm's. */
function rankOf(node: FloatAffine): number {
  const rank = { elementwise: 0, einsum: 0, gemm: 1, conv: 2, convTranspose: 2 } as const
  return Math.max(...node.terms.map(({ kind }) => rank[kind]))
}

/** The same elements under other axes: moves what broadcasts. */
function reshaped(affine: FloatAffine, shape: readonly number[]): FloatAffine {
  if (affine.shape.join() === shape.join()) return affine
  const move = (tensor: FloatTensor): FloatTensor =>
    compact({ shape, data: expand(tensor, affine.shape) })
  return {
    ...affine,
    shape,
    terms: affine.terms.map((term) =>
      term.kind === 'elementwise' ? { ...term, weight: move(term.weight) } : term,
    ),
    ...(affine.bias === undefined ? {} : { bias: move(affine.bias) }),
  }
}

/** `own + scale ∘ inner`. */
function sumOf(
  own: FloatTensor | undefined,
  inner: FloatTensor | undefined,
  scale: FloatTensor,
  shape: readonly number[],
): FloatTensor | undefined {
  if (inner === undefined) return own
  const data = expand(inner, shape)
  const by = expand(scale, shape)
  const start = own && expand(own, shape)
  for (let i = 0; i < data.length; i++) data[i] = (start?.[i] ?? 0) + by[i]! * data[i]!
  return compact({ shape, data })
}
