import onnxProto, { type onnx } from 'onnx-proto'
import { readTensor } from '../../model-export/onnx/read-tensor.js'
import { elementCount } from '../../model-export/tensor-index.js'
import type { OnnxVector } from './read-vector.js'

/** A vector as a generator: a model of one latent and one output, and the latent that makes the output. */
export type WrappedVector = {
  /** Which inputs depend on the latent; none: everything is folded. */
  readonly inputs: readonly number[]
  readonly onnx: Uint8Array
  readonly latent: Float64Array
}

/** Operators kept their meaning from opset 7 on where a vector of theirs is of so old an opset. */
const OLDEST_OPSET = 9

const MOST_WAYS = 8

const FLOATS: readonly number[] = [1, 10, 11]
const FLOAT32 = 1
const INT64 = 7

const BYTES: readonly number[] = [2, 3]

/** Operators whose first input is a tensor of small integers, which we hold as whole reals. */
const OF_BYTES: readonly string[] = [
  'ConvInteger',
  'DequantizeLinear',
  'MatMulInteger',
  'QLinearConv',
  'QLinearMatMul',
]

/** The sets of inputs that may depend on the latent: each real one alone, all together, none. Of many, the first alone. */
export function waysToRun(vector: OnnxVector): readonly (readonly number[])[] {
  const ofBytes = vector.model.graph?.node?.every(({ opType }) => OF_BYTES.includes(opType ?? ''))
  const real = vector.inputs.flatMap((tensor, i) => {
    const type = tensor.dataType ?? 0
    const isReal = FLOATS.includes(type) && !ofBytes
    const isBytes = ofBytes === true && i === 0 && BYTES.includes(type)
    return (isReal || isBytes) && count(tensor) > 0 ? [i] : []
  })
  const alone = real.map((i) => [i])
  // An attention with a past has seven inputs and four outputs.
  const some = real.length * vector.outputs.length > MOST_WAYS ? alone.slice(0, 1) : alone
  return [...some, ...(real.length > 1 ? [real] : []), []]
}

/**
 * Makes the inputs of `active` parts of one latent, the others initializers, and one output the only one.
 * With none, the output is folded and then added to a latent of one number, which is 0.
 */
export function wrapVector(
  { model, opset, inputs }: OnnxVector,
  active: readonly number[],
  output: number,
): WrappedVector {
  const graph = model.graph!
  const declared = graph.input ?? []
  const wanted = (graph.output ?? [])[output]?.name ?? ''
  const initializer: onnx.ITensorProto[] = [...(graph.initializer ?? [])]
  const before: onnx.INodeProto[] = []
  const latent: number[] = []
  inputs.forEach((tensor, i) => {
    const name = declared[i]?.name ?? ''
    if (!active.includes(i)) {
      initializer.push({ ...tensor, name })
      return
    }
    const values = readTensor(tensor, name).data
    const places = Array.from(values, (_, at) => latent.length + at)
    latent.push(...values)
    initializer.push(
      integers(`${name}:places`, [places.length], places),
      integers(`${name}:shape`, [tensor.dims?.length ?? 0], (tensor.dims ?? []).map(Number)),
    )
    before.push(
      node('Gather', [LATENT, `${name}:places`], `${name}:flat`, 1),
      node('Reshape', [`${name}:flat`, `${name}:shape`], name),
    )
  })
  const after: onnx.INodeProto[] = []
  let result = wanted
  if (active.length === 0) {
    latent.push(0)
    after.push(
      { ...node('Cast', [wanted], `${wanted}:real`), attribute: [attribute('to', FLOAT32)] },
      node('Add', [`${wanted}:real`, LATENT], `${wanted}:sum`),
    )
    result = `${wanted}:sum`
  }
  const shape = { dim: [{ dimValue: 1 }, { dimValue: latent.length }] }
  const others = (model.opsetImport ?? []).filter(({ domain }) => (domain ?? '') !== '')
  const wrapped: onnx.IModelProto = {
    ...model,
    opsetImport: [{ domain: '', version: Math.max(opset, OLDEST_OPSET) }, ...others],
    graph: {
      ...graph,
      input: [{ name: LATENT, type: { tensorType: { elemType: FLOAT32, shape } } }],
      output: [{ name: result, type: { tensorType: { elemType: FLOAT32 } } }],
      initializer,
      node: [...before, ...(graph.node ?? []), ...after],
    },
  }
  return {
    inputs: active,
    onnx: onnxProto.onnx.ModelProto.encode(wrapped).finish(),
    latent: Float64Array.from(latent),
  }
}

const LATENT = 'platemark:latent'

function node(
  opType: string,
  input: readonly string[],
  output: string,
  axis?: number,
): onnx.INodeProto {
  return {
    name: output,
    opType,
    input: [...input],
    output: [output],
    attribute: axis === undefined ? [] : [attribute('axis', axis)],
  }
}

function attribute(name: string, value: number): onnx.IAttributeProto {
  return { name, type: 2, i: value }
}

function integers(
  name: string,
  shape: readonly number[],
  values: readonly number[],
): onnx.ITensorProto {
  const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
  return { name, dataType: INT64, dims: [...shape], rawData }
}

function count(tensor: onnx.ITensorProto): number {
  return elementCount((tensor.dims ?? []).map(Number))
}
