import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { guard, release } from '../child-guard.js'
import { PYTHON_VARIABLE, requirePython } from './installation.js'

/** A function of the Python package with its arguments by name. */
export type EzklCall = {
  readonly name:
    | 'gen_settings'
    | 'calibrate_settings'
    | 'compile_circuit'
    | 'setup'
    | 'gen_witness'
    | 'prove'
    | 'verify'
    | 'create_evm_verifier'
  readonly arguments: Readonly<Record<string, unknown>>
}

export type EzklResult = {
  /** Release of the package that ran. */
  readonly version: string
  /** Of every call, in order. */
  readonly seconds: readonly number[]
  /** Largest resident set of the process. */
  readonly peakMemoryBytes: number
}

/** Seconds that one process may take; by default an hour. */
export const TIME_VARIABLE = 'PLATEMARK_EZKL_TIME_LIMIT'

/** Gigabytes that one process may hold; by default nine tenths of the machine's. */
export const MEMORY_VARIABLE = 'PLATEMARK_EZKL_MEMORY_LIMIT'

/** Milliseconds between two looks at the child's memory. */
const MEMORY_INTERVAL = 200

/** Characters of its output that are kept. */
const OUTPUT_LIMIT = 20_000

/** Exit code of the driver where ezkl is not there or is another release. */
const UNUSABLE = 4

/**
 * What runs in the child: the calls that come on standard input, one after the other, and a report on
 * descriptor 3. `run_args` becomes the object that ezkl wants; what ezkl answers with a promise is
 * awaited. On Linux the kernel ends it with its parent: a computation in Rust sees no closed pipe.
 */
const DRIVER = `
UNUSABLE = ${UNUSABLE}
import asyncio, json, os, resource, sys, time
if sys.platform == 'linux':
    import ctypes
    ctypes.CDLL(None).prctl(1, 9)
calls = json.load(sys.stdin)
def unusable(what):
    print(what, file=sys.stderr)
    sys.exit(UNUSABLE)
try:
    import ezkl
except ImportError as error:
    unusable(error)
if calls['version'] and ezkl.__version__ != calls['version']:
    unusable('this is ezkl ' + ezkl.__version__)
def tuples(value):
    if not isinstance(value, list):
        return value
    return [tuple(item) for item in value] if value and isinstance(value[0], list) else tuple(value)
def run_args(values):
    result = ezkl.PyRunArgs()
    for name, value in values.items():
        setattr(result, name, tuples(value))
    return result
async def run(name, arguments):
    if 'py_run_args' in arguments:
        arguments['py_run_args'] = run_args(arguments['py_run_args'])
    result = getattr(ezkl, name)(**arguments)
    return await result if hasattr(result, '__await__') else result
async def main():
    seconds = []
    for call in calls['calls']:
        began = time.monotonic()
        if await run(call['name'], call['arguments']) is False:
            sys.exit(call['name'] + ' answered no')
        seconds.append(time.monotonic() - began)
    return seconds
seconds = asyncio.run(main())
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
peak *= 1 if sys.platform == 'darwin' else 1024
os.write(3, json.dumps({'version': ezkl.__version__, 'seconds': seconds, 'peakMemoryBytes': peak}).encode())
`

/**
 * Runs calls of the Python package in one process of its own, within the limits of time and memory.
 * It gets no network: a proxy that does not exist stands in its way, because ezkl would otherwise
 * download a Solidity compiler.
 *
 * @param calls - in order; the first that fails ends it
 * @param options.version - the release that it must be; without one, any
 * @throws {PlatemarkError} where ezkl is missing, fails, or passes a limit.
 * @example
 * await runEzkl([{ name: 'compile_circuit', arguments: { model, compiled_circuit, settings_path } }])
 */
export async function runEzkl(
  calls: readonly EzklCall[],
  options: { readonly version?: string } = {},
): Promise<EzklResult> {
  const result = await tryEzkl(calls, options)
  if ('failure' in result)
    throw new PlatemarkError(`ezkl failed: ${calls.map(({ name }) => name).join(', ')}.`, {
      found: result.failure,
      fix: 'Where its files may be damaged, run platemark compile and setup again.',
    })
  return result
}

/**
 * As `runEzkl`, for calls whose failure is an answer.
 *
 * @throws {PlatemarkError} where ezkl is missing, is another release, is killed or passes a limit.
 */
export async function tryEzkl(
  calls: readonly EzklCall[],
  options: { readonly version?: string } = {},
): Promise<EzklResult | { readonly failure: string }> {
  const python = requirePython()
  const seconds = limit(TIME_VARIABLE, 3600)
  const bytes = limit(MEMORY_VARIABLE, (0.9 * totalmem()) / 1e9) * 1e9
  return new Promise((resolve, reject) => {
    const child = spawn(python, ['-c', DRIVER], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...NO_NETWORK, RUST_LOG: 'error' },
    })
    let broken: string | undefined
    const kill = () => {
      child.kill('SIGKILL')
    }
    const stop = (reason: string) => {
      broken ??= reason
      kill()
    }
    guard(kill)
    const timer = setTimeout(() => stop(`it took more than ${seconds} s`), seconds * 1000)
    const watch = setInterval(() => {
      if (residentBytes(child.pid) > bytes) stop(`it held more than ${(bytes / 1e9).toFixed(1)} GB`)
    }, MEMORY_INTERVAL)
    const settle = () => {
      clearTimeout(timer)
      clearInterval(watch)
      release(kill)
    }
    const output = [child.stdout, child.stderr].map(collect)
    const report = collect(child.stdio[3] as NodeJS.ReadableStream)
    // A child that cannot start ends before it has read its input.
    child.stdin.on('error', () => {})
    child.stdin.end(JSON.stringify({ version: options.version ?? null, calls }))
    child.once('error', (cause) => {
      settle()
      reject(
        new PlatemarkError('The Python that has ezkl does not start.', {
          found: cause.message,
          fix: 'Run platemark doctor --install ezkl.',
          cause,
        }),
      )
    })
    child.once('close', (code, signal) => {
      settle()
      if (broken !== undefined)
        reject(
          new PlatemarkError('ezkl was stopped at a limit.', {
            found: broken,
            fix: `Use a smaller model, or raise ${TIME_VARIABLE} (seconds) or ${MEMORY_VARIABLE} (GB).`,
          }),
        )
      else if (code === 0) resolve(JSON.parse(report()) as EzklResult)
      else {
        const said = output
          .map((read) => read().trim())
          .filter((text) => text !== '')
          .join('\n')
          .slice(-2000)
        if (code === UNUSABLE) reject(unusable(options.version, said))
        // By hand, or by a system that is out of memory: no answer.
        else if (signal === 'SIGKILL') reject(killed())
        else resolve({ failure: said || `it ended with ${signal ?? `exit code ${code}`}` })
      }
    })
  })
}

function unusable(version: string | undefined, said: string): PlatemarkError {
  return new PlatemarkError('The Python that should have ezkl does not have the right one.', {
    expected: `ezkl ${version ?? ''}`.trim(),
    found: said.split('\n').at(-1) ?? '',
    fix: `Run platemark doctor --install ezkl, or correct ${PYTHON_VARIABLE}.`,
  })
}

function killed(): PlatemarkError {
  return new PlatemarkError('ezkl was killed.', {
    found: 'SIGKILL: somebody did, or the machine was out of memory',
    fix: 'Use a smaller model or a larger machine.',
  })
}

/** Port 9 is that of "discard": nobody listens. */
const NO_NETWORK = Object.fromEntries(
  ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [
    [name, 'http://127.0.0.1:9'],
    [name.toUpperCase(), 'http://127.0.0.1:9'],
  ]),
)

function limit(variable: string, otherwise: number): number {
  const text = process.env[variable]
  if (text === undefined || text === '') return otherwise
  const value = Number(text)
  if (value > 0 && value < 1e9) return value
  throw new PlatemarkError(`The limit ${variable} is not one.`, {
    expected: 'a positive number',
    found: JSON.stringify(text.slice(0, 40)),
  })
}

/** 0 where the system does not tell: only Linux has the file. */
function residentBytes(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
  } catch {
    return 0
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
