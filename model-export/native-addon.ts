import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PlatemarkError } from './platemark-error.js'

const require = createRequire(import.meta.url)

/** In the source tree, seen from this source and from `dist/model-export/`. */
const LOCATIONS = ['../prover/native/platemark.node', '../../prover/native/platemark.node']

let loaded: unknown

/**
 * Loads the addon of `prover/native/` on first use, so that nothing else of the toolkit needs it.
 *
 * @returns its functions; callers know their types
 * @throws {PlatemarkError} saying how to build it when it is not there or does not load.
 */
export function loadAddon(): unknown {
  if (loaded !== undefined) return loaded
  const paths = LOCATIONS.map((location) => fileURLToPath(new URL(location, import.meta.url)))
  const path = paths.find((candidate) => existsSync(candidate))
  const script = paths.map((it) => join(dirname(it), 'build.mjs')).find((it) => existsSync(it))
  const fix = `Run \`node ${JSON.stringify(script ?? 'prover/native/build.mjs')}\` once; it needs Rust (https://rustup.rs) and a C toolchain.`
  if (path === undefined)
    throw new PlatemarkError('The native addon is not built.', {
      expected: paths.join(' or '),
      found: 'no such file',
      fix,
    })
  try {
    loaded = require(path)
  } catch (cause) {
    throw new PlatemarkError('The native addon cannot be loaded.', {
      found: messageOf(cause),
      fix: `It may be from another machine. ${fix}`,
      cause,
    })
  }
  return loaded
}

/** The error may come from another realm, so that `instanceof` does not know it. */
export function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | null)?.message
  return typeof message === 'string' ? message : String(error)
}
