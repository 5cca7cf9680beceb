import { existsSync, readFileSync } from 'node:fs'
import { randomFrom } from '../test/random-model.js'
import { compileModel, quantizeOnnx } from './compile-model.js'
import { execute, prepare } from './execute.js'
import { verifyBounds } from './intervals.js'
import { sampleLatent } from './latent-table.js'
import { buildOnnx } from './onnx/build-onnx.js'
import { modelId } from './plate.js'
import { PlatemarkError } from './platemark-error.js'
import type { ProfileName } from './profiles.js'
import { silent } from './progress.js'

/** Public generators, which are not part of the repository. */
const MODELS = new URL('../../shared/models/', import.meta.url)
const FIXTURE = new URL('../fixtures/sprites/sprites.onnx', import.meta.url)

const options = (profile: ProfileName) =>
  ({ profile, latent: 'normal', calibrationSeeds: 12, seeds: 4, toolVersion: '0' }) as const

const cases: readonly [string, ProfileName, URL, number][] = [
  ['our sprites', 'compact', FIXTURE, 42],
  ['our sprites', 'balanced', FIXTURE, 46],
  ['our sprites', 'fidelity', FIXTURE, 47],
  ['sunrises_decoder', 'compact', new URL('sunrises_decoder.onnx', MODELS), 43],
  ['sunrises_decoder', 'fidelity', new URL('sunrises_decoder.onnx', MODELS), 52],
  ['mnist_gan', 'compact', new URL('mnist_gan.onnx', MODELS), 45],
]

test.each(cases)('%s, %s, is close to onnxruntime', async (name, profile, url, decibels) => {
  if (!existsSync(url)) {
    console.log(`skipped: ${name} is not on this machine`)
    return
  }
  const { model, report } = await compileModel(readFileSync(url), name, options(profile), silent)
  expect(report.psnr).toBeGreaterThan(decibels)
  expect(report.worstPsnr).toBeGreaterThan(decibels - 6)
  expect(report.ssim).toBeGreaterThan(0.98)
  expect(report.profile).toBe(profile)
  verifyBounds(model)
  if (name !== 'sunrises_decoder') return
  const latentBytes = sampleLatent(1, model.latent.dimensions)
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now()
    execute(model, latentBytes)
    return performance.now() - start
  })
  expect(Math.min(...times)).toBeLessThan(300)
})

test('1,000 latents of our sprites stay within every table', () => {
  if (!existsSync(FIXTURE)) return console.log('skipped: the fixture is not trained yet')
  const model = quantizeOnnx(readFileSync(FIXTURE), 'sprites', options('compact'), silent)
  const executor = prepare(model)
  for (let seed = 0; seed < 1000; seed++)
    executor.execute(sampleLatent(seed, model.latent.dimensions))
})

test('compiling is deterministic and the report describes the model', async () => {
  if (!existsSync(FIXTURE)) return console.log('skipped: the fixture is not trained yet')
  const onnx = readFileSync(FIXTURE)
  const first = await compileModel(onnx, 'sprites', options('balanced'), silent)
  const second = await compileModel(onnx, 'sprites', options('balanced'), silent)
  expect(modelId(first.model)).toBe(modelId(second.model))
  expect(first.report).toEqual(second.report)
  expect(first.report.nodes.length).toBe(
    first.model.nodes.filter(({ kind }) => kind === 'affine').length,
  )
  expect(first.model.source.onnxSha256).toMatch(/^0x[0-9a-f]{64}$/)
})

test('progress is told in steps with counts', async () => {
  if (!existsSync(FIXTURE)) return console.log('skipped: the fixture is not trained yet')
  const steps = new Set<string>()
  await compileModel(readFileSync(FIXTURE), 'sprites', options('compact'), ({ step }) => {
    steps.add(step)
  })
  expect([...steps]).toEqual([
    'read the ONNX file',
    'calibrate',
    'choose bits',
    'choose bits by layer',
    'compare with the float model',
    'find the layer that hurts',
  ])
})

test('what is no ONNX file is refused', async () => {
  await expect(
    compileModel(new Uint8Array([1, 2, 3]), 'x', options('compact'), silent),
  ).rejects.toThrow(PlatemarkError)
})

test('a wanted closeness is reached at less cost than the usual one, and checked on more seeds', async () => {
  if (!existsSync(FIXTURE)) return console.log('skipped: the fixture is not trained yet')
  const onnx = readFileSync(FIXTURE)
  const { seeds: _, calibrationSeeds: __, ...usual } = options('compact')
  const compiled = (targetPsnr: number) =>
    compileModel(onnx, 'sprites', { ...usual, targetPsnr }, silent)
  const [coarse, fine] = [await compiled(36), await compiled(45)]
  for (const [{ report }, psnr] of [
    [coarse, 36],
    [fine, 45],
  ] as const) {
    expect(report.target).toEqual({ psnr, worstPsnr: psnr - 5, reached: true })
    expect(report.seeds).toBe(256)
    expect(report.medianPsnr).toBeGreaterThanOrEqual(psnr)
    expect(report.worstPsnr).toBeGreaterThanOrEqual(psnr - 5)
    expect(report.choice?.why).toMatch(/fewest bits/)
    for (const { ownSnr, accumulatedSnr, imagePsnr } of report.nodes)
      expect(Math.min(ownSnr!, accumulatedSnr!, imagePsnr!)).toBeGreaterThan(10)
  }
  const bits = (nodes: typeof fine.report.nodes) =>
    nodes.reduce((sum, { accumulatorBits }) => sum + accumulatorBits, 0)
  expect(bits(coarse.report.nodes)).toBeLessThan(bits(fine.report.nodes))
}, 240_000)

/** Sixteen numbers to a grey picture; a few units of the first layer are as large as `spread`. */
function spreadGenerator(spread: number): Uint8Array {
  const random = randomFrom(7)
  const matrix = (
    outputs: number,
    inputs: number,
    size: (output: number, input: number) => number,
  ) => ({
    shape: [outputs, inputs],
    data: Array.from(
      { length: outputs * inputs },
      (_, i) => (random.integer(-1000, 1000) / 2500) * size(Math.floor(i / inputs), i % inputs),
    ),
  })
  const large = (unit: number) => (unit % 8 === 0 ? spread : 1)
  return buildOnnx({
    inputs: { z: [1, 16] },
    outputs: { y: [1, 256] },
    initializers: {
      first: matrix(64, 16, large),
      second: matrix(256, 64, (_, input) => 1 / large(input)),
    },
    nodes: [
      {
        operator: 'Gemm',
        inputs: ['z', 'first'],
        outputs: ['a'],
        attributes: { transB: { int: 1 } },
      },
      { operator: 'Relu', inputs: ['a'], outputs: ['b'] },
      {
        operator: 'Gemm',
        inputs: ['b', 'second'],
        outputs: ['c'],
        attributes: { transB: { int: 1 } },
      },
      { operator: 'Sigmoid', inputs: ['c'], outputs: ['y'] },
    ],
  })
}

test('without a wish 45 dB at the median and 40 at the worst are held, or the report says not', async () => {
  const usual = {
    profile: 'compact',
    latent: 'normal',
    calibrationSeeds: 32,
    toolVersion: '0',
  } as const
  const { report } = await compileModel(spreadGenerator(20), 'spread', usual, silent)
  expect(report.target).toEqual({ psnr: 45, worstPsnr: 40, reached: true })
  expect(report.seeds).toBe(256)
  expect(report.medianPsnr).toBeGreaterThanOrEqual(45)
  expect(report.worstPsnr).toBeGreaterThanOrEqual(40)
  const given = { ...usual, weightBits: 5, activationBits: 5, seeds: 16 }
  const coarse = await compileModel(spreadGenerator(20), 'spread', given, silent)
  expect(coarse.report.target).toEqual({ psnr: 45, worstPsnr: 40, reached: false })
  expect(coarse.report.choice?.why).toBe('bits as given')
})
