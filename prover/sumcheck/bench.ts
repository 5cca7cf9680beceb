import { readFile } from 'node:fs/promises'
import { expandSeed } from '../../circuits/seed-expansion.js'
import { layOutModel } from '../../circuits/sumcheck/layout.js'
import { layOutWitness } from '../../circuits/sumcheck/witness.js'
import { quantizeOnnx } from '../../model-export/compile-model.js'
import { trace } from '../../model-export/execute.js'
import { silent } from '../../model-export/progress.js'
import { imageHash } from './image-hash.js'
import { keyText, makeKey } from './key.js'
import { sumcheckNative } from './native.js'
import { verifySumcheck } from './verifier/verify.js'

/** Prints phases, memory and proof size: node dist/prover/sumcheck/bench.js model.onnx [columnBits] */
const [path = '', bitsText, profile = 'fidelity'] = process.argv.slice(2)
const native = sumcheckNative()
const clock = () => Number(process.hrtime.bigint()) / 1e9
const model = quantizeOnnx(
  await readFile(path),
  'bench',
  { profile, latent: 'normal', toolVersion: '0' } as never,
  silent,
)
const bits = bitsText === undefined || bitsText === '-' ? undefined : Number(bitsText)
const layout = layOutModel(
  model,
  `0x${'00'.repeat(32)}`,
  bits === undefined ? {} : { columnBits: bits },
)
const { descriptor } = layout
console.log({
  N: descriptor.columnBits,
  limbs: descriptor.limbs,
  limbBits: descriptor.limbBits,
  ...descriptor.columns,
})
console.log(
  JSON.stringify(descriptor.segments.map((s) => s.bits)),
  JSON.stringify(descriptor.blocks),
)
let t = clock()
const { powers, tauG2 } = await native.sumcheckDevelopmentPowers(descriptor.columnBits)
console.log('dev powers', (clock() - t).toFixed(2))
t = clock()
const key = await makeKey(layout, powers, tauG2)
console.log('commit key', (clock() - t).toFixed(2))
const zero = Buffer.alloc(32)
const text = keyText(key)
for (let i = 0; i < 3; i++) {
  t = clock()
  const latent = expandSeed(BigInt(i), model.latent.dimensions)
  const run = trace(model, latent)
  const executed = clock() - t
  const first = layOutWitness(model, descriptor, run)
  const laidOut = clock() - t
  const cpuBefore = process.cpuUsage()
  const statement = {
    key: text,
    seed: zero,
    context: zero,
    latent: Buffer.from(latent),
  }
  const pixels = Buffer.from(run.pixels)
  const { proof, phases } = await native.sumcheckProve({
    ...statement,
    first,
    pixels,
    powers,
    keyCells: layout.keyCells,
    checked: true,
  })
  const total = clock() - t
  const { user, system } = process.cpuUsage(cpuBefore)
  const cpu = ((user + system) / 1e6).toFixed(3)
  t = clock()
  const verified = { ...statement, image: await boundImage(run.pixels), proof }
  const verdict = await native.sumcheckVerify(verified)
  const rustVerify = clock() - t
  t = clock()
  const reason = verifySumcheck({ ...verified, key })
  const typescriptVerify = clock() - t
  console.log({
    total: total.toFixed(3),
    cpu,
    executed: executed.toFixed(3),
    laidOut: laidOut.toFixed(3),
    bytes: proof.length,
    rustVerify: rustVerify.toFixed(3),
    typescriptVerify: typescriptVerify.toFixed(3),
    valid: verdict === null && reason === undefined,
    rss: process.resourceUsage().maxRSS / 1024,
  })
  console.log(phases.map((p) => `${p.name} ${p.seconds.toFixed(3)}`).join(' | '))
}

async function boundImage(pixels: Uint8Array): Promise<Buffer> {
  const { binding } = descriptor.image
  if (binding === 'pixels') return Buffer.from(pixels)
  const hash = await imageHash(binding, { ...model.image, pixels }, powers)
  return Buffer.from(hash.slice(2), 'hex')
}
