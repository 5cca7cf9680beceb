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
      fix:
        INSTEAD[node.operator] ??
        'Export the model without it, or replace it in the model by supported operators.',
    },
  )
}

const STEP_BY_STEP =
  'Write the steps out before exporting: in Keras unroll=True, in PyTorch a cell (nn.GRUCell) that forward calls.'
const NOISE = 'Make the noise an input of the model, or a part of the latent.'

/** What to do about operators that exporters are known to write. */
const INSTEAD: Readonly<Record<string, string>> = {
  Erfc: 'tf2onnx left it as TensorFlow has it. In Keras, take gelu with approximate=True: keras.activations.gelu(x, approximate=True).',
  GRU: STEP_BY_STEP,
  LSTM: STEP_BY_STEP,
  Loop: STEP_BY_STEP,
  RNN: STEP_BY_STEP,
  RandomNormal: NOISE,
  RandomNormalLike: NOISE,
  RandomUniform: NOISE,
  RandomUniformLike: NOISE,
  ScatterND:
    'Put parts together with torch.cat, torch.stack or nn.PixelShuffle instead of assigning to slices.',
}
