import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { guard, release } from '../child-guard.js'

/** What a finished child process left. */
export type ProcessResult = {
  readonly exitCode: number
  /** Standard output and error, without colours; the last 100,000 characters of each. */
  readonly output: string
  readonly seconds: number
  /** Largest resident set, as the child measured itself; 0 when it ended before it could. */
  readonly peakMemoryBytes: number
}

export type ProcessOptions = {
  readonly directory?: string
  /** Arguments after the others that do not appear in the list of processes. */
  readonly secretArguments?: readonly string[]
  /** Ends the child. */
  readonly signal?: AbortSignal
}

const require = createRequire(import.meta.url)

/** Characters kept of each output stream. */
const OUTPUT_LIMIT = 100_000

/**
 * Loaded into the child before its program: it reports its peak memory on descriptor 3 when it exits,
 * and exits when its standard input closes, which happens when we are gone, whatever ended us. Secret
 * arguments come in the environment, which unlike the command line other users cannot read. Worker
 * threads load it too, but have no standard input of their own.
 */
export const PRELOAD = `data:text/javascript,${encodeURIComponent(`
import { writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
if (isMainThread) {
  process.once('exit', () => {
    try { writeSync(3, String(process.resourceUsage().maxRSS * 1024)) } catch {}
  })
  process.stdin.on('end', () => process.exit(70)).on('error', () => process.exit(70)).resume()
  process.stdin.unref?.()
  process.argv.push(...JSON.parse(process.env.PLATEMARK_SECRET_ARGUMENTS ?? '[]'))
  delete process.env.PLATEMARK_SECRET_ARGUMENTS
}
`)}`

/**
 * Directory and program of an optional npm package.
 *
 * @throws {PlatemarkError} saying how to install it when it is missing.
 */
export function locatePackage(name: string): { readonly directory: string; readonly bin: string } {
  try {
    const manifest = locateManifest(name)
    const { bin } = require(manifest) as { bin?: string | Record<string, string> }
    const directory = dirname(manifest)
    const program = typeof bin === 'string' ? bin : bin?.[name]
    return { directory, bin: join(directory, program ?? '') }
  } catch (cause) {
    throw new PlatemarkError(`The groth16 backend needs the package ${name}.`, {
      expected: `${name}, an optional dependency of platemark (GPL-3.0, run as a separate process)`,
      found: 'it is not installed',
      fix: `Run npm install ${name} (or npm install without --omit=optional).`,
      cause,
    })
  }
}

/** package.json of an installed package, also where its export map hides it. */
function locateManifest(name: string): string {
  for (const root of require.resolve.paths(name) ?? [])
    try {
      return require.resolve(join(root, name, 'package.json'))
    } catch {}
  return require.resolve(`${name}/package.json`)
}

/**
 * Runs a JavaScript program in a Node process of its own and waits until it has ended.
 *
 * @param program - path of the script
 * @param args - its arguments
 * @throws {PlatemarkError} when it cannot be started or was aborted.
 * @example
 * const { exitCode, output } = await runNode(locatePackage('snarkjs').bin, ['--help'])
 */
export function runNode(
  program: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const { directory, secretArguments, signal } = options
  const started = performance.now()
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(aborted(program))
      return
    }
    const child = spawn(process.execPath, ['--import', PRELOAD, program, ...args], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: childEnvironment(secretArguments),
      ...(directory === undefined ? {} : { cwd: directory }),
    })
    const kill = () => {
      child.kill('SIGKILL')
    }
    guard(kill)
    signal?.addEventListener('abort', kill, { once: true })
    const output = collect(child.stdout)
    const errors = collect(child.stderr)
    const memory = collect(child.stdio[3] as NodeJS.ReadableStream)
    const settle = () => {
      release(kill)
      signal?.removeEventListener('abort', kill)
    }
    child.once('error', (cause) => {
      settle()
      reject(new PlatemarkError('A process could not be started.', { found: cause.message, cause }))
    })
    child.once('close', (code) => {
      settle()
      if (signal?.aborted) {
        reject(aborted(program))
        return
      }
      resolve({
        exitCode: code ?? 1,
        output: withoutColours(`${output()}${errors()}`),
        seconds: (performance.now() - started) / 1000,
        peakMemoryBytes: Number(memory()) || 0,
      })
    })
  })
}

/** Debugger and loader settings of this process must not reach the child. */
function childEnvironment(secretArguments: readonly string[] = []): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, ...rest } = process.env
  return {
    ...rest,
    NO_COLOR: '1',
    PLATEMARK_SECRET_ARGUMENTS: JSON.stringify(secretArguments),
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (part: string) => {
    text = (text + part).slice(-OUTPUT_LIMIT)
  })
  stream.on('error', () => {})
  return () => text
}

function withoutColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences start with one
  return text.replace(/\u001b\[[0-9;]*m/g, '')
}

function aborted(program: string): PlatemarkError {
  return new PlatemarkError('The step was aborted.', { found: program })
}
