import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'

/** The backend's name, and that of its folder in a plate. */
export const BACKEND = 'ezkl'

/** Paths of everything that the backend keeps in a plate. */
export function plateFiles(plate: Pick<Plate, 'directory'>) {
  const directory = join(plate.directory, BACKEND)
  return {
    directory,
    /** The integer model as the graph that ezkl proves. */
    model: join(directory, 'model.onnx'),
    /** What ezkl chose for it: rows, range checks, visibility. */
    settings: join(directory, 'settings.json'),
    /** ezkl's own form of model and settings. */
    circuit: join(directory, 'model.ezkl'),
    /** Powers of tau in halo2's format. */
    srs: join(directory, 'powers.srs'),
    provingKey: join(directory, 'proving-key.bin'),
    /** Halo2's verifying key with everything else that a verifier needs. */
    verifyingKey: join(directory, 'verifying-key.json'),
    setup: join(directory, 'setup.json'),
  } as const
}

/**
 * Stops when a step's input is missing, naming the command that makes it.
 *
 * @throws {PlatemarkError} when the file does not exist.
 */
export function requireFile(path: string, what: string, fix: string): void {
  if (!existsSync(path))
    throw new PlatemarkError(`The ${what} is missing.`, { expected: `a file at ${path}`, fix })
}
