import { nodeError } from '../onnx/node-error.js'
import type { OnnxNode } from '../onnx/onnx-graph.js'
import { evaluateConstant } from './evaluate-constant.js'
import type { Lower } from './lowering.js'
import {
  folds,
  listFoldedOperators,
  listSupportedOperators,
  lowerings,
  movers,
} from './operators.js'

/**
 * Lowers or folds one node.
 *
 * @throws PlatemarkError naming the node and its operator if it is not supported
 */
export const lowerNode: Lower = (node, inputs, lowering) => {
  if (node.domain !== '') throw unsupported(node)
  const mover = movers.get(node.operator)
  if (mover !== undefined) return mover(node, inputs, lowering)
  const known = inputs.every((value) => value?.kind !== 'activation')
  const fold = folds.get(node.operator)
  if (known && fold !== undefined) return fold(node, inputs, lowering)
  const lower = lowerings.get(node.operator)
  if (lower === undefined) throw unsupported(node)
  return known ? [evaluateConstant(node, inputs, lowering, lower)] : lower(node, inputs, lowering)
}

function unsupported(node: OnnxNode): Error {
  const folded = node.domain === '' && folds.has(node.operator)
  return nodeError(
    node,
    folded
      ? 'this operator is only supported on constants, and an input of it depends on the latent'
      : 'this operator is not supported',
    {
      expected: `one of ${listSupportedOperators().join(', ')}; on constants also ${listFoldedOperators().join(', ')}`,
      found: node.domain === '' ? node.operator : `${node.operator} of domain "${node.domain}"`,
      fix: 'Export the model without it, or replace it in the model by supported operators.',
    },
  )
}
