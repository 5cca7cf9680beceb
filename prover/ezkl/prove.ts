import { join } from 'node:path'
import { keccak256, toBytes } from 'viem'
import { expandSeed } from '../../circuits/seed-expansion.js'
import { execute } from '../../model-export/execute.js'
import { readJsonFile } from '../../model-export/json-fields.js'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Progress } from '../../model-export/progress.js'
import { withTemporaryFolder } from '../../model-export/temporary-folder.js'
import type { ProveRequest, ProveResult } from '../backend.js'
import { contextHash, type Statement } from '../statement.js'
import { computeWitness } from './circuit.js'
import { runEzkl } from './ezkl-process.js'
import { EZKL_VERSION } from './installation.js'
import { plateFiles, requireFile } from './plate-files.js'
import { contextInput, verifyEzkl } from './verify.js'

/**
 * Executes the model, lets ezkl compute the same and prove it, and verifies. The image comes from the
 * integer executor; a witness that disagrees with it stops everything.
 *
 * @throws {PlatemarkError} when ezkl or keys are missing, or the keys belong to another model.
 */
export async function proveEzkl(
  plate: Plate,
  request: ProveRequest,
  progress: Progress,
): Promise<ProveResult> {
  const started = performance.now()
  const files = plateFiles(plate)
  requireFile(files.circuit, 'circuit', 'Run platemark compile with --backend ezkl.')
  for (const [path, what] of [
    [files.srs, 'powers of tau'],
    [files.provingKey, 'proving key'],
    [files.verifyingKey, 'verifying key'],
  ] as const)
    requireFile(path, what, 'Run platemark setup.')
  const verifyingKey = (await readJsonFile(files.verifyingKey, 'verifying key')).value

  progress({ step: 'generate the image' })
  const latent = expandSeed(request.seed, plate.model.latent.dimensions)
  const pixels = execute(plate.model, latent, request.conditions)
  const statement: Statement = {
    modelId: plate.modelId,
    seed: request.seed,
    imageHash: keccak256(pixels),
    context: request.context,
  }
  const context = contextInput(contextHash(request.context, plate.modelId))
  const { proof, peakMemoryBytes } = await withTemporaryFolder('ezkl', async (folder) => {
    progress({ step: 'compute the witness' })
    const { witness, result } = await computeWitness(files.circuit, latent, context, pixels, folder)
    progress({ step: 'prove' })
    const path = join(folder, 'proof.json')
    const proved = await runEzkl(
      [
        {
          name: 'prove',
          arguments: {
            witness,
            model: files.circuit,
            pk_path: files.provingKey,
            proof_path: path,
            srs_path: files.srs,
          },
        },
      ],
      { version: EZKL_VERSION },
    )
    const bytes = (await readJsonFile(path, 'proof of ezkl')).get('hex_proof').hex()
    return {
      proof: toBytes(bytes),
      peakMemoryBytes: Math.max(result.peakMemoryBytes, proved.peakMemoryBytes),
    }
  })
  progress({ step: 'verify the proof' })
  const verdict = await verifyEzkl({
    verifyingKey,
    latentDimensions: latent.length,
    statement,
    proof,
    pixels,
  })
  if (!verdict.valid)
    throw new PlatemarkError('The proof that was just made does not verify.', {
      found: verdict.reason,
      fix: 'The keys may belong to another circuit: run platemark setup again.',
    })
  return {
    statement,
    proof,
    pixels,
    seconds: (performance.now() - started) / 1000,
    // The prover runs beside this process.
    peakMemoryBytes: peakMemoryBytes + process.memoryUsage.rss(),
    device: 'cpu',
  }
}
