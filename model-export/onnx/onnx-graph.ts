/** The element types that we read. `bool` only lives inside shape arithmetic. */
export type Dtype =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'

/**
 * A tensor whose values are known while lowering. All element types are held as doubles, which is
 * exact for everything but int64 beyond 2^53: there it only ever means "to the end" (`Slice`).
 */
export type Constant = {
  readonly kind: 'constant'
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly data: Float64Array
}

export type OnnxAttribute =
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'ints'; readonly value: readonly number[] }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'tensor'; readonly value: Constant }
  /** A branch of `If`. */
  | { readonly type: 'graph'; readonly value: OnnxSubgraph }
  /** Strings, sparse tensors: no operator that we support has them. */
  | { readonly type: 'other'; readonly value: string }

/** A graph inside a node: it has no inputs and reads the tensors around it by their names. */
export type OnnxSubgraph = Pick<OnnxGraph, 'initializers' | 'nodes'> & {
  readonly outputs: readonly string[]
}

export type OnnxNode = {
  readonly name: string
  readonly operator: string
  /** Empty for the operators of ONNX itself. */
  readonly domain: string
  /** The empty name stands for an optional input that is left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, OnnxAttribute>
}

/** A graph input or output. `shape` holds numbers and names of symbolic dimensions ('?' if nameless). */
export type OnnxValueInfo = {
  readonly name: string
  readonly dtype: string
  /** Absent where the file does not say. */
  readonly shape?: readonly (number | string)[]
}

export type OnnxGraph = {
  readonly producer: string
  readonly opset: number
  /** Without the initializers, which old files list as inputs. */
  readonly inputs: readonly OnnxValueInfo[]
  readonly outputs: readonly OnnxValueInfo[]
  readonly initializers: ReadonlyMap<string, Constant>
  readonly nodes: readonly OnnxNode[]
}

/** True for element types that hold whole numbers. */
export function isInteger(dtype: Dtype): boolean {
  return dtype.startsWith('int') || dtype.startsWith('uint')
}

/** True for element types that hold real numbers. */
export function isFloat(dtype: Dtype): boolean {
  return dtype.startsWith('float') || dtype === 'bfloat16'
}

/** An integer vector as a constant: what shape arithmetic passes around. */
export function integers(values: readonly number[]): Constant {
  return {
    kind: 'constant',
    dtype: 'int64',
    shape: [values.length],
    data: Float64Array.from(values),
  }
}

/** What a node reads, branches inside it included. */
export function reads(node: OnnxNode): readonly string[] {
  const branches = [...node.attributes.values()].flatMap((attribute) =>
    attribute.type === 'graph' ? [attribute.value] : [],
  )
  const inside = branches.flatMap(({ nodes, outputs }) => [...nodes.flatMap(reads), ...outputs])
  return [...node.inputs, ...inside]
}
