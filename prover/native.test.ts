import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { silent } from '../model-export/progress.js'
import { checkPowersOfTau, developmentPowersOfTau, developmentSetup } from './native.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'platemark-native-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

test('powers of tau are made and checked, with progress', async () => {
  const path = join(folder, 'powers.ptau')
  const seen: number[] = []
  await developmentPowersOfTau(path, 6, silent)
  const summary = await checkPowersOfTau(path, ({ done, total }) => {
    seen.push(done! / total!)
  })
  expect(summary).toMatchObject({ power: 6, ceremonyPower: 6, prepared: true, contributions: [] })
  expect(summary.sha256).toMatch(/^0x[0-9a-f]{64}$/)
  expect(summary.blake2b).toMatch(/^0x[0-9a-f]{128}$/)
  expect(seen.at(-1)).toBe(1)
  expect(seen).toEqual([...seen].sort((a, b) => a - b))
})

test('any change to the points of a file is an error that says where', async () => {
  const path = join(folder, 'changed.ptau')
  await developmentPowersOfTau(path, 2, silent)
  const good = await readFile(path)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 68, max: good.length - 1 }), fc.nat(7), async (at, bit) => {
      const bad = Buffer.from(good)
      bad[at]! ^= 1 << bit
      await writeFile(path, bad)
      const error = await errorOf(checkPowersOfTau(path, silent))
      expect(error).toBeInstanceOf(PlatemarkError)
      expect((error as PlatemarkError).shortMessage).toMatch(/offset \d+|trivial/)
      expect((error as PlatemarkError).expected).toBeTruthy()
      expect((error as PlatemarkError).found).toBeTruthy()
    }),
    { numRuns: 60 },
  )
})

test('arbitrary bytes are neither a constraint system nor powers of tau', async () => {
  const path = join(folder, 'noise')
  const key = join(folder, 'key.zkey')
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('r1cs', 'ptau', ''),
      fc.uint8Array({ maxLength: 300 }),
      async (magic, noise) => {
        await writeFile(path, Buffer.concat([Buffer.from(magic), Buffer.from([1, 0, 0, 0]), noise]))
        expect(await errorOf(developmentSetup(path, key, silent))).toBeInstanceOf(PlatemarkError)
        expect(await errorOf(checkPowersOfTau(path, silent))).toBeInstanceOf(PlatemarkError)
        expect(existsSync(key)).toBe(false)
      },
    ),
    { numRuns: 200 },
  )
})

test('wrong paths and powers are explained', async () => {
  expect(await errorOf(checkPowersOfTau(join(folder, 'absent'), silent))).toMatchObject({
    shortMessage: expect.stringContaining('Cannot read'),
  })
  expect(await errorOf(developmentPowersOfTau(join(folder, 'x'), 40, silent))).toMatchObject({
    expected: '1 to 22',
    found: '40',
  })
  expect(
    await errorOf(developmentPowersOfTau(join(folder, 'no', 'folder'), 4, silent)),
  ).toMatchObject({ shortMessage: expect.stringContaining('Cannot write') })
})
