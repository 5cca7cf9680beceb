import { type FileHandle, open, readFile, realpath } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import onnxProto, { type onnx } from 'onnx-proto'
import { PlatemarkError } from '../platemark-error.js'
import { decodeOnnx } from './read-onnx.js'

/** What protobuf allows for one file. */
const LARGEST_FILE = 2 ** 31

/**
 * Reads an ONNX file, with the weights that it keeps in files beside it put inside: PyTorch's exporter writes
 * `model.onnx.data` unless it is told not to. A file that holds its weights comes back as it is.
 *
 * @param expected - for the message where there is no such file
 * @returns the model as one file: what is hashed, lowered and run by onnxruntime
 * @throws {PlatemarkError} where a file is missing, too short, or not in the folder of the model or below.
 * @example
 * const model = lowerOnnx(await readOnnxFile('model.onnx'), 'model')
 */
export async function readOnnxFile(path: string, expected = 'an ONNX file'): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new PlatemarkError('The model could not be read.', {
      expected,
      found: cause.message,
      cause,
    })
  })
  const model = decodeOnnx(bytes)
  const outside = tensorsOf(model.graph ?? {}).filter(isExternal)
  if (outside.length === 0) return bytes
  const folder = dirname(await realpath(path))
  const files = new Map<string, FileHandle>()
  let total = bytes.length
  try {
    for (const tensor of outside) {
      const { location, offset, length } = placeOf(tensor)
      const file = files.get(location) ?? (await openBeside(folder, location, tensor))
      files.set(location, file)
      const { size } = await file.stat()
      const count = length ?? size - offset
      if (!(count >= 0 && offset + count <= size))
        throw wrong(tensor, `${offset + count} bytes in "${location}"`, `${size}`)
      total += count
      if (total > LARGEST_FILE)
        throw wrong(tensor, `at most ${LARGEST_FILE} bytes in all`, `${total} and more`)
      const data = new Uint8Array(count)
      const { bytesRead } = await file.read(data, 0, count, offset)
      if (bytesRead !== count) throw wrong(tensor, `${count} bytes`, `${bytesRead}`)
      tensor.rawData = data
      tensor.dataLocation = 0
      tensor.externalData = []
    }
  } finally {
    for (const file of files.values()) await file.close()
  }
  return Uint8Array.from(onnxProto.onnx.ModelProto.encode(model).finish())
}

/** The constants of a graph and of the graphs in it. */
function tensorsOf(graph: onnx.IGraphProto): onnx.ITensorProto[] {
  const attributes = (graph.node ?? []).flatMap(({ attribute }) => attribute ?? [])
  return [
    ...(graph.initializer ?? []),
    ...attributes.flatMap(({ t, g }) => [...(t ? [t] : []), ...(g ? tensorsOf(g) : [])]),
  ]
}

/** Number of EXTERNAL in TensorProto.DataLocation. */
const EXTERNAL = 1

function isExternal({ dataLocation }: onnx.ITensorProto): boolean {
  return dataLocation === EXTERNAL
}

function placeOf(tensor: onnx.ITensorProto) {
  const entries = new Map((tensor.externalData ?? []).map(({ key, value }) => [key, value ?? '']))
  const number = (key: string, missing: number | undefined) => {
    const text = entries.get(key)
    const value = text === undefined ? missing : Number(text)
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
      throw wrong(tensor, `a whole number as "${key}"`, JSON.stringify(text))
    return value
  }
  const location = entries.get('location') ?? ''
  return { location, offset: number('offset', 0)!, length: number('length', undefined) }
}

/** Only in the model's own folder: another file of the machine is none of its weights. */
async function openBeside(
  folder: string,
  location: string,
  tensor: onnx.ITensorProto,
): Promise<FileHandle> {
  const path = await realpath(resolve(folder, location)).catch(
    (cause: NodeJS.ErrnoException): never => {
      throw wrong(tensor, `"${location}" beside the model`, cause.message, cause)
    },
  )
  const below = relative(folder, path)
  if (isAbsolute(location) || isAbsolute(below) || below.split(sep)[0] === '..' || below === '')
    throw wrong(tensor, 'a file in the folder of the model or below', `"${location}"`)
  return open(path)
}

function wrong(
  { name }: onnx.ITensorProto,
  expected: string,
  found: string,
  cause?: unknown,
): PlatemarkError {
  return new PlatemarkError(`The weights "${name ?? ''}" cannot be read from their file.`, {
    expected,
    found,
    fix: 'Keep the files of the model together as they were exported, or save it in one file (in Python: onnx.save(onnx.load(path), path, save_as_external_data=False)).',
    cause,
  })
}
