import { expandSeed } from '../../circuits/seed-expansion.js'
import { layOutModel } from '../../circuits/sumcheck/layout.js'
import { layOutWitness } from '../../circuits/sumcheck/witness.js'
import { trace } from '../../model-export/execute.js'
import { keyText, makeKey } from './key.js'
import { sumcheckNative } from './native.js'
import { randomModel } from './random-model.js'

const COUNT = Number(process.env.RANDOM_MODELS ?? 20)
const zero = Buffer.alloc(32)

test(`${COUNT} random models prove and verify`, async () => {
  const native = sumcheckNative()
  const powers = await native.sumcheckDevelopmentPowers(15)
  let copies = 0
  for (let i = 0; i < COUNT; i++) {
    const model = randomModel(i)
    const layout = layOutModel(model, `0x${'00'.repeat(32)}`)
    copies += layout.descriptor.columns.copy
    const latent = expandSeed(BigInt(i), model.latent.dimensions)
    const run = trace(model, latent)
    const witness = layOutWitness(model, layout.descriptor, run)
    const key = await makeKey(layout, powers.powers, powers.tauG2)
    const statement = {
      key: keyText(key),
      seed: zero,
      context: zero,
      pixels: Buffer.from(run.pixels),
      latent: Buffer.from(latent),
    }
    const { table, weight } = layout
    const input = { ...statement, ...witness, powers: powers.powers, table, weight, checked: true }
    try {
      const { proof } = await native.sumcheckProve(input)
      expect(await native.sumcheckVerify({ ...statement, proof })).toBeNull()
    } catch (error) {
      throw new Error(`model ${i}: ${error}\n${JSON.stringify(layout.descriptor.nodes)} ${JSON.stringify(layout.descriptor.blocks)}`)
    }
  }
  console.log({ copies })
})
