import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silent } from '../../model-export/progress.js'
import { developmentPowersOfTau } from '../native.js'
import { commitmentHash } from './image-hash.js'
import { type NativePowers, sumcheckNative } from './native.js'
import { arePowers, readPowers } from './powers.js'

let powers: NativePowers
let other: NativePowers
let folder: string

beforeAll(async () => {
  powers = await sumcheckNative().sumcheckDevelopmentPowers(5)
  other = await sumcheckNative().sumcheckDevelopmentPowers(5)
  folder = await mkdtemp(join(tmpdir(), 'powers-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const replaced = (at: number, by: Uint8Array) => {
  const copy = Buffer.from(powers.powers)
  copy.set(by, 64 * at)
  return { ...powers, powers: copy }
}

test('powers of one secret are told from points that are not', async () => {
  expect(await arePowers(powers)).toBe(true)
  expect(await arePowers({ ...powers, powers: powers.powers.subarray(0, 64 * 13) })).toBe(true)
  expect(await arePowers({ ...powers, tauG2: other.tauG2 })).toBe(false)
  expect(await arePowers({ ...powers, tauG2: Buffer.alloc(128) })).toBe(false)
  // One point of another secret, points swapped, a point off the curve, infinity.
  const point = (i: number) => powers.powers.subarray(64 * i, 64 * (i + 1))
  expect(await arePowers(replaced(31, other.powers.subarray(64, 128)))).toBe(false)
  expect(await arePowers(replaced(7, point(8)))).toBe(false)
  expect(await arePowers(replaced(0, point(1)))).toBe(false)
  expect(await arePowers(replaced(3, Buffer.alloc(64, 1)))).toBe(false)
  expect(await arePowers(replaced(3, Buffer.alloc(64)))).toBe(false)
})

test('powers are read from a .ptau file, which must have enough of them', async () => {
  const file = join(folder, 'powers.ptau')
  await developmentPowersOfTau(file, 4, silent)
  const found = await readPowers(file, 12)
  expect(found.powers.length).toBe(64 * 12)
  await expect(readPowers(file, 17)).rejects.toThrow('too few powers')
  await expect(readPowers(join(folder, 'none.ptau'), 1)).rejects.toThrow('no powers of tau here')
  await expect(readPowers(folder, 1)).rejects.toThrow('has no powers of tau')
})

test('the hash of a commitment binds every pixel and the size', async () => {
  const image = {
    height: 2,
    width: 3,
    channels: 1,
    pixels: Uint8Array.of(1, 2, 3, 4, 5, 6),
  } as const
  const hash = await commitmentHash(image, powers.powers)
  expect(hash).toMatch(/^0x01[0-9a-f]{62}$/)
  const pixels = Uint8Array.of(1, 2, 3, 4, 5, 7)
  const changes = [
    commitmentHash({ ...image, pixels }, powers.powers),
    commitmentHash({ ...image, height: 3, width: 2 }, powers.powers),
    commitmentHash(image, other.powers),
  ]
  for (const changed of await Promise.all(changes)) expect(changed).not.toBe(hash)
  await expect(commitmentHash(image, powers.powers.subarray(0, 64 * 5))).rejects.toThrow('too few')
})
