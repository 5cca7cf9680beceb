import { SPRITES_OPTIONS, spritesOnnx } from '../../fixtures/golden.js'
import { quantizeOnnx } from '../../model-export/compile-model.js'
import { execute } from '../../model-export/execute.js'
import { silent } from '../../model-export/progress.js'
import { compileCircom } from '../../prover/groth16/circom-process.js'
import { toLimbs } from '../limbs.js'
import { expandSeed } from '../seed-expansion.js'
import { loadWitnessCalculator, witnessValue } from '../witness.js'
import { generateCircom, pixelWire } from './generate.js'

/** All 1,000 take five to fifteen minutes (`npm run test:slow`); otherwise a sample of them. */
const seeds = process.env.PLATEMARK_SLOW === '1' ? 1000n : 20n

test(`the sprite fixture: circuit and executor agree for ${seeds} seeds, bit for bit`, async () => {
  const model = await quantizeOnnx(await spritesOnnx(), 'sprites', SPRITES_OPTIONS, silent)
  const { source, plan } = generateCircom(model)
  const calculator = await loadWitnessCalculator((await compileCircom(source)).wasm)
  for (let seed = 0n; seed < seeds; seed++) {
    const latent = expandSeed(seed, model.latent.dimensions)
    const witness = calculator.calculate({ latentLimb: toLimbs(latent), context: [seed] })
    const pixels = execute(model, latent)
    const differing = pixels.findIndex(
      (pixel, i) => witnessValue(witness, pixelWire(plan, i)) !== BigInt(pixel),
    )
    if (differing >= 0) throw new Error(`seed ${seed}: pixel ${differing} differs`)
  }
}, 3_600_000)
