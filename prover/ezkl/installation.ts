import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Progress } from '../../model-export/progress.js'
import { withTemporaryFolder } from '../../model-export/temporary-folder.js'

const run = promisify(execFile)

/** The release that this backend was written and tested with. */
export const EZKL_VERSION = '23.0.5'

/** A Python interpreter whose environment has ezkl; instead of the one that `doctor --install` makes. */
export const PYTHON_VARIABLE = 'PLATEMARK_EZKL_PYTHON'

/** SHA-256 of the release's wheels for Linux and macOS: pip refuses anything else. */
const WHEELS = [
  'a457f2b1930ceb6a2d73c24e874edf4e197107ded8f97a86d38b13045e7ffe44', // macOS, universal
  'a1d8e1930372419a655ddad9b888bb3d9ffba7fb88d941c31b2d706708327531', // macOS, x86-64
  '1c7f59745fcdd2270be7eabe9d11e6821253275eb6a23709ba19b30d28815b3e', // Linux, x86-64
] as const

/** Where `doctor --install ezkl` puts it: per user, in the place for data (XDG) of the system. */
export function installationFolder(): string {
  const data = process.env.XDG_DATA_HOME
  const base = data !== undefined && isAbsolute(data) ? data : join(homedir(), '.local', 'share')
  return join(base, 'platemark', `ezkl-${EZKL_VERSION}`)
}

/**
 * The Python interpreter that has ezkl: the user's own, or that of our environment. Undefined where
 * there is neither.
 */
export function findPython(): string | undefined {
  const own = process.env[PYTHON_VARIABLE]
  if (own !== undefined && own !== '') return own
  const folder = installationFolder()
  return existsSync(markerOf(folder)) ? pythonOf(folder) : undefined
}

/**
 * As `findPython`, for steps that need it.
 *
 * @throws {PlatemarkError} saying in one line how to get ezkl.
 */
export function requirePython(): string {
  const python = findPython()
  if (python !== undefined) return python
  throw new PlatemarkError('The ezkl backend needs ezkl, which is not part of platemark.', {
    found: 'it is not installed',
    fix: `Run platemark doctor --install ezkl (ezkl ${EZKL_VERSION} has no open-source licence: read its terms), or set ${PYTHON_VARIABLE} to a Python that has it.`,
  })
}

/**
 * Makes a Python environment with the pinned release of ezkl, or none at all. The wheel comes through
 * pip from whatever index the user's pip is set to, and must have the hash that is written here.
 *
 * @returns the folder
 * @throws {PlatemarkError} where there is no Python, no wheel for this platform, or no network.
 * @example
 * await installEzkl(silent) // '/home/me/.local/share/platemark/ezkl-23.0.5'
 */
export async function installEzkl(progress: Progress): Promise<string> {
  const folder = installationFolder()
  await mkdir(dirname(folder), { recursive: true })
  const step = async (what: string, command: string, args: readonly string[]) => {
    progress({ step: what })
    await run(command, [...args], { maxBuffer: 1 << 24 }).catch((cause: Error) => {
      throw new PlatemarkError('ezkl could not be installed.', {
        expected: 'Python 3.7 or newer with venv and pip, and a package index that has the wheel',
        found: `${what}: ${cause.message.trim().slice(-1000)}`,
        fix: `Install it yourself (pip install ezkl==${EZKL_VERSION}) and set ${PYTHON_VARIABLE} to that Python.`,
        cause,
      })
    })
  }
  // An environment knows its own path, so it is made where it stays; the marker says that it is whole.
  await rm(folder, { recursive: true, force: true })
  await withTemporaryFolder('ezkl', async (temporary) => {
    const requirements = join(temporary, 'requirements.txt')
    const hashes = WHEELS.map((hash) => `--hash=sha256:${hash}`)
    await writeFile(requirements, `ezkl==${EZKL_VERSION} ${hashes.join(' ')}\n`)
    await step('make a Python environment', 'python3', ['-m', 'venv', folder])
    await step(`install ezkl ${EZKL_VERSION}`, pythonOf(folder), [
      ...['-m', 'pip', 'install', '--disable-pip-version-check', '--quiet', '--no-deps'],
      ...['--only-binary', ':all:', '--require-hashes', '-r', requirements],
    ])
    await step('load it', pythonOf(folder), ['-c', 'import ezkl'])
  })
  await writeFile(markerOf(folder), `ezkl ${EZKL_VERSION}\n`)
  return folder
}

function markerOf(folder: string): string {
  return join(folder, 'platemark-installed')
}

function pythonOf(folder: string): string {
  return join(folder, 'bin', 'python')
}
