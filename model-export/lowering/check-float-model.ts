import { einsumCount, einsumFault } from '../einsum.js'
import type { FloatModel, LinearFloatTerm } from '../float-model.js'
import { elementCount } from '../tensor-index.js'
import { broadcastsTo } from './broadcast-shape.js'

/**
 * Checks what `float-model.ts` promises and types cannot say: every name is defined once and before
 * its use, and all sizes fit.
 *
 * @throws RangeError naming the node: a bug in a lowering, never a user's fault
 */
export function checkFloatModel(model: FloatModel): void {
  const inputs = [model.input, ...(model.conditions ?? [])]
  const sizes = new Map(inputs.map(({ name, shape }) => [name, elementCount(shape)]))
  for (const node of model.nodes) {
    const must = (condition: boolean, what: string): void => {
      if (!condition) throw new RangeError(`node "${node.name}": ${what}`)
    }
    const size = elementCount(node.shape)
    must(!sizes.has(node.output), `"${node.output}" is defined twice`)
    if (node.kind === 'rearrange') {
      must(sizes.get(node.input) === size, 'input and output differ in size')
      must(elementCount(node.inputShape) === size, 'inputShape has another size')
      const axes = [...node.permutation].sort((a, b) => a - b)
      must(axes.join() === node.inputShape.map((_, axis) => axis).join(), 'no permutation')
    } else {
      for (const term of node.terms) {
        const input = sizes.get(term.input)
        must(input !== undefined, `"${term.input}" is not defined before it`)
        if (term.kind === 'einsum') {
          const fault = einsumFault(term)
          must(fault === undefined, `its einsum has not ${fault}`)
          must(node.terms.length === 1, 'a product is not the only term')
          must(einsumCount(term, term.inputAxes) === input, 'its product does not fit the input')
          const operand = sizes.get(term.operand)
          must(einsumCount(term, term.operandAxes) === operand, 'nor does the operand')
          must(einsumCount(term, term.outputAxes) === size, 'its product does not fit the output')
          continue
        }
        must(termFits(term, input!, node.shape), `its ${term.kind} term does not fit`)
        must(term.weight.data.length === elementCount(term.weight.shape), 'weight size')
      }
      const { bias } = node
      must(
        bias === undefined ||
          (bias.shape.length === node.shape.length && broadcastsTo(bias.shape, node.shape)),
        'its bias does not broadcast',
      )
    }
    sizes.set(node.output, size)
  }
  if (sizes.get(model.output.name) !== elementCount(model.output.shape)) {
    throw new RangeError('the output is not defined, or has another size')
  }
}

function termFits(term: LinearFloatTerm, input: number, shape: readonly number[]): boolean {
  const output = elementCount(shape)
  const weight = term.weight.shape
  if (term.kind === 'elementwise') {
    return input === output && weight.length === shape.length && broadcastsTo(weight, shape)
  }
  if (term.kind === 'gemm') {
    return (
      weight.length === 2 && input === term.rows * weight[1]! && output === term.rows * weight[0]!
    )
  }
  const { inputChannels, outputChannels, groups } = term
  const [first, second] =
    term.kind === 'conv'
      ? [outputChannels, inputChannels / groups]
      : [inputChannels, outputChannels / groups]
  return (
    weight.length === 4 &&
    weight[0] === first &&
    weight[1] === second &&
    input === inputChannels * term.inputHeight * term.inputWidth &&
    output === outputChannels * term.outputHeight * term.outputWidth
  )
}
