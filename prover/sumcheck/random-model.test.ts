import { axisBits } from '../../circuits/sumcheck/axes.js'
import { layOutModel } from '../../circuits/sumcheck/layout.js'
import { randomModel as otherModel } from '../../test/random-model.js'
import { randomModel } from './random-model.js'
import { proveNatively, proveWith, requestOf, testProver, verdicts } from './test-prover.js'

/** 12 by default, 200 with `npm run test:slow`; RANDOM_MODELS and RANDOM_FIRST choose others. */
const COUNT = Number(process.env.RANDOM_MODELS ?? (process.env.PLATEMARK_SLOW === '1' ? 200 : 12))
const FIRST = Number(process.env.RANDOM_FIRST ?? 0)

/** Both generators make every kind of term; their shapes, tables and orders differ. */
test.each([
  ['small tables', randomModel],
  ['anything', otherModel],
])(
  `honest proofs of ${COUNT} random models (%s) verify in Rust and in TypeScript`,
  async (_, make) => {
    let proven = 0
    for (let i = FIRST; i < FIRST + COUNT; i++) {
      const model = make(i)
      const bytes = model.image.height * model.image.width * model.image.channels
      const imageBinding = i % 3 === 0 ? 'commitment' : 'pixels'
      // Also columns so short that regions are longer than they are, but a power of tau a byte.
      const { columnBits } = layOutModel(model, '0x', { imageBinding }).descriptor
      const prover = await testProver(model, BigInt(i), {
        imageBinding,
        columnBits: Math.max(columnBits - (i % 5), axisBits(bytes), 2),
      })
      const proof = await proveWith(prover, {}, true)
      const request = await requestOf(prover, proof)
      const verdict = await verdicts(request)
      expect([i, verdict]).toEqual([i, { rust: undefined, typescript: undefined }])
      // The native executor computes what the integer executor does: the proofs are the same bytes.
      const executed = await proveNatively(prover)
      expect([i, Buffer.from(executed.pixels).equals(prover.pixels)]).toEqual([i, true])
      expect([i, Buffer.from(executed.proof).equals(proof)]).toEqual([i, true])
      proven++
    }
    expect(proven).toBe(COUNT)
  },
  3_600_000,
)
