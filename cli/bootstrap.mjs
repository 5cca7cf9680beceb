/**
 * Makes a fresh clone ready: installs the locked packages, builds the native crate and the TypeScript.
 * Plain Node without dependencies, because it runs before there are any. Each step is skipped when
 * its inputs have not changed, so calling it again costs about a second.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const started = Date.now()

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `platemark needs Node 20.19 or newer.\n  found: ${process.versions.node}\n  fix:   Install a current Node and run the command again.\n`,
  )
  process.exit(2)
}

step(
  'packages',
  ['package.json', 'package-lock.json', '.npmrc'],
  'node_modules/.platemark-installed',
  () =>
    run(
      'npm',
      ['ci', '--no-audit', '--no-fund'],
      'Check the network connection to your npm registry.',
    ),
)
run(
  process.execPath,
  ['prover/native/build.mjs'],
  'Install Rust (https://rustup.rs) and a C toolchain.',
)
step(
  'TypeScript',
  ['tsconfig.json', 'package-lock.json', ...sources()],
  'dist/.platemark-built',
  () =>
    run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], 'Fix the errors above.'),
)

/** Runs `action` unless the stamp file holds the hash of the inputs. */
function step(name, inputs, stamp, action) {
  const hash = createHash('sha256')
  for (const input of inputs) hash.update(input).update(readFileSync(join(root, input)))
  const digest = hash.digest('hex')
  const stampPath = join(root, stamp)
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === digest) return
  process.stderr.write(`platemark: preparing ${name} …\n`)
  action()
  writeFileSync(stampPath, digest)
  process.stderr.write(
    `platemark: ${name} ready after ${((Date.now() - started) / 1000).toFixed(1)} s\n`,
  )
}

function run(command, args, fix) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (error === undefined && status === 0) return
  process.stderr.write(
    `platemark could not be prepared.\n  failed: ${command} ${args.join(' ')}${error ? ` (${error.message})` : ''}\n  fix:    ${fix}\n`,
  )
  process.exit(2)
}

/** Every TypeScript source, relative to the root. */
function sources() {
  const folders = [
    'model-export',
    'circuits',
    'prover',
    'verifier-contracts',
    'cli',
    'test',
    'fixtures',
  ]
  const skip = new Set(['node_modules', 'target', 'out', 'dist'])
  const found = []
  const visit = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory() && !skip.has(entry.name) && !entry.name.endsWith('.plate'))
        visit(path)
      else if (entry.name.endsWith('.ts')) found.push(path)
    }
  }
  for (const folder of folders) visit(folder)
  return found.sort()
}
