import { termInputs } from '../einsum.js'
import type { FloatAffine, FloatModel, FloatNode, FloatTensor, FloatTerm } from '../float-model.js'
import { elementCount, transposeIndex } from '../tensor-index.js'
import { compact, expand } from './compact.js'
import { countUses, joinNames, readersOf } from './uses.js'

type Gemm = Extract<FloatTerm, { kind: 'gemm' }>

/**
 * Removes transposes next to a Gemm over one row: its weight can be stored in the other order, so
 * that the elements come out, or are read, where they belong.
 */
export function absorbRearranges(model: FloatModel): FloatModel {
  const uses = countUses(model)
  const readersByName = readersOf(model)
  const nodes = new Map(model.nodes.map((node) => [node.output, node]))
  for (const node of model.nodes) {
    if (node.kind !== 'rearrange') continue
    const index = transposeIndex(node.inputShape, node.permutation)
    const producer = nodes.get(node.input)
    if (producer?.kind === 'affine' && producer.terms.every(isRow) && uses.get(node.input) === 1) {
      nodes.delete(producer.output)
      nodes.set(node.output, reorderOutputs(producer, node, index))
      continue
    }
    const readers = [...(readersByName.get(node.output) ?? [])].map((name) => nodes.get(name)!)
    const allRows = readers.every(
      (it) =>
        it.kind === 'affine' &&
        it.terms.every((t) => isRow(t) || !termInputs(t).includes(node.output)),
    )
    if (!allRows || node.output === model.output.name) continue
    for (const reader of readers as readonly FloatAffine[]) {
      nodes.set(reader.output, {
        ...reader,
        terms: reader.terms.map((term) =>
          isRow(term) && term.input === node.output ? reorderInputs(term, node.input, index) : term,
        ),
      })
    }
    nodes.delete(node.output)
  }
  return { ...model, nodes: [...nodes.values()] }
}

function isRow(term: FloatTerm): term is Gemm {
  return term.kind === 'gemm' && term.rows === 1
}

/** Output `i` of the transpose is output `index[i]` of the producer. */
function reorderOutputs(
  producer: FloatAffine,
  rearrange: Extract<FloatNode, { kind: 'rearrange' }>,
  index: Int32Array,
): FloatAffine {
  const shape = [elementCount(rearrange.shape)]
  const terms = producer.terms.filter(isRow).map((term): FloatTerm => {
    const [, inner] = term.weight.shape as [number, number]
    const data = new Float64Array(term.weight.data.length)
    index.forEach((from, to) => {
      data.set(term.weight.data.subarray(from * inner, (from + 1) * inner), to * inner)
    })
    return { ...term, weight: { shape: term.weight.shape, data } }
  })
  const { bias, ...rest } = producer
  const move = (tensor: FloatTensor): FloatTensor => {
    const full = expand(tensor, producer.shape)
    return compact({ shape, data: Float64Array.from(index, (at) => full[at]!) })
  }
  return {
    ...rest,
    name: joinNames(producer.name, rearrange.name),
    output: rearrange.output,
    shape,
    terms,
    ...(bias === undefined ? {} : { bias: move(bias) }),
  }
}

/** What stood at `i` of the transposed tensor stands at `index[i]` of the original. */
function reorderInputs(term: Gemm, input: string, index: Int32Array): FloatTerm {
  const inner = index.length
  const { data: old } = term.weight
  const data = new Float64Array(old.length)
  for (let row = 0; row < old.length; row += inner) {
    for (let i = 0; i < inner; i++) data[row + index[i]!] = old[row + i]!
  }
  return { ...term, input, weight: { shape: term.weight.shape, data } }
}
