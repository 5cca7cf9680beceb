import type { FidelityReport, NodeReport } from '../model-export/fidelity.js'
import type { ModelOptions } from './compile-options.js'

/** How close a compiled model is to the float model, and why, for a person. */
export function fidelityRows(report: FidelityReport): readonly (readonly [string, string])[] {
  const { psnr, seeds, medianPsnr, worstPsnr } = report
  return [
    ['PSNR', `${decibels(psnr)} over ${seeds} seeds`],
    ['median, worst', `${decibels(medianPsnr)}, ${decibels(worstPsnr)}${describeTarget(report)}`],
    ['chosen', report.choice?.why ?? 'bits as given'],
    ['bits', describeBits(report)],
    ['hurts most', describeWorstLayer(report)],
    ['worst pixel', `off by ${report.worstPixelDifference} of 255`],
    ['SSIM', report.ssim.toFixed(4)],
  ]
}

/**
 * What to do about a model that is not as close as wanted; undefined where it is.
 *
 * @example
 * fidelityWarning(report, { profile: 'compact', latent: 'normal' })
 * // warning: images are 43.1 dB close at the median and 37.0 dB at the worst, not 45.0 and 40.0 dB …
 */
export function fidelityWarning(
  report: FidelityReport,
  { weightBits, activationBits, latent }: ModelOptions,
): string | undefined {
  const { target, medianPsnr, worstPsnr, profile } = report
  if (target === undefined || target.reached) return undefined
  const advice = [
    ...(weightBits === undefined && activationBits === undefined
      ? []
      : ['leave out --weight-bits and --activation-bits']),
    ...(profile === 'compact' ? ['try --profile balanced, whose steps are finer'] : []),
    `check that --latent ${latent} is what the model was trained with`,
    `accept less with --psnr ${Math.max(20, Math.floor(Math.min(medianPsnr, worstPsnr + 5)))}`,
  ]
  return [
    `warning: images are ${decibels(medianPsnr)} close to the float model at the median and`,
    `${decibels(worstPsnr)} at the worst, not ${decibels(target.psnr)} and ${decibels(target.worstPsnr)}.`,
    `Most hurts ${describeWorstLayer(report)}; see inspect --layers.`,
    `You can ${advice.join(', or ')}.`,
  ].join(' ')
}

function describeTarget({ target }: FidelityReport): string {
  if (target === undefined) return ''
  const { psnr, worstPsnr, reached } = target
  const wanted = `${decibels(psnr)} and ${decibels(worstPsnr)}`
  return reached ? ` (wanted: ${wanted})` : ` (NOT reached: ${wanted})`
}

/** From the least to the most of any layer. */
function describeBits({ nodes }: FidelityReport): string {
  const range = (bits: readonly number[]) => {
    const [least, most] = [Math.min(...bits), Math.max(...bits)]
    return least === most ? `${least}` : `${least} to ${most}`
  }
  const weights = nodes.map(({ weightBits }) => weightBits).filter((bits) => bits > 0)
  if (weights.length === 0) return 'no layer has weights'
  const outputs = range(nodes.map(({ outputBits }) => outputBits))
  return `weights ${range(weights)}, outputs ${outputs}; by layer: inspect --layers`
}

/** The layer that costs the image most, or else loses most itself; `inspect --layers` shows all. */
function describeWorstLayer({ nodes }: FidelityReport): string {
  const hurt = (node: NodeReport) => node.imagePsnr ?? node.ownSnr ?? 100
  const [worst] = nodes.toSorted((a, b) => hurt(a) - hurt(b))
  if (worst === undefined) return 'no layer'
  const { name, imagePsnr, ownSnr = 100 } = worst
  return imagePsnr === undefined
    ? `${name}: ${decibels(ownSnr)} of signal to its noise`
    : `${name}: ${decibels(imagePsnr)} if it alone is quantized`
}

function decibels(value: number): string {
  return `${value.toFixed(1)} dB`
}
