import type { Hex } from 'viem'
import { SEED_LIMIT } from '../circuits/seed-expansion.js'
import { writeFileAtomic } from '../model-export/atomic-write.js'
import { type Field, field, readJsonFile } from '../model-export/json-fields.js'
import type { SetupRecord } from './backend.js'
import { parseSetupRecord } from './setup-record.js'
import type { Statement } from './statement.js'

/**
 * A provenance bundle, `<name>.provenance.json`: everything that a verifier needs and nothing that
 * it must trust. The PNG lies beside it under `image.file`.
 */
export type Bundle = {
  readonly format: 'platemark-provenance'
  readonly version: 1
  readonly backend: string
  readonly statement: Statement
  readonly model: { readonly name: string; readonly latentDimensions: number }
  readonly image: BundleImage
  readonly proof: Hex
  /** Content of the backend's verifying key file. */
  readonly verifyingKey: unknown
  readonly setup: SetupRecord
  readonly toolVersion: string
}

/** Size and every hash of the image; `file` is a bare file name. */
export type BundleImage = {
  readonly file: string
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3 | 4
  readonly poseidon: Hex
  readonly keccak256: Hex
  readonly fileSha256: Hex
  readonly fileCid: string
}

/** Largest latent that a bundle may name, as in a verifying key: a picture of 256 × 256 as input. */
const MAX_LATENT = 1 << 16

/** Most bytes that are chosen besides the seed. */
const MAX_CONDITION_BYTES = 1 << 16

/**
 * Largest image in bytes. The Poseidon digest of a mebibyte takes half a minute, and a PNG of
 * kilobytes can unfold to gigabytes of one colour.
 */
const MAX_IMAGE_BYTES = 1 << 20

/** Writes a bundle, whole or not at all. */
export async function writeBundle(path: string, bundle: Bundle): Promise<void> {
  const { statement } = bundle
  const json = {
    ...bundle,
    statement: {
      ...statement,
      seed: String(statement.seed),
      context: { ...statement.context, chainId: String(statement.context.chainId) },
    },
  }
  await writeFileAtomic(path, `${JSON.stringify(json, null, 2)}\n`)
}

/**
 * Reads a bundle.
 *
 * @throws {PlatemarkError} naming the file and the field, for anything that is not a bundle.
 * @example
 * const bundle = await readBundle('image.provenance.json')
 */
export async function readBundle(path: string): Promise<Bundle> {
  return parseBundle(await readJsonFile(path, 'provenance bundle'))
}

/** Reads a bundle from parsed JSON. */
export function parseBundle(root: Field): Bundle {
  root.get('format').oneOf('platemark-provenance')
  root.get('version').oneOf(1)
  root.only(
    'format',
    'version',
    'backend',
    'statement',
    'model',
    'image',
    'proof',
    'verifyingKey',
    'setup',
    'toolVersion',
  )
  const statement = root
    .get('statement')
    .only('modelId', 'seed', 'conditions', 'imageHash', 'context')
  const conditions = statement.find('conditions')?.hex()
  if (conditions?.length === 2)
    statement.get('conditions').fail('one byte or more; the field is absent where there are none')
  if (conditions !== undefined && conditions.length > 2 + 2 * MAX_CONDITION_BYTES)
    statement.get('conditions').fail(`at most ${MAX_CONDITION_BYTES} bytes`)
  const context = statement.get('context').only('chainId', 'contract', 'recipient')
  const model = root.get('model').only('name', 'latentDimensions')
  return {
    format: 'platemark-provenance',
    version: 1,
    backend: root.get('backend').text(),
    statement: {
      modelId: statement.get('modelId').hex(32),
      seed: statement.get('seed').decimal(SEED_LIMIT),
      ...(conditions === undefined ? {} : { conditions }),
      imageHash: statement.get('imageHash').hex(32),
      context: {
        chainId: context.get('chainId').decimal(SEED_LIMIT),
        contract: context.get('contract').hex(20),
        recipient: context.get('recipient').hex(20),
      },
    },
    model: {
      name: model.get('name').plain(),
      latentDimensions: model.get('latentDimensions').integer(1, MAX_LATENT),
    },
    image: parseImage(root.get('image')),
    proof: root.get('proof').hex(),
    verifyingKey: root.get('verifyingKey').value,
    setup: parseSetupRecord(root.get('setup')),
    toolVersion: root.get('toolVersion').plain(),
  }
}

function parseImage(image: Field): BundleImage {
  image.only(
    'file',
    'height',
    'width',
    'channels',
    'poseidon',
    'keccak256',
    'fileSha256',
    'fileCid',
  )
  const file = image.get('file')
  // A bundle from a stranger must not make `verify` open files elsewhere.
  if (!/^[^/\\\0]+$/.test(file.plain()) || file.text() === '.' || file.text() === '..')
    file.fail('a bare file name')
  const height = image.get('height').integer(1, 65_535)
  const width = image.get('width').integer(1, 65_535)
  const channels = image.get('channels').oneOf(1, 3, 4)
  if (height * width * channels > MAX_IMAGE_BYTES)
    image.get('height').fail(`an image of at most ${MAX_IMAGE_BYTES} bytes`)
  return {
    file: file.text(),
    height,
    width,
    channels,
    poseidon: image.get('poseidon').hex(32),
    keccak256: image.get('keccak256').hex(32),
    fileSha256: image.get('fileSha256').hex(32),
    fileCid: image.get('fileCid').plain(),
  }
}

/** Reads a bundle from a value, for tests and for programs that got it over a network. */
export function bundleFromJson(value: unknown, source = 'bundle'): Bundle {
  return parseBundle(field(value, source))
}
