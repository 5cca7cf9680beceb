import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { Backend } from '../prover/backend.js'
import { backends, findBackend } from '../prover/backends.js'

/** The backend that a plate was compiled for; `name` chooses when there are several. */
export async function plateBackend(directory: string, name: string | undefined): Promise<Backend> {
  if (name !== undefined) {
    const backend = findBackend(name)
    if (existsSync(join(directory, backend.name))) return backend
    throw new PlatemarkError('The plate was not compiled for this backend.', {
      expected: `a folder ${join(directory, backend.name)}`,
      fix: `Compile with --backend ${backend.name}.`,
    })
  }
  const found = backends.find((backend) => existsSync(join(directory, backend.name)))
  if (found !== undefined) return found
  throw new PlatemarkError('The plate was compiled for no backend.', {
    expected: `one of the folders ${backends.map((backend) => backend.name).join(', ')} in ${directory}`,
    fix: `Compile the model with --backend ${backends[0]?.name ?? 'NAME'}.`,
  })
}
