import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileHashes, pixelHashes } from '../../circuits/image-hashes.js'
import { encodePng } from '../../circuits/png.js'
import type { Plate } from '../../model-export/plate.js'
import { silent } from '../../model-export/progress.js'
import { auditBundle } from '../audit.js'
import type { Bundle } from '../bundle.js'
import { verifyBundle, writeProvenance } from '../provenance.js'
import { LOCAL_CONTEXT } from '../statement.js'
import { sumcheck } from './backend.js'
import { randomModel } from './random-model.js'

/* A bundle whose statement is about a commitment to the image, and what a picture beside it is worth. */

let plate: Plate
let bundle: Bundle
let path: string

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'committed-image-'))
  plate = { directory, model: randomModel(8), modelId: `0x${'88'.repeat(32)}` }
  await sumcheck.compile(plate, silent, { imageBinding: 'commitment' })
  await sumcheck.setup(plate, { kind: 'development' }, silent)
  path = join(directory, 'a.provenance.json')
  const request = { seed: 5n, context: LOCAL_CONTEXT }
  bundle = (await writeProvenance(plate, sumcheck, request, path, 'test', silent)).bundle
})

afterAll(() => rm(plate.directory, { recursive: true, force: true }))

test('with powers of tau the picture is compared with the proof', async () => {
  for (const options of [{ plate }, { powers: plate.directory }]) {
    const { valid, checks } = await verifyBundle(bundle, path, options)
    expect(valid).toBe(true)
    expect(checks).toContainEqual(expect.objectContaining({ name: 'statement', result: 'passed' }))
  }
})

test('without them that is no answer, unless nobody asks about a picture', async () => {
  await expect(verifyBundle(bundle, path)).rejects.toThrow('cannot be compared')
  const { valid, checks } = await verifyBundle(bundle, path, { imagePath: false })
  expect(valid).toBe(true)
  expect(checks).toContainEqual(expect.objectContaining({ name: 'statement', result: 'skipped' }))
})

test('another picture, with hashes in the bundle to match, is found', async () => {
  const { height, width, channels } = plate.model.image
  const other = new Uint8Array(height * width * channels)
  const lieAt = join(plate.directory, 'b.provenance.json')
  const png = await encodePng({ ...plate.model.image, pixels: other })
  await writeFile(join(plate.directory, 'other.png'), png)
  const { sha256, cid } = fileHashes(png)
  const image = {
    ...bundle.image,
    ...pixelHashes({ ...plate.model.image, pixels: other }),
    file: 'other.png',
    fileSha256: sha256,
    fileCid: cid,
  }
  const { valid, reason } = await verifyBundle({ ...bundle, image }, lieAt, { plate })
  expect(valid).toBe(false)
  expect(reason).toContain('statement')
})

test('an audit makes the key again from the model', async () => {
  const { checks } = await auditBundle(bundle, path, plate)
  expect(checks).toContainEqual(
    expect.objectContaining({ name: 'verifying key of the model', result: 'passed' }),
  )
})
