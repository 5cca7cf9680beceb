import { randomFloatModel } from '../test/random-float-model.js'
import { circuitCost } from './circuit-cost.js'
import { verifyBounds } from './intervals.js'
import { modelId } from './plate.js'
import { type QuantizeOptions, quantizeWithReasons } from './quantize.js'

const options: QuantizeOptions = {
  profile: 'compact',
  latent: 'normal',
  calibrationSeeds: 16,
  toolVersion: '0',
  onnxSha256: `0x${'00'.repeat(32)}`,
}

const choose = (seed: number, change: Partial<QuantizeOptions> = {}) =>
  quantizeWithReasons(randomFloatModel(seed), { ...options, ...change })

test('layers get bits of their own, for less than equal bits everywhere', () => {
  const { model, psnr, layers, trials, why } = choose(1)
  verifyBounds(model)
  expect(psnr).toBeGreaterThanOrEqual(45)
  expect(why).toMatch(/layer by layer, for \d+% less than \d+-bit weights/)
  expect(layers!.length).toBe(model.nodes.filter(({ kind }) => kind === 'affine').length)
  expect(new Set(layers!.map(({ weightBits }) => weightBits)).size).toBeGreaterThan(1)
  const { weightBits, activationBits } = trials
    .filter((trial) => trial.psnr >= 45)
    .toSorted((a, b) => a.weightBits - b.weightBits)[0]!
  const uniform = choose(1, { weightBits, activationBits })
  expect(uniform.why).toBe('bits as given')
  expect(circuitCost(model)).toBeLessThan(circuitCost(uniform.model))
})

test('a bit is dear where it is worth much and cheap where not', () => {
  const { layers, trials } = choose(1)
  const start = trials
    .filter(({ psnr }) => psnr >= 45)
    .toSorted((a, b) => a.weightBits - b.weightBits)[0]!
  const lost = layers!.flatMap(({ weightBits, weightBit }) =>
    weightBit === undefined ? [] : [{ ...weightBit, less: start.weightBits - weightBits }],
  )
  const price = ({ costs, saves }: (typeof lost)[number]) => costs / saves
  const [cheapest] = lost.toSorted((a, b) => price(a) - price(b))
  const [dearest] = lost.toSorted((a, b) => price(b) - price(a))
  expect(cheapest!.less).toBeGreaterThan(dearest!.less)
})

test('the same input gives the same bits, and what the user fixed stays', () => {
  expect(modelId(choose(2).model)).toBe(modelId(choose(2).model))
  const { layers, trials } = choose(1, { activationBits: 9 })
  expect(trials.every(({ activationBits }) => activationBits === 9)).toBe(true)
  expect(layers!.every(({ activationBits }) => activationBits === 9)).toBe(true)
  expect(layers!.every(({ activationBit }) => activationBit === undefined)).toBe(true)
})

test('models with shared tables have the same bits everywhere', () => {
  expect(choose(1, { profile: 'fidelity' }).layers).toBeUndefined()
})
