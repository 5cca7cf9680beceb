import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateImage } from '../../circuits/generate-image.js'
import { poseidonDigest } from '../../circuits/image-digest.js'
import {
  encodeWtns,
  loadWitnessCalculator,
  type Witness,
  witnessValue,
} from '../../circuits/witness.js'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Progress } from '../../model-export/progress.js'
import { withTemporaryFolder } from '../../model-export/temporary-folder.js'
import type { ProveRequest, ProveResult } from '../backend.js'
import type { Statement } from '../statement.js'
import { encodeProof, publicSignals } from './encoding.js'
import { plateFiles, requireFile } from './plate-files.js'
import { parseSnarkjsProof } from './snarkjs-files.js'
import { runSnarkjs } from './snarkjs-process.js'
import { verifyGroth16 } from './verify.js'

/**
 * Executes the model, computes the witness, proves and verifies. The image comes from the integer
 * executor; a witness that disagrees with it stops everything.
 *
 * @throws {PlatemarkError} when circuit or keys are missing or belong to another model.
 */
export async function proveGroth16(
  plate: Plate,
  request: ProveRequest,
  progress: Progress,
): Promise<ProveResult> {
  const started = performance.now()
  const files = plateFiles(plate)
  const compile = 'Run platemark compile with --backend groth16.'
  requireFile(files.wasm, 'circuit', compile)
  requireFile(files.provingKey, 'proving key', 'Run platemark setup.')
  requireFile(files.verifyingKey, 'verifying key', 'Run platemark setup.')

  progress({ step: 'generate the image' })
  const image = generateImage(plate.model, request.seed, request.conditions)
  const digest = poseidonDigest(image)
  const statement: Statement = {
    modelId: plate.modelId,
    seed: request.seed,
    imageHash: `0x${digest.toString(16).padStart(64, '0')}`,
    context: request.context,
  }
  const signals = publicSignals(statement, plate.model.latent.dimensions)
  if (typeof signals === 'string') throw new PlatemarkError(`There is no such ${signals}.`)

  progress({ step: 'compute the witness' })
  const witness = await computeWitness(files.wasm, signals)
  progress({ step: 'prove' })
  const { proof, peakMemoryBytes } = await runProver(files.provingKey, witness, signals)

  progress({ step: 'verify the proof' })
  const verdict = verifyGroth16({
    verifyingKey: JSON.parse(await readFile(files.verifyingKey, 'utf8')),
    latentDimensions: plate.model.latent.dimensions,
    statement,
    proof,
  })
  if (!verdict.valid)
    throw new PlatemarkError('The proof that was just made does not verify.', {
      found: verdict.reason,
      fix: 'The keys belong to another circuit: run platemark setup again.',
    })
  return {
    statement,
    proof,
    pixels: image.pixels,
    seconds: (performance.now() - started) / 1000,
    // The prover runs beside this process.
    peakMemoryBytes: peakMemoryBytes + process.memoryUsage.rss(),
    device: 'cpu',
  }
}

/** The witness of some public signals; its own image digest must be the one among them. */
async function computeWitness(wasm: string, signals: readonly bigint[]): Promise<Witness> {
  const calculator = await loadWitnessCalculator(await readFile(wasm))
  const witness = calculator.calculate({
    latentLimb: signals.slice(1, -1),
    context: signals.slice(-1),
  })
  const differing = signals.findIndex((signal, i) => witnessValue(witness, i + 1) !== signal)
  if (differing >= 0)
    throw new PlatemarkError('The circuit does not compute what the model does.', {
      expected: `public signal ${differing} = ${signals[differing]}, from the integer executor`,
      found: String(witnessValue(witness, differing + 1)),
      fix: 'Run platemark compile with --backend groth16: the circuit belongs to another model.',
    })
  return witness
}

async function runProver(
  provingKey: string,
  witness: Witness,
  signals: readonly bigint[],
): Promise<{ readonly proof: Uint8Array; readonly peakMemoryBytes: number }> {
  return withTemporaryFolder('prove', async (directory) => {
    const [wtns, proofFile, signalsFile] = ['witness.wtns', 'proof.json', 'public.json'].map(
      (name) => join(directory, name),
    ) as [string, string, string]
    await writeFile(wtns, encodeWtns(witness))
    const { peakMemoryBytes } = await runSnarkjs([
      'groth16',
      'prove',
      provingKey,
      wtns,
      proofFile,
      signalsFile,
    ])
    const proven: unknown = JSON.parse(await readFile(signalsFile, 'utf8'))
    if (JSON.stringify(proven) !== JSON.stringify(signals.map(String)))
      throw new PlatemarkError('The prover proved other public signals.', {
        fix: 'The keys belong to another circuit: run platemark setup again.',
      })
    const proof = parseSnarkjsProof(JSON.parse(await readFile(proofFile, 'utf8')))
    return { proof: encodeProof(proof), peakMemoryBytes }
  })
}
