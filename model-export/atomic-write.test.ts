import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transform } from '@swc/core'
import { writeDirectoryAtomic, writeFileAtomic } from './atomic-write.js'
import { PlatemarkError } from './platemark-error.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'platemark-atomic-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('writeFileAtomic', () => {
  test('writes, overwrites, creates parents and leaves nothing else', async () => {
    const path = join(folder, 'a', 'b.txt')
    await writeFileAtomic(path, 'one')
    await writeFileAtomic(path, Uint8Array.of(116, 119, 111))
    expect(readFileSync(path, 'utf8')).toBe('two')
    expect(readdirSync(join(folder, 'a'))).toEqual(['b.txt'])
  })

  test('replaces what a link points to, not the link', async () => {
    writeFileSync(join(folder, 'real'), 'old')
    await symlink('real', join(folder, 'link'))
    await writeFileAtomic(join(folder, 'link'), 'new')
    expect(readFileSync(join(folder, 'real'), 'utf8')).toBe('new')
    expect(readdirSync(folder).sort()).toEqual(['link', 'real'])
  })

  test('refuses a folder and a path through a file, and leaves nothing', async () => {
    await mkdir(join(folder, 'taken'))
    await expect(writeFileAtomic(join(folder, 'taken'), '')).rejects.toThrow(PlatemarkError)
    writeFileSync(join(folder, 'file'), '')
    await expect(writeFileAtomic(join(folder, 'file', 'below'), '')).rejects.toThrow(PlatemarkError)
    expect(readdirSync(folder).sort()).toEqual(['file', 'taken'])
  })

  test('writes to a device directly', async () => {
    await writeFileAtomic('/dev/null', 'gone')
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('writeDirectoryAtomic', () => {
  test('replaces the whole folder at the end', async () => {
    const path = join(folder, 'plate')
    await writeDirectoryAtomic(path, (f) => writeFile(join(f, 'old'), '1'))
    await writeDirectoryAtomic(path, async (f) => {
      expect(readdirSync(path)).toEqual(['old'])
      await mkdir(join(f, 'sub'))
      await writeFile(join(f, 'sub', 'new'), '2')
    })
    expect(readdirSync(path)).toEqual(['sub'])
    expect(readdirSync(folder)).toEqual(['plate'])
  })

  test('a failure leaves the old folder and no other', async () => {
    const path = join(folder, 'plate')
    await writeDirectoryAtomic(path, (f) => writeFile(join(f, 'old'), '1'))
    const failure = new Error('boom')
    await expect(
      writeDirectoryAtomic(path, async (f) => {
        await writeFile(join(f, 'half'), '')
        throw failure
      }),
    ).rejects.toBe(failure)
    expect(readdirSync(path)).toEqual(['old'])
    expect(readdirSync(folder)).toEqual(['plate'])
  })

  test('refuses to replace a file', async () => {
    writeFileSync(join(folder, 'file'), '')
    await expect(writeDirectoryAtomic(join(folder, 'file'), async () => {})).rejects.toThrow(
      PlatemarkError,
    )
  })

  test('removes its signal handlers when done', async () => {
    const before = process.listenerCount('SIGINT')
    await writeDirectoryAtomic(join(folder, 'plate'), async () => {
      expect(process.listenerCount('SIGINT')).toBe(before + 1)
    })
    expect(process.listenerCount('SIGINT')).toBe(before)
  })
})

describe('an interrupted process', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s leaves the old folder alone', async (signal) => {
    for (const name of ['atomic-write', 'platemark-error']) {
      const source = readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8')
      const { code } = await transform(source, {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
      })
      writeFileSync(join(folder, `${name}.js`), code)
    }
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    await writeDirectoryAtomic(join(folder, 'out', 'plate'), (f) => writeFile(join(f, 'old'), '1'))
    writeFileSync(
      join(folder, 'main.js'),
      `import { writeFileSync } from 'node:fs'
       import { writeDirectoryAtomic } from './atomic-write.js'
       await writeDirectoryAtomic(process.argv[2], async (folder) => {
         writeFileSync(folder + '/half', 'x')
         process.stdout.write('writing')
         await new Promise((done) => setTimeout(done, 30_000))
       })`,
    )
    const child = spawn(process.execPath, [join(folder, 'main.js'), join(folder, 'out', 'plate')])
    await new Promise((done) => child.stdout.once('data', done))
    expect(readdirSync(join(folder, 'out'))).toHaveLength(2)
    child.kill(signal)
    const ended = await new Promise((done) => child.once('exit', (_, by) => done(by)))
    expect(ended).toBe(signal)
    expect(readdirSync(join(folder, 'out'))).toEqual(['plate'])
    expect(existsSync(join(folder, 'out', 'plate', 'old'))).toBe(true)
  })
})
