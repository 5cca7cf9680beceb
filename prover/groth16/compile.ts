import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateCircom } from '../../circuits/circom/generate.js'
import { readR1csHeader } from '../../circuits/r1cs.js'
import { writeDirectoryAtomic } from '../../model-export/atomic-write.js'
import { verifyBounds } from '../../model-export/intervals.js'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Progress } from '../../model-export/progress.js'
import { compileCircom } from './circom-process.js'
import { estimateGroth16 } from './estimate.js'
import { plateFiles } from './plate-files.js'

/**
 * Writes the circuit of a plate: source, constraints and witness generator. The folder is replaced as
 * a whole, keys included, because keys belong to one circuit; when it holds this very circuit
 * already, nothing is done.
 *
 * The circuit is exact only where the model's claimed bounds hold, so they are proven again first: a
 * model file may come from anybody.
 *
 * @throws {PlatemarkError} when the model is too large for the backend, or claims bounds that do not hold.
 */
export async function compileGroth16(plate: Plate, progress: Progress): Promise<void> {
  const { feasible, reason } = estimateGroth16(plate.model)
  if (!feasible)
    throw new PlatemarkError('The groth16 backend cannot prove this model.', {
      found: reason ?? 'a model beyond its limits',
      fix: 'Use a smaller model or fewer bits (profile compact), or the sumcheck backend.',
    })
  progress({ step: 'prove the bounds of the model' })
  verifyBounds(plate.model)
  progress({ step: 'generate the circuit' })
  const { source, plan } = generateCircom(plate.model)
  const files = plateFiles(plate)
  if (await isCompiled(files, source)) return
  progress({ step: 'compile the circuit' })
  const { r1cs, wasm } = await compileCircom(source)
  const header = readR1csHeader(r1cs)
  const publicSignals = header.publicOutputs + header.publicInputs
  if (publicSignals !== plan.counts.publicSignals || header.privateInputs !== 0)
    throw new Error(
      `circuit has ${publicSignals} public and ${header.privateInputs} private inputs`,
    )
  await writeDirectoryAtomic(files.directory, async (folder) => {
    await writeFile(join(folder, 'circuit.circom'), source)
    await writeFile(join(folder, 'circuit.r1cs'), r1cs)
    await writeFile(join(folder, 'circuit.wasm'), wasm)
  })
}

async function isCompiled(files: ReturnType<typeof plateFiles>, source: string): Promise<boolean> {
  if (![files.source, files.r1cs, files.wasm].every((file) => existsSync(file))) return false
  return (await readFile(files.source, 'utf8')) === source
}
