import { execute } from '../../model-export/execute.js'
import { compileCircom } from '../../prover/groth16/circom-process.js'
import { poseidonDigest } from '../image-digest.js'
import { toLimbs } from '../limbs.js'
import { expandSeed } from '../seed-expansion.js'
import { loadWitnessCalculator, witnessValue } from '../witness.js'
import { generateCircom, pixelWire } from './generate.js'
import { everyShapeModel } from './sample-model.js'

const model = everyShapeModel()

test('circuit and executor agree for 1,000 seeds, bit for bit', async () => {
  const { source, plan } = generateCircom(model)
  const calculator = await loadWitnessCalculator((await compileCircom(source)).wasm)
  for (let seed = 0n; seed < 1000n; seed++) {
    const latent = expandSeed(seed, model.latent.dimensions)
    const pixels = execute(model, latent)
    const witness = calculator.calculate({ latentLimb: toLimbs(latent), context: [0n] })
    const circuitPixels = Uint8Array.from(pixels, (_, i) =>
      Number(witnessValue(witness, pixelWire(plan, i))),
    )
    if (!Buffer.from(circuitPixels).equals(Buffer.from(pixels)))
      throw new Error(`seed ${seed}: the circuit's pixels are not the executor's`)
    // The digest in JavaScript takes longer than the witness.
    if (seed % 25n === 0n)
      expect(witnessValue(witness, 1)).toBe(poseidonDigest({ ...model.image, pixels }))
  }
})
