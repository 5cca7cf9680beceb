import { readFile } from 'node:fs/promises'
import { bytesToHex } from 'viem'
import { fixturePath, LANDSCAPES_OPTIONS, landscapesOnnx } from '../../fixtures/golden.js'
import { writeFileAtomic } from '../../model-export/atomic-write.js'
import { quantizeOnnx } from '../../model-export/compile-model.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { silent } from '../../model-export/progress.js'
import { proveWith, requestOf, testProver, verdicts } from './test-prover.js'

/*
 * Writes `fixtures/sumcheck/models.json`: proofs of real models, by which the contracts' gas is measured.
 * Run after a change of the protocol or of how models are quantized, with the ONNX files of the public
 * models `sunrises_decoder` and `mnist_gan`:
 *
 *     npm run build && node dist/prover/sumcheck/make-models.js sunrises_decoder.onnx mnist_gan.onnx
 */

const [sunrises, mnist] = process.argv.slice(2)
if (sunrises === undefined || mnist === undefined)
  throw new PlatemarkError('Two files are needed.', {
    expected: 'sunrises_decoder.onnx mnist_gan.onnx',
  })
const landscapes = await landscapesOnnx()
const MODELS = [
  { name: 'sunrises_decoder, pixels', onnx: await readFile(sunrises), imageBinding: 'pixels' },
  { name: 'mnist_gan, pixels', onnx: await readFile(mnist), imageBinding: 'pixels' },
  { name: 'landscapes (DCGAN 64x64x3), pixels', onnx: landscapes, imageBinding: 'pixels' },
  { name: 'landscapes (DCGAN 64x64x3), commitment', onnx: landscapes, imageBinding: 'commitment' },
] as const

const models: object[] = []
for (const { name, onnx, imageBinding } of MODELS) {
  const model = quantizeOnnx(onnx, name, LANDSCAPES_OPTIONS, silent)
  const prover = await testProver(model, 42n, { imageBinding })
  const request = await requestOf(prover, await proveWith(prover, {}, true))
  const { rust, typescript } = await verdicts(request)
  if (rust !== undefined || typescript !== undefined)
    throw new Error(`${name}: ${rust} ${typescript}`)
  const { key, seed, context, image, proof } = request
  const { columns, columnBits } = prover.key
  const hex = { seed, context, image, proof }
  models.push({
    name,
    key,
    ...Object.fromEntries(Object.entries(hex).map(([part, bytes]) => [part, bytesToHex(bytes)])),
  })
  process.stdout.write(
    `${name}: ${proof.length} bytes, 2^${columnBits} rows, ${JSON.stringify(columns)}\n`,
  )
}
await writeFileAtomic(
  fixturePath('sumcheck/models.json'),
  `${JSON.stringify({ format: 'platemark-sumcheck-models', version: 2, models })}\n`,
)
