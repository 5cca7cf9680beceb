import { execute } from './execute.js'
import { prepareFloat } from './execute-float.js'
import { meanSquaredError, peakSignalToNoise } from './image-quality.js'
import { verifyBounds } from './intervals.js'
import { realLatent, sampleLatent } from './latent-table.js'
import { lowerOnnx } from './lower-onnx.js'
import { dataDependent, tables } from './lowering/data-dependent-specs.js'
import { buildOnnx, type OnnxSpec } from './onnx/build-onnx.js'
import { quantize } from './quantize.js'
import { elementCount, transposeIndex } from './tensor-index.js'

/** Decibels of an operator's pixels, black and white being the least and the most that it makes. */
function fidelity(spec: OnnxSpec): { readonly psnr: number; readonly worst: number } {
  const float = lowerOnnx(buildOnnx(spec), 'test')
  const run = prepareFloat(float)
  const latent = { distribution: 'uniform', dimensions: elementCount(float.input.shape) } as const
  const probe = quantizeWith([0, 1])
  const outputs = (seed: number) =>
    run(realLatent(probe.latent, sampleLatent(seed, latent.dimensions))).get(float.output.name)!
  const seen = Array.from({ length: 64 }, (_, seed) => [...outputs(seed)]).flat()
  const range = [Math.min(...seen), Math.max(...seen)] as const
  const model = quantizeWith(range)
  verifyBounds(model)
  const shape = float.output.shape.slice(-3)
  const order = transposeIndex(shape, [1, 2, 0])
  const errors = Array.from({ length: 64 }, (_, i) => {
    const real = outputs(1000 + i)
    const wanted = Float64Array.from(order, (at) =>
      Math.min(Math.max(((real[at]! - range[0]) / (range[1] - range[0])) * 255, 0), 255),
    )
    const pixels = execute(model, sampleLatent(1000 + i, latent.dimensions))
    return meanSquaredError(pixels, wanted)
  })
  return {
    psnr: peakSignalToNoise(errors.reduce((sum, error) => sum + error, 0) / errors.length),
    worst: peakSignalToNoise(Math.max(...errors)),
  }

  function quantizeWith(outputRange: readonly [number, number]) {
    return quantize(float, {
      profile: 'fidelity',
      latent: 'uniform',
      outputRange,
      layout: 'CHW',
      calibrationSeeds: 64,
      toolVersion: 'test',
      onnxSha256: `0x${'00'.repeat(32)}`,
    })
  }
}

// Rounding to pixels alone allows 58.9 dB.
test.each(Object.entries({ ...tables, ...dataDependent }))('%s in integers', (_, spec) => {
  const { psnr, worst } = fidelity(spec)
  expect(psnr).toBeGreaterThan(50)
  expect(worst).toBeGreaterThan(45)
})
