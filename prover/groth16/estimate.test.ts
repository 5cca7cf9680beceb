import { sampleModel, spriteSizedModel } from '../../circuits/circom/sample-model.js'
import { estimateGroth16, MAX_CONSTRAINTS, MAX_WEIGHTS } from './estimate.js'

const pixels = (height: number, width: number, value: (q: number) => number) =>
  sampleModel(1, [
    {
      shape: [height, width, 1],
      terms: (draw) => [
        { kind: 'gemm', input: 0, rows: 1, weight: draw([height * width, 1], 127) },
      ],
      activation: { kind: 'table', value },
      shift: 1,
    },
  ])

describe('estimateGroth16', () => {
  test('a sprite generator is feasible, in numbers', () => {
    const estimate = estimateGroth16(spriteSizedModel())
    expect(estimate).toMatchObject({ backend: 'groth16', feasible: true, proofBytes: 256 })
    expect(estimate.reason).toBeUndefined()
    expect(estimate.counts).toEqual({
      constraints: 108_643,
      weights: 151_744,
      domain: 131_072,
      publicSignals: 3,
    })
    expect(estimate.proveSeconds).toBeLessThan(12)
    expect(estimate.compileSeconds).toBeLessThan(40)
  })

  test('names the limit that a model is over', () => {
    const large = estimateGroth16(
      pixels(300, 400, (q) => Math.round(255 / (1 + Math.exp(-q / 500)))),
    )
    expect(large.feasible).toBe(false)
    expect(large.reason).toContain(`the limit is ${MAX_CONSTRAINTS.toLocaleString('en-US')}`)
    const dense = sampleModel(600, [
      {
        shape: [90, 80, 1],
        terms: (draw) => [{ kind: 'gemm', input: 0, rows: 1, weight: draw([7200, 600], 1) }],
        activation: { kind: 'clamp', min: 0, max: 255 },
        shift: 4,
      },
    ])
    expect(estimateGroth16(dense).reason).toContain(
      `the limit is ${MAX_WEIGHTS.toLocaleString('en-US')}`,
    )
  })

  test('names the node whose table is too large', () => {
    const noise = estimateGroth16(pixels(2, 2, (q) => ((q * 2654435761) >>> 7) & 255))
    expect(noise).toMatchObject({ feasible: false })
    expect(noise.reason).toMatch(/The table of layer 1 is too large/)
  })
})
