import onnxProto, { type onnx } from 'onnx-proto'
import { PlatemarkError } from '../platemark-error.js'
import type {
  Constant,
  OnnxAttribute,
  OnnxGraph,
  OnnxNode,
  OnnxSubgraph,
  OnnxValueInfo,
} from './onnx-graph.js'
import { dtypeName, readTensor, toNumber } from './read-tensor.js'

/** The versions of the ONNX operator set that we read. */
export const opsets = { first: 9, last: 26 } as const

const reExport =
  'Export again, in PyTorch: torch.onnx.export(model, latent, path, opset_version=17, dynamo=False).'

/**
 * Decodes an ONNX file. Nothing is trusted: sizes are compared with the data that is there before
 * anything is allocated, and a broken file is one `PlatemarkError`.
 *
 * @param bytes - the file
 * @throws PlatemarkError if the file is broken, not ONNX, of another opset, or holds tensors that we
 * do not read (see `readTensor`)
 * @example
 * const graph = readOnnx(await readFile('model.onnx'))
 */
export function readOnnx(bytes: Uint8Array): OnnxGraph {
  const model = decodeOnnx(bytes)
  const graph = model.graph
  if (graph === null || graph === undefined || (graph.node ?? []).length === 0) {
    throw notOnnx(bytes, 'a file without a graph')
  }
  const opset = readOpset(model)
  const initializers = readInitializers(graph)
  if ((graph.sparseInitializer ?? []).length > 0) {
    throw new PlatemarkError('The model has sparse initializers, which are not supported.', {
      expected: 'dense weights',
      fix: reExport,
    })
  }
  const inputs = (graph.input ?? [])
    .map(readValueInfo)
    .filter(({ name }) => !initializers.has(name))
  return {
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(' '),
    opset,
    inputs,
    outputs: (graph.output ?? []).map(readValueInfo),
    initializers,
    nodes: (graph.node ?? []).map((node) => readNode(node)),
  }
}

function notOnnx(bytes: Uint8Array, found: string, cause?: unknown): PlatemarkError {
  return new PlatemarkError('This is not a readable ONNX file.', {
    expected: 'an ONNX model (protobuf)',
    found: bytes.length === 0 ? 'an empty file' : `${found} (${bytes.length} bytes)`,
    fix: 'Check that the file is complete; export or download it again.',
    cause,
  })
}

/** The message in a file, nothing checked. @throws PlatemarkError if there is none */
export function decodeOnnx(bytes: Uint8Array): onnx.ModelProto {
  try {
    return onnxProto.onnx.ModelProto.decode(bytes)
  } catch (cause) {
    // protobufjs throws RangeError at a truncated field, Error at a bad wire type, and overflows the
    // stack on hostile nesting: to the user all of it is the same broken file.
    throw notOnnx(bytes, 'a broken or truncated file', cause)
  }
}

function readOpset(model: onnx.ModelProto): number {
  const entry = (model.opsetImport ?? []).find(({ domain }) => isOnnxDomain(domain ?? ''))
  const opset = entry === undefined ? undefined : toNumber(entry.version ?? 0)
  if (opset === undefined || opset < opsets.first || opset > opsets.last) {
    throw new PlatemarkError('The opset of the model is not supported.', {
      expected: `opset ${opsets.first} to ${opsets.last}`,
      found: opset === undefined ? 'no opset of the ONNX operators' : `opset ${opset}`,
      fix: reExport,
    })
  }
  return opset
}

function isOnnxDomain(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx'
}

function readValueInfo(info: onnx.IValueInfoProto): OnnxValueInfo {
  const type = info.type?.tensorType
  const name = info.name ?? ''
  if (type === null || type === undefined) return { name, dtype: 'not a tensor' }
  const dtype = dtypeName(type.elemType ?? 0)
  if (type.shape === null || type.shape === undefined) return { name, dtype }
  const shape = (type.shape.dim ?? []).map((dim) => {
    if (typeof dim.dimParam === 'string' && dim.dimParam !== '') return dim.dimParam
    const size = toNumber(dim.dimValue ?? 0)
    // Exporters write 0 or −1 where they mean "any".
    return size > 0 ? size : '?'
  })
  return { name, dtype, shape }
}

/** Graphs in graphs: a hostile file ends here. */
const DEEPEST = 8

function readSubgraph(graph: onnx.IGraphProto, label: string, depth: number): OnnxSubgraph {
  if (depth > DEEPEST) {
    throw new PlatemarkError(`${label} is too deep.`, {
      expected: `graphs at most ${DEEPEST} deep`,
      found: 'more',
    })
  }
  return {
    initializers: readInitializers(graph),
    nodes: (graph.node ?? []).map((node) => readNode(node, depth)),
    outputs: (graph.output ?? []).map(({ name }) => name ?? ''),
  }
}

function readInitializers(graph: onnx.IGraphProto): ReadonlyMap<string, Constant> {
  const initializers = new Map<string, Constant>()
  for (const tensor of graph.initializer ?? []) {
    const name = tensor.name ?? ''
    initializers.set(name, readTensor(tensor, `Initializer "${name}"`))
  }
  return initializers
}

function readNode(proto: onnx.INodeProto, depth = 0): OnnxNode {
  const operator = proto.opType ?? ''
  const outputs = [...(proto.output ?? [])]
  const name = proto.name ?? ''
  const domain = proto.domain ?? ''
  const label = `Node "${name || outputs[0] || '?'}" (${operator})`
  const attributes = new Map<string, OnnxAttribute>()
  for (const attribute of proto.attribute ?? []) {
    const key = attribute.name ?? ''
    attributes.set(key, readAttribute(attribute, `${label}, attribute "${key}"`, depth))
  }
  return {
    name,
    operator,
    domain: isOnnxDomain(domain) ? '' : domain,
    inputs: [...(proto.input ?? [])],
    outputs,
    attributes,
  }
}

/** Numbers of AttributeProto.AttributeType. */
function readAttribute(proto: onnx.IAttributeProto, label: string, depth: number): OnnxAttribute {
  switch (proto.type as number | null | undefined) {
    case 1:
      return { type: 'float', value: proto.f ?? 0 }
    case 2:
      return { type: 'int', value: toNumber(proto.i ?? 0) }
    case 3:
      return { type: 'string', value: new TextDecoder().decode(proto.s ?? new Uint8Array()) }
    case 4:
      return { type: 'tensor', value: readTensor(proto.t ?? {}, label) }
    case 5:
      return { type: 'graph', value: readSubgraph(proto.g ?? {}, label, depth + 1) }
    case 6:
      return { type: 'floats', value: [...(proto.floats ?? [])] }
    case 7:
      return { type: 'ints', value: (proto.ints ?? []).map(toNumber) }
    default:
      return { type: 'other', value: `attribute type ${proto.type ?? 0}` }
  }
}
