import { floatAttribute, intAttribute } from '../onnx/attributes.js'
import { nodeError } from '../onnx/node-error.js'
import { activationInput, emitElementwise, type Lower, weightInput } from './lowering.js'

/** In inference a scale and an offset by channel (axis 1). */
export const lowerBatchNormalization: Lower = (node, inputs, lowering) => {
  const value = activationInput(node, inputs, 0)
  if (intAttribute(node, 'training_mode', 0) !== 0) {
    throw nodeError(node, 'it is in training mode', {
      expected: 'a model in inference mode',
      fix: 'Call model.eval() before exporting.',
    })
  }
  const [gamma, beta, mean, variance] = ['scale', 'bias', 'mean', 'variance'].map(
    (meaning, index) => weightInput(node, inputs, index + 1, meaning).data,
  )
  const channels = value.shape[1] ?? 1
  for (const data of [gamma!, beta!, mean!, variance!]) {
    if (data.length !== channels) {
      throw nodeError(node, 'the parameters do not fit the channels', {
        expected: `${channels} values`,
        found: `${data.length} values`,
      })
    }
  }
  const epsilon = floatAttribute(node, 'epsilon', 1e-5)
  const scale = gamma!.map((g, c) => g / Math.sqrt(variance![c]! + epsilon))
  const offset = scale.map((s, c) => beta![c]! - s * mean![c]!)
  if (!scale.every(Number.isFinite) || !offset.every(Number.isFinite)) {
    throw nodeError(node, 'a variance is not positive')
  }
  const shape = [channels, ...new Array<number>(Math.max(0, value.shape.length - 2)).fill(1)]
  return [
    emitElementwise(lowering, node, value, {
      scale: { shape, data: scale },
      offset: { shape, data: offset },
    }),
  ]
}
