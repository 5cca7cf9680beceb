import { spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MEMORY_VARIABLE, runEzkl, TIME_VARIABLE, tryEzkl } from './ezkl-process.js'
import { findPython, installationFolder, PYTHON_VARIABLE } from './installation.js'

/** Stands in for the Python that has ezkl: does what the first call's arguments say. */
const DOUBLE = `#!/usr/bin/env node
import { readFileSync, writeFileSync, writeSync } from 'node:fs'
const { version, calls } = JSON.parse(readFileSync(0, 'utf8'))
const { pid, sleep, memory, fail, network } = calls[0].arguments
if (version === '0') { console.error('this is ezkl 1'); process.exit(4) }
if (fail === 'kill') process.kill(process.pid, 'SIGKILL')
if (pid) writeFileSync(pid, String(process.pid))
if (fail) { console.error('thread panicked: ' + fail); process.exit(1) }
if (network) { console.error(process.env.HTTPS_PROXY); process.exit(1) }
const held = memory ? new Uint8Array(memory).fill(1) : undefined
if (sleep) await new Promise((resolve) => setTimeout(resolve, sleep, held))
writeSync(3, JSON.stringify({ version: version ?? '1', seconds: calls.map(() => 0), peakMemoryBytes: 1 }))
`

let folder: string
const kept = { ...process.env }
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'platemark-ezkl-'))
  const python = join(folder, 'python.mjs')
  await writeFile(python, DOUBLE)
  await chmod(python, 0o755)
})
beforeEach(() => {
  process.env[PYTHON_VARIABLE] = join(folder, 'python.mjs')
})
afterEach(() => {
  process.env = { ...kept }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const call = (arguments_: Record<string, unknown>) => [
  { name: 'prove' as const, arguments: arguments_ },
]

test('runs calls and reads the report', async () => {
  const result = await runEzkl(call({}), { version: '23.0.5' })
  expect(result).toEqual({ version: '23.0.5', seconds: [0], peakMemoryBytes: 1 })
})

test('a failure carries what the program said', async () => {
  await expect(runEzkl(call({ fail: 'no rows left' }))).rejects.toMatchObject({
    found: expect.stringContaining('no rows left'),
  })
  expect(await tryEzkl(call({ fail: 'no' }))).toEqual({ failure: 'thread panicked: no' })
})

test('another release, or being killed, is no answer', async () => {
  await expect(tryEzkl(call({}), { version: '0' })).rejects.toMatchObject({
    found: 'this is ezkl 1',
  })
  await expect(tryEzkl(call({ fail: 'kill' }))).rejects.toThrow('killed')
})

test('reaches no network', async () => {
  expect(await tryEzkl(call({ network: true }))).toEqual({ failure: 'http://127.0.0.1:9' })
})

test('stops at the limit of time', async () => {
  process.env[TIME_VARIABLE] = '0.5'
  const began = performance.now()
  await expect(tryEzkl(call({ sleep: 60_000 }))).rejects.toMatchObject({
    found: 'it took more than 0.5 s',
  })
  expect(performance.now() - began).toBeLessThan(20_000)
})

test('stops at the limit of memory', async () => {
  process.env[MEMORY_VARIABLE] = '0.2'
  await expect(tryEzkl(call({ memory: 400e6, sleep: 60_000 }))).rejects.toMatchObject({
    found: 'it held more than 0.2 GB',
  })
})

test.each(['0', '-1', 'many'])('refuses %s as a limit', async (value) => {
  process.env[TIME_VARIABLE] = value
  await expect(tryEzkl(call({}))).rejects.toThrow('is not one')
})

test('the child does not outlive an interrupted parent', async () => {
  const built = new URL('../../dist/prover/ezkl/ezkl-process.js', import.meta.url).href
  const pid = join(folder, 'pid')
  const parent = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `const { runEzkl } = await import(${JSON.stringify(built)})
     await runEzkl(${JSON.stringify(call({ pid, sleep: 60_000 }))})`,
    ],
    { env: process.env },
  )
  const read = () => readFile(pid, 'utf8').catch(() => '')
  while ((await read()) === '') await new Promise((resolve) => setTimeout(resolve, 50))
  const child = Number(await read())
  parent.kill('SIGINT')
  const code = await new Promise((resolve) => parent.once('close', resolve))
  expect(code).toBe(130)
  const alive = () => {
    try {
      process.kill(child, 0)
      return true
    } catch {
      return false
    }
  }
  for (let i = 0; alive() && i < 100; i++) await new Promise((resolve) => setTimeout(resolve, 50))
  expect(alive()).toBe(false)
})

test('where ezkl is missing, one line says how to get it', async () => {
  delete process.env[PYTHON_VARIABLE]
  process.env.XDG_DATA_HOME = folder
  expect(findPython()).toBeUndefined()
  expect(installationFolder()).toBe(join(folder, 'platemark', 'ezkl-23.0.5'))
  await expect(tryEzkl(call({}))).rejects.toMatchObject({
    fix: expect.stringContaining('platemark doctor --install ezkl'),
  })
})

test('a Python that does not start is said to', async () => {
  process.env[PYTHON_VARIABLE] = join(folder, 'nothing')
  await expect(tryEzkl(call({}))).rejects.toThrow('does not start')
})
