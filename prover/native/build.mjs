/**
 * Builds the native addon `platemark.node` when its sources are newer. Plain Node without
 * dependencies, because a fresh clone runs it before anything is installed.
 *
 *     node prover/native/build.mjs
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const crate = dirname(fileURLToPath(import.meta.url))
const addon = join(crate, 'platemark.node')
const library = {
  darwin: 'libplatemark_native.dylib',
  win32: 'platemark_native.dll',
}[process.platform]

const newest = Math.max(
  ...['Cargo.toml', 'Cargo.lock', 'build.rs', 'src', 'gpu/kernels.ptx'].map((name) =>
    modified(join(crate, name)),
  ),
)
if (!existsSync(addon) || statSync(addon).mtimeMs < newest) build()

function build() {
  const started = Date.now()
  process.stderr.write('platemark: building the native addon (about a minute, once) …\n')
  const { error, status } = spawnSync('cargo', ['build', '--release', '--locked'], {
    cwd: crate,
    stdio: ['ignore', 2, 2],
  })
  if (error?.code === 'ENOENT')
    fail('cargo was not found.', 'Install Rust from https://rustup.rs, then run this again.')
  if (error !== undefined || status !== 0)
    fail(
      `cargo ended with ${error?.message ?? `exit code ${status}`}.`,
      'See the messages above; a C toolchain (cc) and Rust 1.88 or newer are needed.',
    )
  const target = process.env.CARGO_TARGET_DIR ?? join(crate, 'target')
  // A process that has the old addon loaded keeps it: the name gets a new file.
  copyFileSync(
    join(target, 'release', library ?? 'libplatemark_native.so'),
    `${addon}.${process.pid}`,
  )
  renameSync(`${addon}.${process.pid}`, addon)
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  process.stderr.write(`platemark: native addon ready after ${seconds} s\n`)
}

/** Time of the last change in a file or folder. */
function modified(path) {
  const status = statSync(path)
  if (!status.isDirectory()) return status.mtimeMs
  return Math.max(status.mtimeMs, ...readdirSync(path).map((name) => modified(join(path, name))))
}

function fail(found, fix) {
  process.stderr.write(`The native addon could not be built.\n  found: ${found}\n  fix:   ${fix}\n`)
  process.exit(2)
}
