import type { FidelityReport } from '../model-export/fidelity.js'
import { fidelityRows, fidelityWarning } from './fidelity-lines.js'

const layer = {
  output: [3, 8, 8],
  accumulatorBits: 20,
  quotientBits: 12,
  shift: 8,
  tableRows: 4000,
  outputBits: 8,
}

const report: FidelityReport = {
  format: 'platemark-report',
  version: 1,
  profile: 'compact',
  seeds: 256,
  psnr: 42,
  medianPsnr: 43.12,
  worstPsnr: 36.94,
  worstPixelDifference: 30,
  ssim: 0.99,
  parameters: 1,
  activations: 1,
  macs: 1,
  target: { psnr: 45, worstPsnr: 40, reached: false },
  choice: { why: 'the most bits that are tried', trials: [] },
  nodes: [
    { ...layer, name: 'fine', weightBits: 9, imagePsnr: 52 },
    { ...layer, name: 'coarse', weightBits: 12, imagePsnr: 43.5 },
  ],
}

test('the report says bits, what was wanted and the layer that hurts', () => {
  const lines = new Map(fidelityRows(report))
  expect(lines.get('PSNR')).toBe('42.0 dB over 256 seeds')
  expect(lines.get('median, worst')).toBe('43.1 dB, 36.9 dB (NOT reached: 45.0 dB and 40.0 dB)')
  expect(lines.get('bits')).toBe('weights 9 to 12, outputs 8; by layer: inspect --layers')
  expect(lines.get('hurts most')).toBe('coarse: 43.5 dB if it alone is quantized')
})

test('a model that is not close enough comes with the layer and what to do', () => {
  const warning = fidelityWarning(report, { latent: 'normal', weightBits: 4 })
  expect(warning).toMatch(/^warning: images are 43.1 dB close .* 36.9 dB at the worst, not 45.0 dB/)
  expect(warning).toMatch(/Most hurts coarse: 43.5 dB/)
  expect(warning).toMatch(/leave out --weight-bits/)
  expect(warning).toMatch(/--profile balanced/)
  expect(warning).toMatch(/--latent normal/)
  expect(warning).toMatch(/accept less with --psnr 41/)
})

test('a model that is close enough comes without', () => {
  const reached = { ...report, target: { psnr: 45, worstPsnr: 40, reached: true } }
  expect(fidelityWarning(reached, { latent: 'normal' })).toBeUndefined()
})
