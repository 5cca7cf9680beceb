import { rmSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Runs `action` with a new, empty folder in the system's place for temporary files and removes it
 * afterwards, also when the process exits in between.
 *
 * @param name - part of the folder's name
 * @param action - gets the folder's real path
 * @throws whatever `action` throws
 * @example
 * await withTemporaryFolder('prove', (folder) => writeFile(join(folder, 'witness.wtns'), bytes))
 */
export async function withTemporaryFolder<T>(
  name: string,
  action: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), `platemark-${name}-`)))
  const remove = () => {
    try {
      // A child that is being killed may still write.
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
    } catch {
      // What another program holds open is left to the system.
    }
  }
  process.on('exit', remove)
  try {
    return await action(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
    process.off('exit', remove)
  }
}
