import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { silent } from '../../model-export/progress.js'
import { checkPowersOfTau, developmentPowersOfTau } from '../native.js'
import { readKeys } from './key-files.js'
import { plateFiles } from './plate-files.js'
import { makeSamplePlate, proveSample, type SamplePlate } from './sample-circuit.js'
import { setupGroth16 } from './setup.js'
import { verifyWithSnarkjs } from './snarkjs-files.js'
import { verifySignals } from './verify.js'
import { checkVerifyingKey, checkVerifyingKeyForExport } from './verifying-key.js'
import { readProvingKey } from './zkey.js'

let plate: SamplePlate
beforeAll(async () => {
  plate = await makeSamplePlate()
})
afterAll(() => plate.remove())

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

test('a development key proves, and binds a public input that no constraint mentions', async () => {
  const events: string[] = []
  const record = await setupGroth16(plate, { kind: 'development' }, ({ step }) => {
    events.push(step)
  })
  expect(record).toMatchObject({ kind: 'development', insecure: true })
  expect(record.note).toContain('could forge')
  expect(events).toContain('proving key')

  const { key } = await readKeys(plate)
  expect(key.development).toBe(true)
  checkVerifyingKeyForExport(key.verifyingKey, record)

  const { signals, proof } = await proveSample(plate, 77n)
  expect(signals[1]).toBe(77n)
  expect(verifySignals(key.verifyingKey, signals, proof)).toEqual({ valid: true })
  expect(await verifyWithSnarkjs(key.verifyingKey, signals, proof)).toBe(true)
  for (const wrong of [
    [signals[0]!, 78n],
    [signals[0]! + 1n, 77n],
  ])
    expect(verifySignals(key.verifyingKey, wrong, proof).valid).toBe(false)
})

test('two development keys differ', async () => {
  const first = await setupGroth16(plate, { kind: 'development' }, silent)
  const second = await setupGroth16(plate, { kind: 'development' }, silent)
  expect(first.verifyingKeyHash).not.toBe(second.verifyingKeyHash)
})

describe('from powers of tau', () => {
  let powers: string
  beforeAll(async () => {
    powers = join(plate.directory, 'powers.ptau')
    await developmentPowersOfTau(powers, 4, silent)
  })

  test('the key is insecure and unusable until phase 2', async () => {
    const record = await setupGroth16(plate, { kind: 'ptau', path: powers }, silent)
    expect(record).toMatchObject({
      kind: 'ptau',
      insecure: true,
      ptauContributions: [],
      contributions: [],
      ptauSha256: (await checkPowersOfTau(powers, silent)).sha256,
    })
    const { key } = await readKeys(plate)
    expect(key.development).toBe(false)
    expect(() => checkVerifyingKey(key.verifyingKey)).toThrow(/delta equals gamma/)
  })

  test('too few, unprepared and broken powers leave the old keys alone', async () => {
    const files = plateFiles(plate)
    const before = await readFile(files.provingKey)
    const small = join(plate.directory, 'small.ptau')
    await developmentPowersOfTau(small, 2, silent)
    const broken = join(plate.directory, 'broken.ptau')
    const content = await readFile(powers)
    content[1000]! ^= 1
    await writeFile(broken, content)
    for (const [path, message] of [
      [small, /too few powers/],
      [broken, /not a usable ptau file: section \d+, offset \d+/],
      [join(plate.directory, 'absent.ptau'), /Cannot read/],
    ] as const) {
      const error = await errorOf(setupGroth16(plate, { kind: 'ptau', path }, silent))
      expect(error).toBeInstanceOf(PlatemarkError)
      expect((error as Error).message).toMatch(message)
    }
    expect((await readFile(files.provingKey)).equals(before)).toBe(true)
    expect((await readdir(plate.directory)).filter((name) => name.endsWith('.partial'))).toEqual([])
  })
})

test('keys that do not belong together are noticed', async () => {
  await setupGroth16(plate, { kind: 'development' }, silent)
  const files = plateFiles(plate)
  const record = await readFile(files.setup, 'utf8')
  const verifyingKey = await readFile(files.verifyingKey, 'utf8')
  await setupGroth16(plate, { kind: 'development' }, silent)
  const newRecord = await readFile(files.setup, 'utf8')
  await writeFile(files.setup, record)
  await expect(readKeys(plate)).rejects.toThrow(/not the one that setup.json describes/)
  await writeFile(files.setup, newRecord)
  await writeFile(files.verifyingKey, verifyingKey)
  await expect(readKeys(plate)).rejects.toThrow(/not the one that verifying-key.json describes/)
})

test('a plate without circuit files is told to compile', async () => {
  const error = await errorOf(
    setupGroth16({ directory: join(plate.directory, 'nothing') }, { kind: 'development' }, silent),
  )
  expect(error).toBeInstanceOf(PlatemarkError)
  expect(existsSync(join(plate.directory, 'nothing'))).toBe(false)
})

test('a proving key with any byte of its read sections changed is refused', async () => {
  await setupGroth16(plate, { kind: 'development' }, silent)
  const good = await readFile(plateFiles(plate).provingKey)
  const path = join(plate.directory, 'changed.zkey')
  const header = { min: 0, max: 12 + 12 + 4 + 12 + 84 + 9 * 64 - 1 }
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.record({ at: fc.integer(header), bit: fc.nat(7) }),
        fc.record({ cut: fc.nat(good.length - 1) }),
      ),
      async (change) => {
        const bad = 'cut' in change ? good.subarray(0, change.cut) : Buffer.from(good)
        if ('at' in change) bad[change.at]! ^= 1 << change.bit
        await writeFile(path, bad)
        expect(await errorOf(readProvingKey(path))).toBeInstanceOf(PlatemarkError)
      },
    ),
    { numRuns: 150 },
  )
})
