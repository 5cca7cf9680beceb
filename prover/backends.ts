import { PlatemarkError } from '../model-export/platemark-error.js'
import type { Backend } from './backend.js'
import { ezkl } from './ezkl/backend.js'
import { groth16 } from './groth16/backend.js'
import { sumcheck } from './sumcheck/backend.js'

/** Every proof system, in order of preference. Adding one is adding a line. */
export const backends: readonly Backend[] = [sumcheck, groth16, ezkl]

/**
 * The backend of a name.
 *
 * @throws {PlatemarkError} for a name that no backend has.
 */
export function findBackend(name: string): Backend {
  const found = backends.find((backend) => backend.name === name)
  if (found !== undefined) return found
  throw new PlatemarkError('There is no such backend.', {
    expected: backends.map((backend) => backend.name).join(' or '),
    found: JSON.stringify(name.slice(0, 80)),
  })
}
