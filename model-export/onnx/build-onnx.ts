import onnxProto, { type onnx } from 'onnx-proto'

/** Element types that `buildOnnx` writes, with their numbers in TensorProto.DataType. */
const codes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
} as const

/** A constant of a model to be built. `float16` takes the 16 bits of each element as an integer. */
export type TensorSpec = {
  readonly dtype?: keyof typeof codes
  readonly shape: readonly number[]
  readonly data: ArrayLike<number>
  /** Write the typed fields instead of `raw_data`. */
  readonly typed?: boolean
}

export type AttributeSpec =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly tensor: TensorSpec }

export type NodeSpec = {
  readonly operator: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly name?: string
  readonly domain?: string
  readonly attributes?: Readonly<Record<string, AttributeSpec>>
}

export type OnnxSpec = {
  readonly opset?: number
  /** Shapes of the inputs; a string is a symbolic dimension. */
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>
  /** Element types of inputs that are not float32. */
  readonly inputTypes?: Readonly<Record<string, keyof typeof codes>>
  /** Names of the outputs, or their shapes by name. */
  readonly outputs: readonly string[] | Readonly<Record<string, readonly (number | string)[]>>
  readonly initializers?: Readonly<Record<string, TensorSpec>>
  readonly nodes: readonly NodeSpec[]
}

/**
 * Writes a small ONNX model: what tests use instead of Python.
 *
 * @param spec - inputs are float32 where it does not say otherwise
 * @returns the file
 * @example
 * buildOnnx({
 *   inputs: { z: ['batch', 2] },
 *   outputs: ['y'],
 *   initializers: { w: { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] } },
 *   nodes: [
 *     { operator: 'MatMul', inputs: ['z', 'w'], outputs: ['h'] },
 *     { operator: 'LeakyRelu', inputs: ['h'], outputs: ['y'], attributes: { alpha: { float: 0.1 } } },
 *   ],
 * })
 */
export function buildOnnx(spec: OnnxSpec): Uint8Array {
  const outputs: readonly onnx.IValueInfoProto[] = Array.isArray(spec.outputs)
    ? (spec.outputs as readonly string[]).map((name) => ({
        name,
        type: { tensorType: { elemType: 1 } },
      }))
    : Object.entries(spec.outputs as Readonly<Record<string, readonly (number | string)[]>>).map(
        (entry) => valueInfo(entry),
      )
  const { ModelProto } = onnxProto.onnx
  const model: onnx.IModelProto = {
    irVersion: 7,
    producerName: 'platemark-test',
    opsetImport: [{ domain: '', version: spec.opset ?? 17 }],
    graph: {
      name: 'graph',
      input: Object.entries(spec.inputs).map(([name, shape]) =>
        valueInfo([name, shape], codes[spec.inputTypes?.[name] ?? 'float32']),
      ),
      output: [...outputs],
      initializer: Object.entries(spec.initializers ?? {}).map(([name, tensor]) => ({
        ...tensorProto(tensor),
        name,
      })),
      node: spec.nodes.map((node) => ({
        name: node.name ?? `${node.operator}_${node.outputs[0]}`,
        opType: node.operator,
        domain: node.domain ?? '',
        input: [...node.inputs],
        output: [...node.outputs],
        attribute: Object.entries(node.attributes ?? {}).map(attributeProto),
      })),
    },
  }
  return Uint8Array.from(ModelProto.encode(model).finish())
}

function valueInfo(
  [name, shape]: readonly [string, readonly (number | string)[]],
  elemType = 1,
): onnx.IValueInfoProto {
  const dim = shape.map((size) =>
    typeof size === 'string' ? { dimParam: size } : { dimValue: size },
  )
  return { name, type: { tensorType: { elemType, shape: { dim } } } }
}

function attributeProto([name, spec]: readonly [string, AttributeSpec]): onnx.IAttributeProto {
  if ('int' in spec) return { name, type: 2, i: spec.int }
  if ('float' in spec) return { name, type: 1, f: spec.float }
  if ('string' in spec) return { name, type: 3, s: new TextEncoder().encode(spec.string) }
  if ('ints' in spec) return { name, type: 7, ints: [...spec.ints] }
  if ('floats' in spec) return { name, type: 6, floats: [...spec.floats] }
  return { name, type: 4, t: tensorProto(spec.tensor) }
}

function tensorProto(spec: TensorSpec): onnx.ITensorProto {
  const dtype = spec.dtype ?? 'float32'
  const values = Array.from(spec.data)
  const proto = { dims: [...spec.shape], dataType: codes[dtype] }
  if (spec.typed !== true) return { ...proto, rawData: rawBytes(dtype, values) }
  if (dtype === 'float32') return { ...proto, floatData: values }
  if (dtype === 'float64') return { ...proto, doubleData: values }
  return dtype === 'int64' ? { ...proto, int64Data: values } : { ...proto, int32Data: values }
}

/** Little-endian, as ONNX wants it; typed arrays are so on every machine that Node runs on. */
function rawBytes(dtype: keyof typeof codes, values: readonly number[]): Uint8Array {
  const array =
    dtype === 'float32'
      ? Float32Array.from(values)
      : dtype === 'float64'
        ? Float64Array.from(values)
        : dtype === 'int64'
          ? BigInt64Array.from(values, BigInt)
          : dtype === 'int32'
            ? Int32Array.from(values)
            : dtype === 'float16'
              ? Uint16Array.from(values)
              : Uint8Array.from(values, (value) => value & 0xff)
  return new Uint8Array(array.buffer)
}
