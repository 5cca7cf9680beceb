import { copyFile, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodePng } from '../circuits/png.js'
import { fixturePath } from '../fixtures/golden.js'
import type { Plate } from '../model-export/plate.js'
import { type Bundle, readBundle } from './bundle.js'
import { verifyBundle } from './provenance.js'

/* The golden bundle, and what a liar can write around its true proof. */

const golden = fixturePath('sprites/seed-42.provenance.json')
const bundle = await readBundle(golden)
const folder = await mkdtemp(join(tmpdir(), 'platemark-provenance-'))
const path = join(folder, 'b.provenance.json')

/** As much of the compiled fixture as verification reads. */
const plate = {
  directory: folder,
  modelId: bundle.statement.modelId,
  model: {
    latent: { dimensions: bundle.model.latentDimensions },
    image: { height: 16, width: 16, channels: 3 },
  },
} as unknown as Plate

beforeAll(async () => {
  await copyFile(fixturePath('sprites/seed-42.png'), join(folder, bundle.image.file))
  await mkdir(join(folder, 'groth16'))
  await writeFile(
    join(folder, 'groth16', 'verifying-key.json'),
    JSON.stringify(bundle.verifyingKey),
  )
  await writeFile(join(folder, 'groth16', 'setup.json'), JSON.stringify(bundle.setup))
})

const withImage = (change: Partial<Bundle['image']>): Bundle => ({
  ...bundle,
  image: { ...bundle.image, ...change },
})

test('the golden bundle is valid, alone and against its model', async () => {
  expect((await verifyBundle(bundle, path)).valid).toBe(true)
  const { valid, checks } = await verifyBundle(bundle, path, { plate })
  expect(valid).toBe(true)
  expect(checks.every(({ result }) => result === 'passed')).toBe(true)
})

test('a bundle that names no existing image is invalid: the picture beside it is unchecked', async () => {
  const { valid, reason } = await verifyBundle(withImage({ file: 'elsewhere.png' }), path)
  expect(valid).toBe(false)
  expect(reason).toContain('there is no file')
})

test('without an image only on request, and then that is said', async () => {
  const { valid, checks } = await verifyBundle(bundle, path, { imagePath: false })
  expect(valid).toBe(true)
  expect(checks).toContainEqual(expect.objectContaining({ name: 'image', result: 'skipped' }))
  const lie = withImage({ height: 8, width: 32 })
  expect((await verifyBundle(lie, path, { plate, imagePath: false })).valid).toBe(false)
})

test.each([
  ['keccak256', `0x${'11'.repeat(32)}`],
  ['fileSha256', `0x${'11'.repeat(32)}`],
  ['fileCid', 'bafkrei'],
  ['height', 8],
  ['channels', 4],
  ['poseidon', `0x${'11'.repeat(32)}`],
])('a false image.%s is found', async (name, value) => {
  expect((await verifyBundle(withImage({ [name]: value }), path)).valid).toBe(false)
})

test('another picture under the image’s name is found', async () => {
  const other = await encodePng({ height: 16, width: 16, channels: 3, pixels: new Uint8Array(768) })
  const imagePath = join(folder, 'other.png')
  await writeFile(imagePath, other)
  expect((await verifyBundle(bundle, path, { imagePath })).valid).toBe(false)
})

test('an image of another size is not hashed: its Poseidon digest could take hours', async () => {
  const imagePath = join(folder, 'huge.png')
  const pixels = new Uint8Array(4096 * 4096)
  await writeFile(imagePath, await encodePng({ height: 4096, width: 4096, channels: 1, pixels }))
  const { valid, reason } = await verifyBundle(bundle, path, { imagePath })
  expect(valid).toBe(false)
  expect(reason).toContain('4096×4096×1')
})

test('a development key that is called a ceremony’s is found with the model', async () => {
  const { ptauSha256: _, ...rest } = bundle.setup
  const setup = {
    ...rest,
    kind: 'ptau',
    insecure: false,
    note: 'Sound.',
    ptauSha256: `0x${'11'.repeat(32)}`,
    ptauContributions: ['Ada'],
    contributions: ['Grace'],
  } as const
  const { valid, reason } = await verifyBundle({ ...bundle, setup }, path, { plate })
  expect(valid).toBe(false)
  expect(reason).toContain('setup')
})

test('the image file is read once it is whole', async () => {
  const imagePath = join(folder, 'cut.png')
  const png = await readFile(fixturePath('sprites/seed-42.png'))
  await writeFile(imagePath, png.subarray(0, png.length - 12))
  await expect(verifyBundle(bundle, path, { imagePath })).rejects.toThrow('not a readable PNG')
})
