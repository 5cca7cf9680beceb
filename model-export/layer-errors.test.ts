import { randomFloatModel } from '../test/random-float-model.js'
import { isolatePixels } from './isolate-pixels.js'
import { layerErrors } from './layer-errors.js'
import { quantizeWithReasons } from './quantize.js'

const options = {
  profile: 'balanced',
  latent: 'normal',
  calibrationSeeds: 32,
  toolVersion: '0',
  onnxSha256: `0x${'00'.repeat(32)}`,
} as const

test.each([1, 2, 3])(
  'a layer whose weights are rounded more is the one that is blamed (model %i)',
  (seed) => {
    const float = randomFloatModel(seed)
    const { nodes, output } = isolatePixels(float)
    const prepared = { ...float, nodes, output }
    const { model } = quantizeWithReasons(float, options)
    const before = layerErrors(prepared, model)
    expect(before.length).toBe(model.nodes.length)
    for (const layer of before) {
      if (layer === undefined) continue
      // Whatever comes before adds to it, but for luck.
      expect(layer.accumulatedSnr).toBeLessThan(layer.ownSnr + 1)
      expect(layer.imagePsnr).toBeGreaterThan(40)
    }
    const coarse = nodes.findIndex(({ output: name }) => name === 'up1')
    const rounded = {
      ...model,
      nodes: model.nodes.map((node, i) =>
        i !== coarse || node.kind !== 'affine'
          ? node
          : {
              ...node,
              terms: node.terms.map((term) =>
                term.kind === 'einsum'
                  ? term
                  : {
                      ...term,
                      weight: {
                        ...term.weight,
                        data: term.weight.data.map((w) => Math.round(w / 1024) * 1024),
                      },
                    },
              ),
            },
      ),
    }
    const after = layerErrors(prepared, rounded)
    // Nobody else is blamed.
    const others = (layers: typeof after) => layers.filter((_, i) => i !== coarse)
    expect(others(after).map((layer) => layer?.ownSnr)).toEqual(
      others(before).map((layer) => layer?.ownSnr),
    )
    expect(after[coarse]!.imagePsnr).toBeLessThan(before[coarse]!.imagePsnr!)
    expect(after[coarse]!.ownSnr).toBeLessThan(before[coarse]!.ownSnr - 3)
  },
)

test('says what was tried and why it was chosen', () => {
  const float = randomFloatModel(1)
  const by = (targetPsnr: number) =>
    quantizeWithReasons(float, { ...options, profile: 'compact', targetPsnr })
  const [coarse, fine] = [by(32), by(46)]
  expect(coarse.why).toMatch(/fewest bits with [\d.]+ dB .* 32.0 dB are wanted/)
  const bits = ({ trials }: typeof coarse, wanted: number) =>
    Math.min(...trials.filter(({ psnr }) => psnr >= wanted).map(({ weightBits }) => weightBits))
  expect(bits(coarse, 32)).toBeLessThan(bits(fine, 46))
  expect(() => by(80)).toThrow(/out of range[\s\S]*20 to 58/)
})
