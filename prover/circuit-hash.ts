import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Hex, keccak256 } from 'viem'
import type { Plate } from '../model-export/plate.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { Backend } from './backend.js'

/**
 * keccak256 of a plate's circuit file: what the registry records as the circuit's hash.
 *
 * @throws {PlatemarkError} when the plate has no circuit for this backend.
 */
export async function circuitHash(plate: Plate, backend: Backend): Promise<Hex> {
  const path = join(plate.directory, backend.name, backend.circuitFile)
  const circuit = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new PlatemarkError('The circuit could not be read.', {
      expected: `a file at ${path}`,
      found: cause.message,
      fix: 'Compile the model again.',
      cause,
    })
  })
  return keccak256(circuit)
}
