import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Image } from '../circuits/image-digest.js'
import { fileHashes, pixelHashes } from '../circuits/image-hashes.js'
import { decodePng, encodePng } from '../circuits/png.js'
import { displayFlaw } from '../circuits/png-display.js'
import { writeFileAtomic } from '../model-export/atomic-write.js'
import { conditionsOf, NO_CONDITIONS, splitConditions } from '../model-export/conditions.js'
import { readJsonFile } from '../model-export/json-fields.js'
import type { Plate } from '../model-export/plate.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { Progress } from '../model-export/progress.js'
import type { Backend, ProveRequest, ProveResult } from './backend.js'
import { findBackend } from './backends.js'
import { type Bundle, type BundleImage, writeBundle } from './bundle.js'
import { checkConditions } from './check-conditions.js'
import { parseSetupRecord } from './setup-record.js'
import { type Check, equality, type Verification, verdictOf } from './verification.js'

/** Ending of every bundle's file name. */
export const BUNDLE_SUFFIX = '.provenance.json'

export type ProvenanceResult = {
  readonly bundle: Bundle
  readonly bundlePath: string
  readonly imagePath: string
  readonly proved: ProveResult
}

/**
 * Proves that a seed generates an image and writes the bundle with the PNG beside it. The bundle is
 * written last, so one that exists is complete.
 *
 * @param bundlePath - must end in `.provenance.json`; the image takes the same name with `.png`
 * @throws {PlatemarkError} when the plate has no keys, the name is wrong, the model does not take these
 * conditions or proving fails.
 */
export async function writeProvenance(
  plate: Plate,
  backend: Backend,
  request: ProveRequest,
  bundlePath: string,
  toolVersion: string,
  progress: Progress,
): Promise<ProvenanceResult> {
  const name = basename(bundlePath)
  if (!name.endsWith(BUNDLE_SUFFIX) || name === BUNDLE_SUFFIX)
    throw new PlatemarkError('The output has the wrong name.', {
      expected: `a file name that ends in ${BUNDLE_SUFFIX}`,
      found: name,
      fix: `Use -o ${name.replace(/(\.provenance)?(\.json)?$/, '') || 'image'}${BUNDLE_SUFFIX}`,
    })
  splitConditions(conditionsOf(plate.model), request.conditions ?? NO_CONDITIONS)
  const { setup, verifyingKey } = await readKeys(plate, backend)
  const proved = await backend.prove(plate, request, progress)
  const { height, width, channels } = plate.model.image
  const image: Image = { height, width, channels, pixels: proved.pixels }
  const png = await encodePng(image)
  const imagePath = join(dirname(bundlePath), name.replace(BUNDLE_SUFFIX, '.png'))
  const bundle: Bundle = {
    format: 'platemark-provenance',
    version: 1,
    backend: backend.name,
    statement: proved.statement,
    model: { name: plate.model.name, latentDimensions: plate.model.latent.dimensions },
    image: describeImage(basename(imagePath), image, png),
    proof: `0x${Buffer.from(proved.proof).toString('hex')}`,
    verifyingKey,
    setup,
    toolVersion,
  }
  await writeFileAtomic(imagePath, png)
  await writeBundle(bundlePath, bundle)
  return { bundle, bundlePath, imagePath, proved }
}

/** Record and key of a plate, which belong together: checked before anyone waits for a proof. */
async function readKeys(
  plate: Plate,
  backend: Backend,
): Promise<Pick<Bundle, 'setup' | 'verifyingKey'>> {
  const folder = join(plate.directory, backend.name)
  const path = join(folder, 'setup.json')
  if (!existsSync(path))
    throw new PlatemarkError('The compiled model has no keys.', {
      expected: `a setup record at ${path}`,
      found: 'no such file',
      fix: `Run platemark setup ${plate.directory} --dev to try things out, or with --ptau for real use.`,
    })
  const setup = parseSetupRecord(await readJsonFile(path, 'setup record'))
  const key = await readJsonFile(join(folder, 'verifying-key.json'), 'verifying key')
  const found = backend.verifyingKeyHash(key.value)
  if (found !== setup.verifyingKeyHash)
    throw new PlatemarkError('Verifying key and setup record do not belong together.', {
      expected: `the key ${setup.verifyingKeyHash} of ${path}`,
      found,
      fix: 'Run platemark setup again.',
    })
  return { setup, verifyingKey: key.value }
}

function describeImage(file: string, image: Image, png: Uint8Array): BundleImage {
  const { height, width, channels } = image
  const hashes = fileHashes(png)
  return {
    file,
    height,
    width,
    channels,
    ...pixelHashes(image),
    fileSha256: hashes.sha256,
    fileCid: hashes.cid,
  }
}

/**
 * Checks a bundle: the image file against its hashes, the hashes against the statement, and the proof
 * against the statement. With a plate, also that the statement is about that model and key; without
 * one, the verifying key is the bundle's own word.
 *
 * An image that is not there fails, because a valid bundle next to another picture would vouch for it.
 *
 * @param options.imagePath - the image to check; by default the bundle's file beside it. `false` for
 *   somebody who has no image: its size and hashes are then unchecked, and said to be.
 * @param options.powers - a powers-of-tau file, or a plate with keys, for statements about a commitment
 *   to the image; by default `options.plate`
 * @throws {PlatemarkError} when such a statement is to be compared with an image and there are no powers.
 */
export async function verifyBundle(
  bundle: Bundle,
  bundlePath: string,
  options: {
    readonly plate?: Plate
    readonly imagePath?: string | false
    readonly powers?: string
  } = {},
): Promise<Verification> {
  const image = await checkImageFile(bundle, bundlePath, options.imagePath)
  const checks: Check[] = [...image.checks]
  const backend = findBackend(bundle.backend)
  const powers = options.powers ?? options.plate?.directory
  checks.push(
    await checkStatement(bundle, backend, image.pixels, powers),
    equality(
      'verifying key',
      bundle.setup.verifyingKeyHash,
      backend.verifyingKeyHash(bundle.verifyingKey),
      `is the one of the setup record, ${bundle.setup.verifyingKeyHash}`,
    ),
    equality('setup', bundle.backend, bundle.setup.backend, bundle.setup.note),
  )
  const conditions = checkConditions(bundle.statement, options.plate)
  if (conditions !== undefined) checks.push(conditions)
  if (options.plate !== undefined) checks.push(...(await checkPlate(bundle, options.plate)))
  const verdict = await backend.verify({
    verifyingKey: bundle.verifyingKey,
    latentDimensions: bundle.model.latentDimensions,
    statement: bundle.statement,
    proof: new Uint8Array(Buffer.from(bundle.proof.slice(2), 'hex')),
    ...(image.pixels === undefined ? {} : { pixels: image.pixels }),
  })
  checks.push({
    name: 'proof',
    result: verdict.valid ? 'passed' : 'failed',
    detail: verdict.valid ? `${backend.proofSystem} proof verifies` : verdict.reason,
  })
  return verdictOf(checks)
}

/** Compares the image hash of the statement with the image, or with what the bundle says of it. */
async function checkStatement(
  { image, statement, verifyingKey }: Bundle,
  backend: Backend,
  pixels: Uint8Array | undefined,
  powers: string | undefined,
): Promise<Check> {
  const name = 'statement'
  const scheme = backend.imageHashScheme(verifyingKey)
  if (pixels !== undefined)
    return equality(
      name,
      await backend.imageHash({ ...image, pixels }, verifyingKey, powers),
      statement.imageHash,
      `is about the ${scheme} hash of this image`,
    )
  const said = { poseidon: image.poseidon, keccak256: image.keccak256 }[scheme]
  return said === undefined
    ? { name, result: 'skipped', detail: `is about a ${scheme} hash, which needs the image` }
    : equality(name, said, statement.imageHash, `is about the ${scheme} hash that the bundle names`)
}

async function checkImageFile(
  bundle: Bundle,
  bundlePath: string,
  imagePath: string | false | undefined,
): Promise<{ readonly checks: readonly Check[]; readonly pixels?: Uint8Array }> {
  if (imagePath === false)
    return {
      checks: [
        {
          name: 'image',
          result: 'skipped',
          detail: 'as asked; its size and file hashes are claims',
        },
      ],
    }
  const path = imagePath ?? join(dirname(bundlePath), bundle.image.file)
  const png = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' && imagePath === undefined) return undefined
    throw new PlatemarkError('The image could not be read.', { found: cause.message, cause })
  })
  if (png === undefined)
    return { checks: [{ name: 'image', result: 'failed', detail: `there is no file ${path}` }] }
  const image = await decodePng(png)
  const flaw = displayFlaw(png)
  const { height, width, channels, poseidon, keccak256, fileSha256, fileCid } = bundle.image
  const size = (of: Pick<Image, 'height' | 'width' | 'channels'>) =>
    `${of.height}×${of.width}×${of.channels}`
  const sizes = equality('image size', size({ height, width, channels }), size(image), size(image))
  // The bundle's size is bounded and the file's is not: no hash is computed over another size.
  if (sizes.result === 'failed') return { checks: [sizes] }
  const found = pixelHashes(image)
  const file = fileHashes(png)
  const checks: readonly Check[] = [
    {
      name: 'image display',
      result: flaw === undefined ? 'passed' : 'failed',
      detail: flaw ?? 'viewers show the pixels that are hashed',
    },
    sizes,
    equality('image Poseidon digest', poseidon, found.poseidon, poseidon),
    equality('image keccak-256', keccak256, found.keccak256, keccak256),
    equality('image file SHA-256', fileSha256, file.sha256, fileSha256),
    equality('image file CID', fileCid, file.cid, fileCid),
  ]
  return { checks, pixels: image.pixels }
}

async function checkPlate(bundle: Bundle, plate: Plate): Promise<readonly Check[]> {
  const folder = join(plate.directory, bundle.backend)
  const key = (await readJsonFile(join(folder, 'verifying-key.json'), 'verifying key')).value
  const setup = parseSetupRecord(await readJsonFile(join(folder, 'setup.json'), 'setup record'))
  const { height, width, channels } = plate.model.image
  const size = `${height}×${width}×${channels}`
  const { verifyingKeyHash } = findBackend(bundle.backend)
  const dimensions = String(plate.model.latent.dimensions)
  return [
    equality('model id', plate.modelId, bundle.statement.modelId, `${plate.modelId}, recomputed`),
    equality(
      'latent dimensions',
      dimensions,
      String(bundle.model.latentDimensions),
      `${dimensions}, as the model has`,
    ),
    equality(
      'model’s image size',
      size,
      `${bundle.image.height}×${bundle.image.width}×${bundle.image.channels}`,
      size,
    ),
    equality(
      'model’s setup',
      JSON.stringify(setup),
      JSON.stringify(bundle.setup),
      'is the record of the compiled model',
    ),
    equality(
      'model’s verifying key',
      verifyingKeyHash(key),
      verifyingKeyHash(bundle.verifyingKey),
      'is the key of the compiled model',
    ),
  ]
}
