import { quantizeOnnx } from '../model-export/compile-model.js'
import { modelSize } from '../model-export/model-size.js'
import { silent } from '../model-export/progress.js'
import { makeGenerator, STAGES } from './make-generator.js'

test('the random generator compiles, here with an eighth of the picture and few channels', () => {
  const stages = STAGES.slice(0, 4).map(({ size }) => ({ size, channels: 4 }))
  const options = { profile: 'balanced', latent: 'normal', toolVersion: '0' } as const
  const model = quantizeOnnx(
    makeGenerator(8, stages),
    'generator',
    { ...options, weightBits: 10, activationBits: 10, calibrationSeeds: 4 },
    silent,
  )
  expect(model.image).toMatchObject({ height: 32, width: 32, channels: 3 })
  const cells = stages.map(({ size, channels }) => size * size * channels)
  expect(modelSize(model)).toMatchObject({
    activations: cells.reduce((a, b) => a + b, 3 * 32 * 32),
    parameters: 8 * 4 * 16 + 3 * 4 * 4 * 16 + 3 * 4 * 9,
  })
})
