import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Gives this process and its children a temporary folder of their own, which goes when we end, also
 * early: proving and compiling leave hundreds of megabytes there when they are interrupted.
 */
export function useScratchFolder(): void {
  let folder: string
  try {
    folder = mkdtempSync(join(tmpdir(), 'platemark-'))
  } catch {
    // Not every command needs one; those that do say what is wrong.
    return
  }
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = folder
  process.once('exit', () => {
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
    } catch {
      // What a dying child still holds open is left to the system.
    }
  })
}
