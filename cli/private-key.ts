import { readFile } from 'node:fs/promises'
import type { Hex } from 'viem'
import { PlatemarkError } from '../model-export/platemark-error.js'

/** Environment variable that holds the sender's key. */
export const KEY_VARIABLE = 'PLATEMARK_PRIVATE_KEY'

/**
 * The sender's private key, from a file or the environment; never from the command line, where the
 * process list and the shell history would show it.
 *
 * @throws {PlatemarkError} when there is none. A malformed one is refused where it is used.
 */
export async function readPrivateKey(file: string | undefined): Promise<Hex> {
  if (file === undefined) {
    const key = process.env[KEY_VARIABLE]
    if (key !== undefined && key !== '') return key.trim() as Hex
    throw new PlatemarkError('There is no key to send transactions with.', {
      expected: `--key-file <file>, or the environment variable ${KEY_VARIABLE}`,
      fix: `For a local anvil: export ${KEY_VARIABLE} to one of the keys that it prints.`,
    })
  }
  const content = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new PlatemarkError('The key file could not be read.', { found: cause.message, cause })
  })
  return content.trim() as Hex
}
