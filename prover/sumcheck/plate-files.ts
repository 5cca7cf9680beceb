import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'

/** The backend's name, and that of its folder in a plate. */
export const BACKEND = 'sumcheck'

/** Paths of everything that the backend keeps in a plate. */
export function plateFiles(plate: Pick<Plate, 'directory'>) {
  const directory = join(plate.directory, BACKEND)
  return {
    directory,
    /** The descriptor before setup. */
    layout: join(directory, 'layout.json'),
    /** Powers of tau in G1, 64 bytes each, as many as a column has rows. */
    powers: join(directory, 'powers.bin'),
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
