import type { onnx } from 'onnx-proto'
import { PlatemarkError } from '../platemark-error.js'
import { elementCount } from '../tensor-index.js'
import { halfToNumber } from './half-precision.js'
import type { Constant, Dtype } from './onnx-graph.js'

/** Numbers of TensorProto.DataType that we read. */
const dtypes: ReadonlyMap<number, Dtype> = new Map([
  [1, 'float32'],
  [2, 'uint8'],
  [3, 'int8'],
  [4, 'uint16'],
  [5, 'int16'],
  [6, 'int32'],
  [7, 'int64'],
  [9, 'bool'],
  [10, 'float16'],
  [11, 'float64'],
  [12, 'uint32'],
  [13, 'uint64'],
  [16, 'bfloat16'],
])

const unsupportedNames: ReadonlyMap<number, string> = new Map([
  [8, 'string'],
  [14, 'complex64'],
  [15, 'complex128'],
  [17, 'float8e4m3fn'],
  [18, 'float8e4m3fnuz'],
  [19, 'float8e5m2'],
  [20, 'float8e5m2fnuz'],
  [21, 'uint4'],
  [22, 'int4'],
  [23, 'float4e2m1'],
])

/** The element type of this number in ONNX, or undefined for the ones we do not read. */
export function dtypeOf(code: number): Dtype | undefined {
  return dtypes.get(code)
}

/** The name of an element type for messages, also where we do not read it. */
export function dtypeName(code: number): string {
  return dtypes.get(code) ?? unsupportedNames.get(code) ?? `type ${code}`
}

/** The element types that we read, for messages. */
export const supportedDtypes: string = [...dtypes.values()].join(', ')

/**
 * A 64-bit integer of protobufjs, which is a number or a `Long`, as a double.
 */
export function toNumber(value: unknown): number {
  if (typeof value === 'number') return value
  const { low, high, unsigned } = value as { low: number; high: number; unsigned: boolean }
  return (unsigned ? high >>> 0 : high) * 2 ** 32 + (low >>> 0)
}

/** The upper 16 bits of single precision. */
function bfloatToNumber(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!
}

/**
 * Reads one tensor of the file, raw or typed.
 *
 * @param proto - the decoded message
 * @param label - how messages call the tensor
 * @throws PlatemarkError for element types that we do not read, external data, and data whose length
 * does not fit the shape
 */
export function readTensor(proto: onnx.ITensorProto, label: string): Constant {
  const code = proto.dataType ?? 0
  const dtype = dtypes.get(code)
  if (dtype === undefined) {
    throw new PlatemarkError(`${label} has an element type that is not supported.`, {
      expected: supportedDtypes,
      found: dtypeName(code),
    })
  }
  if (proto.dataLocation === 1 || (proto.externalData?.length ?? 0) > 0) {
    throw new PlatemarkError(`${label} keeps its data in another file.`, {
      expected: 'an ONNX file that holds its weights',
      found: 'external data',
      fix: 'Read the file with readOnnxFile, or save the model in one (in Python: onnx.save(onnx.load(path), path, save_as_external_data=False)).',
    })
  }
  const shape = (proto.dims ?? []).map(toNumber)
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    throw new PlatemarkError(`${label} has a bad shape.`, {
      expected: 'sizes of at least 0',
      found: shape.join('×'),
    })
  }
  const count = elementCount(shape)
  const data =
    (proto.rawData?.length ?? 0) > 0
      ? readRaw(proto.rawData as Uint8Array, dtype, count, label)
      : readTyped(proto, dtype, count, label)
  return { kind: 'constant', dtype, shape, data }
}

function wrongLength(label: string, expected: number, found: number, unit: string): PlatemarkError {
  return new PlatemarkError(`${label} has data of the wrong length.`, {
    expected: `${expected} ${unit}`,
    found: `${found} ${unit}`,
    fix: 'The file is damaged: export or download it again.',
  })
}

const bytesOf: Readonly<Record<Dtype, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  bool: 1,
}

/** Raw data is little-endian, whatever the machine. The length is checked before anything is allocated. */
function readRaw(bytes: Uint8Array, dtype: Dtype, count: number, label: string): Float64Array {
  const width = bytesOf[dtype]
  if (bytes.length !== count * width) throw wrongLength(label, count * width, bytes.length, 'bytes')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const readers: Readonly<Record<Dtype, (at: number) => number>> = {
    float32: (at) => view.getFloat32(at, true),
    float64: (at) => view.getFloat64(at, true),
    float16: (at) => halfToNumber(view.getUint16(at, true)),
    int8: (at) => view.getInt8(at),
    uint8: (at) => view.getUint8(at),
    bfloat16: (at) => bfloatToNumber(view.getUint16(at, true)),
    int16: (at) => view.getInt16(at, true),
    uint16: (at) => view.getUint16(at, true),
    int32: (at) => view.getInt32(at, true),
    uint32: (at) => view.getUint32(at, true),
    int64: (at) => view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true),
    uint64: (at) => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true),
    bool: (at) => (view.getUint8(at) === 0 ? 0 : 1),
  }
  const read = readers[dtype]
  const data = new Float64Array(count)
  for (let i = 0; i < count; i++) data[i] = read(i * width)
  return data
}

function readTyped(
  proto: onnx.ITensorProto,
  dtype: Dtype,
  count: number,
  label: string,
): Float64Array {
  const values: readonly unknown[] =
    (dtype === 'float32'
      ? proto.floatData
      : dtype === 'float64'
        ? proto.doubleData
        : dtype === 'int64'
          ? proto.int64Data
          : dtype === 'uint32' || dtype === 'uint64'
            ? proto.uint64Data
            : proto.int32Data) ?? []
  if (values.length !== count) throw wrongLength(label, count, values.length, 'elements')
  const data = Float64Array.from(values, toNumber)
  if (dtype === 'float16') return data.map((bits) => halfToNumber(bits & 0xffff))
  if (dtype === 'bfloat16') return data.map((bits) => bfloatToNumber(bits & 0xffff))
  return dtype === 'bool' ? data.map((value) => (value === 0 ? 0 : 1)) : data
}
