import { execute, trace } from './execute.js'
import { prepareFloat } from './execute-float.js'
import { meanSquaredError, peakSignalToNoise } from './image-quality.js'
import type { IntegerModel } from './integer-model.js'
import { type Range, verifyBounds } from './intervals.js'
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
  expectBounds(model)
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

/** Values of extreme and of random latents lie within what is claimed. */
function expectBounds(model: IntegerModel): void {
  const { dimensions } = model.latent
  const latents: Uint8Array[] = [0, 127, 255].map((byte) => new Uint8Array(dimensions).fill(byte))
  for (let seed = 0; seed < 20; seed++) {
    const latent = sampleLatent(seed, dimensions)
    // Bytes at the ends are where bounds are reached.
    latents.push(
      latent,
      latent.map((byte) => (byte < 128 ? 0 : 255)),
    )
  }
  const within = (values: ArrayLike<number>, { min, max }: Range) => {
    for (let i = 0; i < values.length; i++)
      if (!(values[i]! >= min && values[i]! <= max))
        throw new RangeError(`${values[i]} is not from ${min} to ${max}`)
  }
  for (const latent of latents) {
    const { tensors, nodes } = trace(model, latent)
    tensors.forEach((values, id) => {
      within(values, model.tensors[id]!)
    })
    model.nodes.forEach((node, i) => {
      if (node.kind === 'affine') within(nodes[i]!.accumulator, node.accumulator)
    })
  }
}

// Rounding to pixels alone allows 58.9 dB.
test.each(Object.entries({ ...tables, ...dataDependent }))('%s in integers', (_, spec) => {
  const { psnr, worst } = fidelity(spec)
  expect(psnr).toBeGreaterThan(45)
  expect(worst).toBeGreaterThan(40)
})
