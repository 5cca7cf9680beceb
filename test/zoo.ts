import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nothing, takeThrough, type ZooRow } from './take-through.js'

/*
 * Takes every ONNX file of a folder through compile, setup, prove and verify, one row a file:
 *
 *     npm run zoo -- ../shared/models           files or folders
 *     npm run zoo -- ../shared/models --evm     also the generated contract, with its gas
 *     npm run zoo -- ../shared/models --json    an array of rows
 *
 * An output that is no image counts as one (`anyOutput`). "exact" says that the integer executor made the
 * very pixels that were proven. PSNR is against onnxruntime: of all seeds, and of the worst.
 * The exit code is 1 unless every file went all the way.
 */

/** Each file, in a process of its own, because peak memory never goes down. */
const TIME_LIMIT_SECONDS = 3600

const args = process.argv.slice(2)
const withEvm = args.includes('--evm')
const asJson = args.includes('--json')
const paths = args.filter((arg) => !arg.startsWith('--'))
if (args.includes('--one')) {
  process.stdout.write(JSON.stringify(await takeThrough(paths[0]!, withEvm)))
} else {
  const files = paths.flatMap(onnxFiles)
  if (files.length === 0) {
    process.stderr.write('no ONNX files; try: npm run zoo -- ../shared/models\n')
    process.exit(2)
  }
  const rows = files.map(inItsOwnProcess)
  const passed = rows.filter(({ reason }) => reason === undefined).length
  if (asJson) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
  else {
    console.table(rows.map(({ reason: _, ...row }) => row))
    for (const { model, reason } of rows)
      if (reason !== undefined) process.stdout.write(`${model}: ${reason}\n`)
  }
  process.stderr.write(`${passed} of ${rows.length} files went all the way\n`)
  process.exit(passed === rows.length ? 0 : 1)
}

function onnxFiles(path: string): readonly string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path]
  const names = readdirSync(path).filter((name) => name.endsWith('.onnx'))
  return names.sort().map((name) => join(path, name))
}

function inItsOwnProcess(path: string): ZooRow {
  process.stderr.write(`${basename(path)} …\n`)
  const self = fileURLToPath(import.meta.url)
  const { stdout, status, signal } = spawnSync(
    process.execPath,
    [self, '--one', path, ...(withEvm ? ['--evm'] : [])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
      timeout: TIME_LIMIT_SECONDS * 1000,
      maxBuffer: 2 ** 24,
    },
  )
  if (status === 0) return JSON.parse(stdout) as ZooRow
  const reason = `ended with ${signal === 'SIGTERM' ? `more than ${TIME_LIMIT_SECONDS} s` : `${signal ?? `exit code ${status}`}`}`
  return { ...nothing(path), seconds: 0, reason }
}
