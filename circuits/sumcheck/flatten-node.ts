import { expandBias } from '../../model-export/execute.js'
import type {
  AffineNode,
  IntegerModel,
  IntegerTensor,
  IntegerTerm,
  LinearIntegerTerm,
} from '../../model-export/integer-model.js'
import { prepareTerm } from '../../model-export/linear-terms.js'
import { elementCount } from '../../model-export/tensor-index.js'

/*
 * A node's terms and bias see its output through shapes of their own: rows × columns, channels × height ×
 * width. Where these have no common refinement (4 × 6 and 6 × 4), the node is written as an equal one
 * whose parts see coarser shapes. Its accumulators are the same numbers; only zeros are added to weights.
 */

/** A term is not written out beyond so many weights. */
const MOST_WEIGHTS = 2 ** 22

/**
 * The next of the ways to write a node, from the cheapest on: a bias for every element; matrix products over
 * fewer, longer rows; and in the end every linear map as one matrix.
 *
 * @param shape - of the node's output
 * @returns undefined where no way is left, or it takes too many weights
 */
export function flattenNode(
  node: AffineNode,
  shape: readonly number[],
  model: IntegerModel,
): AffineNode | undefined {
  const count = elementCount(shape)
  if (node.bias !== undefined && node.bias.data.length < count)
    return { ...node, bias: { shape, data: expandBias(node, shape) } }
  const inputs = (term: LinearIntegerTerm) => elementCount(model.tensors[term.input]!.shape)
  const flat = node.terms.map((term) =>
    term.kind === 'gemm' && term.rows > 1 ? longerRows(term) : term,
  )
  const terms = flat.some((term, i) => term !== node.terms[i])
    ? flat
    : node.terms.map((term) =>
        term.kind === 'einsum' || term.kind === 'gemm' ? term : asMatrix(term, shape, inputs(term)),
      )
  if (terms.includes(undefined) || terms.every((term, i) => term === node.terms[i]))
    return undefined
  return { ...node, terms: terms as readonly IntegerTerm[] }
}

type Gemm = Extract<IntegerTerm, { kind: 'gemm' }>

/** As few rows side by side as the number of rows allows: the matrix again and again on the diagonal. */
function longerRows(term: Gemm): Gemm | undefined {
  const { rows } = term
  let together = 2
  while (rows % together !== 0) together++
  const [outs = 0, ins = 0] = term.weight.shape
  if (outs * ins * together ** 2 > MOST_WEIGHTS) return undefined
  const data = new Int32Array(outs * ins * together ** 2)
  for (let block = 0; block < together; block++)
    for (let out = 0; out < outs; out++)
      data.set(
        term.weight.data.subarray(out * ins, (out + 1) * ins),
        (block * outs + out) * together * ins + block * ins,
      )
  const weight: IntegerTensor = { shape: [outs * together, ins * together], data }
  return { ...term, rows: rows / together, weight }
}

/** The matrix of a linear map, from what it makes of every unit vector. */
function asMatrix(
  term: LinearIntegerTerm,
  shape: readonly number[],
  inputs: number,
): Gemm | undefined {
  const outputs = elementCount(shape)
  if (outputs * inputs > MOST_WEIGHTS) return undefined
  const add = prepareTerm(term, shape)
  const data = new Int32Array(outputs * inputs)
  const unit = new Float64Array(inputs)
  for (let from = 0; from < inputs; from++) {
    unit.fill(0)
    unit[from] = 1
    const column = new Float64Array(outputs)
    add(unit, column)
    for (let to = 0; to < outputs; to++) data[to * inputs + from] = column[to]!
  }
  return { kind: 'gemm', input: term.input, rows: 1, weight: { shape: [outputs, inputs], data } }
}
