import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
