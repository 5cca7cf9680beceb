import { execute } from '../../model-export/execute.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { compileCircom } from '../../prover/groth16/circom-process.js'
import { poseidonDigest } from '../image-digest.js'
import { toLimbs } from '../limbs.js'
import { findViolation, readConstraints, readR1csHeader } from '../r1cs.js'
import { expandSeed } from '../seed-expansion.js'
import { loadWitnessCalculator, witnessValue } from '../witness.js'
import { generateCircom } from './generate.js'
import { type SampleLayer, sampleModel } from './sample-model.js'

/** One dense layer. */
function dense(
  inputs: number,
  outputs: number,
  activation: SampleLayer['activation'] = { kind: 'clamp', min: 0, max: 255 },
): IntegerModel {
  const layer: SampleLayer = {
    shape: [1, outputs, 1],
    terms: (draw) => [{ kind: 'gemm', input: 0, rows: 1, weight: draw([outputs, inputs], 50) }],
    activation,
    shift: 3,
    biasShape: [1, outputs, 1],
  }
  return sampleModel(inputs, [layer])
}

const single = dense(1, 1)
const edges: readonly (readonly [string, IntegerModel])[] = [
  ['one latent byte, one pixel', single],
  ['a limb and a byte of latent, a digest block and a byte of pixels', dense(32, 466)],
  ['a full limb, a constant table', dense(31, 3, { kind: 'table', value: () => 7 })],
  [
    'no layer: the latent is the image',
    {
      ...single,
      latent: { ...single.latent, dimensions: 4, table: Array.from({ length: 256 }, (_, i) => i) },
      tensors: [{ name: 'latent', shape: [2, 2, 1], min: 0, max: 255, scale: 1 }],
      nodes: [],
      tables: [],
      image: { ...single.image, tensor: 0, height: 2, width: 2 },
    },
  ],
]

describe('circuits at the edges', () => {
  test.each(edges)('%s', async (_, model) => {
    const { source, plan } = generateCircom(model)
    const { wasm, r1cs } = await compileCircom(source)
    const header = readR1csHeader(r1cs)
    expect(header.publicOutputs + header.publicInputs).toBe(plan.counts.publicSignals)
    expect(header.constraints).toBeLessThanOrEqual(plan.counts.constraints)
    const calculator = await loadWitnessCalculator(wasm)
    const constraints = readConstraints(r1cs)
    for (let seed = 0n; seed < 3n; seed++) {
      const latent = expandSeed(seed, model.latent.dimensions)
      const witness = calculator.calculate({ latentLimb: toLimbs(latent), context: [seed] })
      const digest = poseidonDigest({ ...model.image, pixels: execute(model, latent) })
      expect(witnessValue(witness, 1)).toBe(digest)
      expect(findViolation(constraints, witness)).toBeUndefined()
    }
  })
})
