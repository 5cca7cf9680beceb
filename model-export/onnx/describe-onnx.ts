import { readOnnx } from './read-onnx.js'

export type OnnxDescription = {
  readonly opset: number
  /** Name and version of the exporter; empty where the file does not say. */
  readonly producer: string
  readonly inputs: readonly OnnxPort[]
  readonly outputs: readonly OnnxPort[]
  /** How often each operator occurs, most frequent first. */
  readonly operators: Readonly<Record<string, number>>
  /** Number of elements of all initializers of real type. */
  readonly parameters: number
}

/** `shape` holds numbers, names of symbolic dimensions, and is empty where the file says nothing. */
export type OnnxPort = {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly (number | string)[]
}

/**
 * What is in an ONNX file, also where it holds operators that we do not support.
 *
 * @throws PlatemarkError if the file is broken or not ONNX
 * @example
 * describeOnnx(await readFile('model.onnx')).operators // { Gemm: 2, Relu: 1 }
 */
export function describeOnnx(bytes: Uint8Array): OnnxDescription {
  const graph = readOnnx(bytes)
  const counts = new Map<string, number>()
  for (const { domain, operator } of graph.nodes) {
    const name = domain === '' ? operator : `${domain}.${operator}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  let parameters = 0
  for (const { dtype, data } of graph.initializers.values()) {
    if (dtype.startsWith('float')) parameters += data.length
  }
  const port = ({ name, dtype, shape }: (typeof graph.inputs)[number]): OnnxPort => ({
    name,
    dtype,
    shape: shape ?? [],
  })
  return {
    opset: graph.opset,
    producer: graph.producer,
    inputs: graph.inputs.map(port),
    outputs: graph.outputs.map(port),
    operators: Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))),
    parameters,
  }
}
