import { readFileSync } from 'node:fs'
import { PlatemarkError } from '../model-export/platemark-error.js'

/** Far more than any input has. */
const MOST_NUMBERS = 2 ** 20

/** Numbers like 0.5,-1,2e-3; undefined for anything else. */
export function parseNumbers(text: string): readonly number[] | undefined {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  return numbers.every(Number.isFinite) ? numbers : undefined
}

/** Whether an option's value names a file. */
export function isNumberFile(text: string): boolean {
  return text.startsWith('@')
}

/**
 * The numbers of a file, in row-major order.
 *
 * @param reference - `@` and the path of a JSON file (a number or nested arrays) or of a NumPy file
 * @throws {PlatemarkError} naming the file, for anything that is neither.
 * @example
 * readNumbers('@style.npy')
 */
export function readNumbers(reference: string): readonly number[] {
  const path = reference.slice(1)
  const wrong = (found: string, cause?: unknown) =>
    new PlatemarkError('The file of numbers could not be read.', {
      expected: 'a .json file of a number or (nested) lists of numbers, or a NumPy .npy file',
      found: `${path}: ${found}`,
      ...(cause === undefined ? {} : { cause }),
    })
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message : String(cause), cause)
  }
  const numbers = path.endsWith('.npy') ? readNpy(bytes) : readJson(bytes)
  if (typeof numbers === 'string') throw wrong(numbers)
  if (numbers.length === 0 || numbers.length > MOST_NUMBERS)
    throw wrong(`${numbers.length} numbers`)
  if (!numbers.every(Number.isFinite)) throw wrong('numbers that are not finite')
  return numbers
}

/** The numbers, or what is wrong. */
function readJson(bytes: Buffer): readonly number[] | string {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    return 'no JSON'
  }
  const flat = [value].flat(32) as readonly unknown[]
  return flat.every((item) => typeof item === 'number')
    ? flat
    : 'JSON that holds other than numbers'
}

const NPY_TYPES: Readonly<
  Record<string, readonly [number, (view: DataView, at: number) => number]>
> = {
  '<f4': [4, (view, at) => view.getFloat32(at, true)],
  '<f8': [8, (view, at) => view.getFloat64(at, true)],
  '<i4': [4, (view, at) => view.getInt32(at, true)],
  '<i8': [8, (view, at) => Number(view.getBigInt64(at, true))],
  '|u1': [1, (view, at) => view.getUint8(at)],
}

/** NumPy's format, versions 1 to 3, C order; the numbers, or what is wrong. */
function readNpy(bytes: Buffer): readonly number[] | string {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 6) !== '\x93NUMPY') return 'no NumPy file'
  const wide = bytes[6]! > 1
  const start = wide ? 12 : 10
  const end = start + (wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8))
  const header = bytes.toString('latin1', start, Math.min(end, bytes.length))
  const type = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? ''
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1]
  if (shape === undefined || !/'fortran_order':\s*False/.test(header))
    return 'a NumPy file that is not in C order'
  const [width, read] = NPY_TYPES[type] ?? []
  if (width === undefined || read === undefined)
    return `element type ${type || 'unknown'} (known: ${Object.keys(NPY_TYPES).join(', ')})`
  const count = shape
    .split(',')
    .filter((size) => size.trim() !== '')
    .reduce((product, size) => product * Number(size), 1)
  if (count > MOST_NUMBERS || bytes.length !== end + width * count)
    return `${bytes.length - end} bytes of data for ${count} elements`
  const view = new DataView(bytes.buffer, bytes.byteOffset + end, width * count)
  return Array.from({ length: count }, (_, i) => read(view, i * width))
}
