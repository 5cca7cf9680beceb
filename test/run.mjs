/**
 * Runs every test suite of the project and adds up what they counted.
 *
 *     node test/run.mjs          what CI runs
 *     node test/run.mjs --slow   the same with the long suites at full length
 */
import { spawn, spawnSync } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const slow = process.argv.includes('--slow')
const bin = (name) => join(root, 'node_modules', '.bin', name)

const rust = [
  {
    name: 'Rust format',
    needs: ['cargo', 'fmt', '--version'],
    command: ['cargo', 'fmt', '--check'],
    cwd: 'prover/native',
  },
  {
    name: 'Rust lint',
    needs: ['cargo', 'clippy', '--version'],
    command: ['cargo', 'clippy', '--release', '--all-targets', '--', '-D', 'warnings'],
    cwd: 'prover/native',
  },
  {
    name: 'Rust',
    command: ['cargo', 'test', '--release'],
    cwd: 'prover/native',
    count: countCargo,
  },
  {
    name: 'Kernels for cards',
    needs: ['python3', '-c', 'import ensurepip, venv'],
    command: ['python3', 'prover/native/gpu/build_ptx.py', '--check'],
  },
]
const solidity = [
  { name: 'Solidity format', command: [bin('forge'), 'fmt', '--check'] },
  { name: 'Solidity', command: [bin('forge'), 'test'], count: countForge },
  // Behind the tests, whose compilation it takes.
  { name: 'Solidity sizes', command: [bin('forge'), 'build', '--sizes', '--skip', 'test'] },
]
const typeScript = [
  { name: 'format and lint', command: [bin('biome'), 'check', '.'] },
  {
    name: 'ONNX operator vectors',
    command: [process.execPath, 'dist/test/onnx-vectors/main.js'],
    count: countVectors,
  },
  {
    name: 'TypeScript',
    command: [
      process.execPath,
      '--experimental-vm-modules',
      '--no-warnings',
      join(root, 'node_modules/jest/bin/jest.js'),
    ],
    count: countJest,
  },
]

let passed = 0
let failed = 0
const failures = []
// The Solidity compiler has one thread: beside it the Rust suites have the other cores.
const beside = runAll(solidity, { live: false })
await runAll(rust, { live: true })
await beside
await runAll(typeScript, { live: true })
if (failures.length > 0) process.stdout.write(`\nfailed: ${failures.join(', ')}\n`)
process.stdout.write(`\n${passed} passed, ${Math.max(failed, failures.length)} failed\n`)
process.exit(failures.length === 0 ? 0 : 1)

/** Runs suites one after the other; those that are not live print when they have ended. */
async function runAll(suites, { live }) {
  for (const suite of suites) {
    const began = Date.now()
    if (live) process.stdout.write(`\n=== ${suite.name}\n`)
    if (suite.needs !== undefined && !works(suite.needs)) {
      process.stdout.write(
        `=== ${suite.name}: skipped, ${suite.needs.join(' ')} does not work here\n`,
      )
      continue
    }
    const { status, output } = await run(
      suite,
      live ? (text) => process.stdout.write(text) : () => {},
    )
    if (!live) process.stdout.write(`\n=== ${suite.name}\n${output}`)
    const counts = suite.count?.(output) ?? { passed: 0, failed: 0 }
    passed += counts.passed
    failed += counts.failed
    const verdict = status === 0 ? 'ok' : `failed (exit ${status})`
    process.stdout.write(
      `=== ${suite.name}: ${verdict} after ${((Date.now() - began) / 1000).toFixed(1)} s\n`,
    )
    if (status !== 0) failures.push(suite.name)
  }
}

/** Formatters and linters are not part of every Rust installation. */
function works([program, ...args]) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

/** Runs one suite, passing its output on while keeping it for the count. */
function run({ command: [program, ...args], cwd = '.' }, passOn) {
  return new Promise((done) => {
    const child = spawn(program, args, {
      cwd: join(root, cwd),
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FORCE_COLOR: '0', ...(slow ? { PLATEMARK_SLOW: '1' } : {}) },
    })
    let output = ''
    const pass = (chunk) => {
      output += chunk
      passOn(chunk)
    }
    child.stdout.on('data', pass)
    child.stderr.on('data', pass)
    child.on('error', (error) => {
      pass(`${program}: ${error.message}\n`)
      done({ status: 127, output })
    })
    child.on('close', (status) => done({ status, output }))
  })
}

function countCargo(output) {
  return sum(output, /test result: \w+\. (\d+) passed; (\d+) failed/g)
}

function countForge(output) {
  return sum(output, /Suite result: \w+\. (\d+) passed; (\d+) failed/g)
}

function countJest(output) {
  const line = output.match(/^Tests: .*$/m)?.[0] ?? ''
  return {
    passed: Number(line.match(/(\d+) passed/)?.[1] ?? 0),
    failed: Number(line.match(/(\d+) failed/)?.[1] ?? 0),
  }
}

function countVectors(output) {
  const [, latent, constant, failed] =
    output.match(/: (\d+) passed .*, (\d+) with constants .*; (\d+) failed/) ?? []
  return { passed: Number(latent ?? 0) + Number(constant ?? 0), failed: Number(failed ?? 0) }
}

function sum(output, pattern) {
  const total = { passed: 0, failed: 0 }
  for (const [, ok, bad] of output.matchAll(pattern)) {
    total.passed += Number(ok)
    total.failed += Number(bad)
  }
  return total
}
