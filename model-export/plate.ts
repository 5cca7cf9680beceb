import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import canonicalizeModule from 'canonicalize'
import type { Hex } from 'viem'
import { writeDirectoryAtomic } from './atomic-write.js'
import type { FidelityReport } from './fidelity.js'
import type { IntegerModel } from './integer-model.js'
import { readJsonFile } from './json-fields.js'
import { serializeModel, withoutWords } from './model-file.js'
import { parseModel } from './parse-model.js'
import { PlatemarkError } from './platemark-error.js'

/** A compiled model on disk: `directory` is the `.plate` folder, `model` its integer model. */
export type Plate = {
  readonly directory: string
  readonly model: IntegerModel
  readonly modelId: Hex
}

const MODEL_FILE = 'model.json'
const WEIGHTS_FILE = 'weights.bin'
const REPORT_FILE = 'report.json'

/** The package is CommonJS; its types say otherwise. */
const canonicalize = canonicalizeModule as unknown as (value: unknown) => string

const ids = new WeakMap<IntegerModel, Hex>()

/**
 * The identity of a model's arithmetic: keccak-256 of the RFC 8785 form of `model.json` without
 * `name`, `source`, the names of tensors and nodes and the descriptions of tables. The keccak-256 of
 * `weights.bin` is in it.
 *
 * @example
 * modelId(model) // '0x…', 32 bytes
 */
export function modelId(model: IntegerModel): Hex {
  const known = ids.get(model)
  if (known !== undefined) return known
  const text = canonicalize(withoutWords(serializeModel(model).json))
  const id: Hex = `0x${bytesToHex(keccak_256(utf8ToBytes(text)))}`
  ids.set(model, id)
  return id
}

/**
 * Writes a compiled model: `model.json`, `weights.bin` and `report.json`. A folder that is not there
 * or holds another compiled model appears, or is replaced, as a whole; an empty folder is filled.
 *
 * @throws {PlatemarkError} where the folder holds something else, or the file system refuses.
 * @example
 * await writePlate('sprites.plate', model, report)
 */
export async function writePlate(
  directory: string,
  model: IntegerModel,
  report: FidelityReport,
): Promise<void> {
  const { json, weights } = serializeModel(model)
  const fill = async (folder: string) => {
    await writeFile(join(folder, WEIGHTS_FILE), weights)
    await writeFile(join(folder, REPORT_FILE), formatJson(report))
    await writeFile(join(folder, MODEL_FILE), formatJson(json))
  }
  if (!existsSync(directory)) return writeDirectoryAtomic(directory, fill)
  const entries = await readdir(directory).catch(() => ['a file'])
  if (entries.length === 0) {
    await mkdir(directory, { recursive: true })
    return fill(directory)
  }
  if (entries.includes(MODEL_FILE)) return writeDirectoryAtomic(directory, fill)
  throw new PlatemarkError('The output folder holds something else.', {
    expected: 'a new or empty folder, or a compiled model to replace',
    found: `${directory} with ${entries.slice(0, 3).join(', ')}`,
    fix: 'Choose another folder.',
  })
}

/**
 * Reads a compiled model and checks everything about it but its claimed bounds (see `verifyBounds`).
 *
 * @throws {PlatemarkError} naming the file and the field that is wrong.
 * @example
 * const { model, modelId } = await readPlate('sprites.plate')
 */
export async function readPlate(directory: string): Promise<Plate> {
  const json = await readJsonFile(join(directory, MODEL_FILE), 'compiled model')
  const path = join(directory, WEIGHTS_FILE)
  const weights = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new PlatemarkError('The weights of the compiled model could not be read.', {
      expected: `a file at ${path}`,
      found: cause.code === 'ENOENT' ? 'no such file' : cause.message,
      fix: 'Copy the whole folder, or compile the model again.',
      cause,
    })
  })
  const model = parseModel(json, weights)
  return { directory, model, modelId: modelId(model) }
}

/** JSON for people: indented, lists of numbers on one line. */
function formatJson(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2)
  return `${text.replace(/\[[\s\d.,eE+-]*\]/g, (list) => list.replace(/\s+/g, ' '))}\n`
}
