import type { OnnxNode } from '../onnx/onnx-graph.js'
import type { UnaryChain } from '../unary.js'
import {
  type Activation,
  activationInput,
  emitElementwise,
  type Lower,
  type Lowering,
} from './lowering.js'
import { finishReduction, reducedAxes } from './reduced-axes.js'
import { asRows, emitRowSum, type Rows } from './rows.js'

/** A sum over axes of a function of each element, and a function of that. */
function reduce(
  before: UnaryChain,
  after: UnaryChain,
  factor: (length: number) => number = () => 1,
): Lower {
  return (node, inputs, lowering) => {
    const value = activationInput(node, inputs, 0)
    const axes = reducedAxes(node, inputs, value.shape.length)
    const applied = apply(lowering, node, value, before)
    if (axes.length === 0) return [apply(lowering, node, applied, after)]
    const rows: Rows = asRows(lowering, node, applied, axes)
    const sum = rows.restore(emitRowSum(lowering, node, rows, factor(rows.length)))
    return [finishReduction(node, apply(lowering, node, sum, after), axes)]
  }
}

function apply(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  activation: UnaryChain,
): Activation {
  return activation.length === 0 ? value : emitElementwise(lowering, node, value, { activation })
}

const SQUARE: UnaryChain = [{ op: 'power', exponent: 2 }]

export const lowerReduceSum: Lower = reduce([], [])
export const lowerReduceMean: Lower = reduce([], [], (length) => 1 / length)
export const lowerReduceL1: Lower = reduce([{ op: 'elementary', name: 'abs' }], [])
export const lowerReduceL2: Lower = reduce(SQUARE, [{ op: 'elementary', name: 'sqrt' }])
export const lowerReduceSumSquare: Lower = reduce(SQUARE, [])
export const lowerReduceLogSum: Lower = reduce([], [{ op: 'elementary', name: 'log' }])
