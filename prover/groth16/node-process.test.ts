import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { compileCircom } from './circom-process.js'
import { locatePackage, PRELOAD, runNode } from './node-process.js'
import { runSnarkjs } from './snarkjs-process.js'

describe('runNode', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'platemark-process-'))
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  async function script(name: string, text: string): Promise<string> {
    const path = join(directory, name)
    await writeFile(path, text)
    return path
  }

  test('captures output and exit code, and ends by itself', async () => {
    const path = await script('a.mjs', 'console.log(process.argv[2]); process.exitCode = 3')
    const result = await runNode(path, ['hello'])
    expect(result).toMatchObject({ exitCode: 3, output: 'hello\n' })
  })

  test('measures peak memory', async () => {
    const path = await script('b.mjs', 'globalThis.x = new Uint8Array(200e6).fill(1)')
    const { peakMemoryBytes } = await runNode(path, [])
    expect(peakMemoryBytes).toBeGreaterThan(200e6)
    expect(peakMemoryBytes).toBeLessThan(600e6)
  })

  test('is ended by an abort signal', async () => {
    const path = await script('c.mjs', 'setInterval(() => {}, 1000)')
    const started = performance.now()
    await expect(runNode(path, [], { signal: AbortSignal.timeout(500) })).rejects.toThrow('aborted')
    expect(performance.now() - started).toBeLessThan(5000)
    await expect(runNode(path, [], { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
  })

  test('ends in the middle of a computation when its parent is interrupted', async () => {
    const built = new URL('../../dist/prover/groth16/node-process.js', import.meta.url).href
    const pidFile = join(directory, 'pid')
    const child = await script(
      'e.mjs',
      `import { writeFileSync } from 'node:fs'
       writeFileSync(${JSON.stringify(pidFile)}, String(process.pid))
       for (;;) {}`,
    )
    const parent = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `const { runNode } = await import(${JSON.stringify(built)})
       process.on('exit', () => console.log('exit handlers ran'))
       await runNode(${JSON.stringify(child)}, [])`,
    ])
    let output = ''
    parent.stdout.on('data', (data) => {
      output += String(data)
    })
    const ended = new Promise<number | null>((resolve) => {
      parent.once('close', (code) => resolve(code))
    })
    const pid = await eventually(async () => Number(await readFile(pidFile, 'utf8')) || undefined)
    parent.kill('SIGINT')
    expect(await ended).toBe(130)
    expect(output).toContain('exit handlers ran')
    await eventually(async () => !isAlive(pid) || undefined)
  })

  test('ends when its parent is killed', async () => {
    const child = await script('d.mjs', 'console.log(process.pid); setInterval(() => {}, 1000)')
    // Standard input from the parent, as runNode gives it, is what tells the child.
    const parent = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `const { spawn } = await import('node:child_process')
       const child = spawn(process.execPath, ['--import', ${JSON.stringify(PRELOAD)}, ${JSON.stringify(child)}],
         { stdio: ['pipe', 'inherit', 'inherit', 'pipe'] })
       setInterval(() => {}, 1000)`,
    ])
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (data) => resolve(Number(String(data))))
    })
    parent.kill('SIGKILL')
    for (let i = 0; i < 100 && isAlive(pid); i++) await new Promise((next) => setTimeout(next, 50))
    expect(isAlive(pid)).toBe(false)
  })

  test('names a missing package and how to install it', () => {
    expect(() => locatePackage('platemark-no-such-package')).toThrow(PlatemarkError)
    expect(() => locatePackage('platemark-no-such-package')).toThrow(/npm install/)
  })
})

describe('the programs', () => {
  test('circom says what it does not like', async () => {
    await expect(compileCircom('template A( {}')).rejects.toThrow('circom refused the circuit.')
  })

  test('snarkjs failures carry its message', async () => {
    await expect(runSnarkjs(['groth16', 'prove', 'no', 'no', 'no', 'no'])).rejects.toThrow(
      'snarkjs groth16 prove failed.',
    )
  }, 20_000)
})

/** Asks again until there is an answer. */
async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 200; i++) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
    await new Promise((next) => setTimeout(next, 50))
  }
  throw new Error('no answer in ten seconds')
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
