import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { type Bundle, bundleFromJson, readBundle, writeBundle } from './bundle.js'

const hex = (bytes: number, digit = 'a') => `0x${digit.repeat(2 * bytes)}` as const

const bundle: Bundle = {
  format: 'platemark-provenance',
  version: 1,
  backend: 'groth16',
  statement: {
    modelId: hex(32),
    seed: 42n,
    imageHash: hex(32, 'b'),
    context: { chainId: 31337n, contract: hex(20, 'c'), recipient: hex(20, 'd') },
  },
  model: { name: 'sprites', latentDimensions: 16 },
  image: {
    file: 'image.png',
    height: 16,
    width: 16,
    channels: 3,
    poseidon: hex(32, 'b'),
    keccak256: hex(32, '1'),
    fileSha256: hex(32, '2'),
    fileCid: 'bafkrei',
  },
  proof: hex(256, '3'),
  verifyingKey: { format: 'x' },
  setup: {
    format: 'platemark-setup',
    version: 1,
    backend: 'groth16',
    kind: 'development',
    insecure: true,
    note: 'insecure',
    verifyingKeyHash: hex(32, '4'),
  },
  toolVersion: '0.1.0',
}

const folder = await mkdtemp(join(tmpdir(), 'platemark-bundle-'))
const path = join(folder, 'image.provenance.json')

async function json(): Promise<Record<string, unknown>> {
  await writeBundle(path, bundle)
  return JSON.parse(await readFile(path, 'utf8'))
}

test('what is written is read back, and no temporary file stays', async () => {
  await writeBundle(path, bundle)
  expect(await readBundle(path)).toEqual(bundle)
  expect(await readdir(folder)).toEqual(['image.provenance.json'])
})

test('a latent may have as many numbers as a key may have, and no more', async () => {
  const of = (latentDimensions: number): Bundle => ({
    ...bundle,
    model: { ...bundle.model, latentDimensions },
  })
  await writeBundle(path, of(2 ** 16))
  expect(await readBundle(path)).toEqual(of(2 ** 16))
  await writeBundle(path, of(2 ** 16 + 1))
  await expect(readBundle(path)).rejects.toThrow('latentDimensions')
})

test('conditions are read back; none are no member at all', async () => {
  const conditions = '0x0003'
  const conditioned: Bundle = { ...bundle, statement: { ...bundle.statement, conditions } }
  await writeBundle(path, conditioned)
  expect(await readBundle(path)).toEqual(conditioned)
  for (const wrong of ['0x', '0x0', '3', null, `0x${'00'.repeat(70_000)}`]) {
    const content = await json()
    Object.assign(content.statement as object, { conditions: wrong })
    expect(() => bundleFromJson(content)).toThrow('conditions')
  }
})

test.each([
  ['seed', '042'],
  ['seed', '-1'],
  ['seed', 42],
  ['seed', String(1n << 256n)],
  ['modelId', '0xAA'],
  ['modelId', hex(31)],
  ['imageHash', hex(32).toUpperCase()],
])('statement.%s = %j is refused by name', async (name, value) => {
  const good = await json()
  const bad = { ...good, statement: { ...(good.statement as object), [name]: value } }
  expect(() => bundleFromJson(bad, 'b.json')).toThrow(`b.json: statement.${name}`)
})

test.each(['../secret.png', '/etc/passwd', 'a/b.png', '..', ''])(
  'an image outside the bundle’s folder is refused: %j',
  async (file) => {
    const good = await json()
    const bad = { ...good, image: { ...(good.image as object), file } }
    expect(() => bundleFromJson(bad)).toThrow('image.file')
  },
)

test('an image that would take hours to hash is refused by its size', async () => {
  const good = await json()
  const image = { ...(good.image as object), height: 4096, width: 4096 }
  expect(() => bundleFromJson({ ...good, image })).toThrow('image.height')
})

test('any removed, added or retyped field is an error that names it', async () => {
  const good = await json()
  const paths = Object.keys(good).concat(
    Object.keys(good.statement as object).map((name) => `statement.${name}`),
    Object.keys(good.image as object).map((name) => `image.${name}`),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...paths.filter((name) => name !== 'verifyingKey')),
      fc.constantFrom('remove', 'retype', 'add'),
      (name, how) => {
        const copy = structuredClone(good) as Record<string, Record<string, unknown>>
        const parts = name.split('.')
        const last = parts.at(-1)!
        const parent = (parts.length === 2 ? copy[parts[0]!] : copy) as Record<string, unknown>
        if (how === 'remove') delete parent[last]
        if (how === 'retype') parent[last] = [null]
        if (how === 'add') parent[`${last}2`] = 1
        expect(() => bundleFromJson(copy)).toThrow(PlatemarkError)
      },
    ),
  )
})

test.each([
  ['empty', ''],
  ['cut off', '{"format": "platemark-prov'],
  ['an array', '[]'],
  ['null', 'null'],
  ['of another kind', '{"format":"platemark-model","version":1}'],
  ['of another version', '{"format":"platemark-provenance","version":2}'],
])('a bundle that is %s is a clear error', async (_, content) => {
  await writeFile(path, content)
  await expect(readBundle(path)).rejects.toThrow(PlatemarkError)
})

test('arbitrary JSON never crashes the reader', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(() => bundleFromJson(value)).toThrow(PlatemarkError)
    }),
  )
})

test('an absent file says which', async () => {
  await expect(readBundle(join(folder, 'none.json'))).rejects.toThrow('no such file')
})
