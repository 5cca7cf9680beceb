import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** The last release whose wheel holds the vectors. */
const PACKAGE = 'onnx==1.21.0'
const WHEEL = ['--python-version', '3.12', '--platform', 'manylinux_2_28_x86_64']
/** A network that swallows packets costs half a minute. */
const PATIENCE = ['--timeout', '10', '--retries', '2']
const CACHE = 'node_modules/.cache/platemark/onnx-1.21.0'

/**
 * The folder of ONNX's operator tests, from the cache or from PyPI. The wheel is only unpacked, so any
 * Python with pip will do.
 *
 * @returns undefined, and why, where there is none
 */
export function fetchVectors(): { readonly folder: string } | { readonly missing: string } {
  const folder = join(CACHE, 'onnx/backend/test/data/node')
  if (existsSync(folder)) return { folder }
  const fresh = `${CACHE}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  const pip = ['-m', 'pip', 'download', '-q', '--no-deps', '--only-binary=:all:', ...PATIENCE]
  if (!python([...pip, ...WHEEL, '-d', fresh, PACKAGE]))
    return { missing: `python3 -m pip could not download ${PACKAGE}` }
  const [wheel] = readdirSync(fresh)
  if (wheel === undefined || !python(['-m', 'zipfile', '-e', join(fresh, wheel), fresh]))
    return { missing: `the wheel of ${PACKAGE} could not be unpacked` }
  renameSync(fresh, CACHE)
  return existsSync(folder) ? { folder } : { missing: `${PACKAGE} holds no vectors` }
}

function python(args: readonly string[]): boolean {
  return spawnSync('python3', args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
}
