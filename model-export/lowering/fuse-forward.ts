import { termInputs } from '../einsum.js'
import type { FloatAffine, FloatModel, FloatNode, FloatTensor, FloatTerm } from '../float-model.js'
import { prepareTerm } from '../linear-terms.js'
import { elementCount, transposeIndex } from '../tensor-index.js'
import { compact, expand } from './compact.js'
import { scaleInput } from './scale-term.js'
import { addReader, joinNames, readersOf } from './uses.js'

/** A scale and a shift that could not go into the layer before: one term, no function. */
type Scaling = FloatAffine & { readonly terms: readonly [FloatTerm & { kind: 'elementwise' }] }

/**
 * Folds every remaining scale and shift (a BatchNormalization after an Elu) into the layers that read
 * it, if all of them can take it. Where padding makes the border differ, the shift becomes a bias by
 * element, so the result is the same.
 */
export function fuseForward(model: FloatModel): FloatModel {
  const nodes = new Map(model.nodes.map((node) => [node.output, node]))
  const readersByName = readersOf(model)
  for (const { output } of model.nodes) {
    const scaling = asScaling(nodes.get(output))
    if (scaling === undefined || output === model.output.name) continue
    const readers = [...(readersByName.get(output) ?? [])].map((name) => nodes.get(name)!)
    const replaced = readers.map((node) =>
      node.kind === 'affine' ? foldInto(node, scaling) : undefined,
    )
    if (replaced.every((node) => node !== undefined)) {
      for (const node of replaced) {
        nodes.set(node.output, node)
        addReader(readersByName, scaling.terms[0].input, node.output)
      }
      readersByName.get(scaling.terms[0].input)?.delete(output)
      nodes.delete(output)
      continue
    }
    const [only] = readers
    if (only?.kind === 'rearrange' && readers.length === 1 && only.output !== model.output.name) {
      swapWithRearrange(nodes, scaling, only)
    }
  }
  return { ...model, nodes: [...nodes.values()] }
}

function asScaling(node: FloatNode | undefined): Scaling | undefined {
  const isScaling =
    node?.kind === 'affine' &&
    node.activation.length === 0 &&
    node.terms.length === 1 &&
    node.terms[0]!.kind === 'elementwise'
  return isScaling ? (node as Scaling) : undefined
}

/** `node`, which reads the scaling's output, made to read the scaling's input. */
function foldInto(node: FloatAffine, scaling: Scaling): FloatAffine | undefined {
  if (node.exact !== undefined) return undefined
  const [inner] = scaling.terms
  const terms: FloatTerm[] = []
  const shift =
    node.bias === undefined
      ? new Float64Array(elementCount(node.shape))
      : expand(node.bias, node.shape)
  for (const term of node.terms) {
    if (!termInputs(term).includes(scaling.output)) {
      terms.push(term)
      continue
    }
    if (term.kind === 'einsum') return undefined
    const scaled = scaleInput(term, inner.weight, scaling.shape, node.shape)
    if (scaled === undefined) return undefined
    terms.push({ ...scaled, input: inner.input })
    if (scaling.bias !== undefined) {
      prepareTerm(term, node.shape)(expand(scaling.bias, scaling.shape), shift)
    }
  }
  const name = joinNames(scaling.name, node.name)
  // Scaled weights are whole numbers no more.
  const { exact: _, ...rest } = node
  if (scaling.bias === undefined) return { ...rest, name, terms }
  const bias: FloatTensor = compact({ shape: node.shape, data: shift })
  return { ...rest, name, terms, bias }
}

/** scale, then transpose → transpose, then scale: its turn comes again behind the transpose. */
function swapWithRearrange(
  nodes: Map<string, FloatNode>,
  scaling: Scaling,
  rearrange: Extract<FloatNode, { kind: 'rearrange' }>,
): void {
  const [inner] = scaling.terms
  const index = transposeIndex(rearrange.inputShape, rearrange.permutation)
  const move = (tensor: FloatTensor): FloatTensor => {
    const full = expand(tensor, scaling.shape)
    return compact({ shape: rearrange.shape, data: Float64Array.from(index, (at) => full[at]!) })
  }
  // The scaling's name now means the transposed tensor; the map keeps the order of the two nodes.
  nodes.set(scaling.output, { ...rearrange, output: scaling.output, input: inner.input })
  nodes.set(rearrange.output, {
    ...scaling,
    output: rearrange.output,
    shape: rearrange.shape,
    terms: [{ ...inner, input: scaling.output, weight: move(inner.weight) }],
    ...(scaling.bias === undefined ? {} : { bias: move(scaling.bias) }),
  })
}
