import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import onnxProto, { type onnx } from 'onnx-proto'
import type { Constant } from '../../model-export/onnx/onnx-graph.js'
import { readTensor } from '../../model-export/onnx/read-tensor.js'

/** One test of the ONNX project: a model, its inputs and the outputs that are wanted. */
export type OnnxVector = {
  readonly name: string
  readonly model: onnx.IModelProto
  readonly opset: number
  /** In the order of the graph's inputs; encoded as they came. */
  readonly inputs: readonly onnx.ITensorProto[]
  readonly outputs: readonly Constant[]
}

/** Why a vector is not run: everything that is not about tensors of numbers. */
export class NotAVector extends Error {}

/**
 * Reads a folder of `onnx/backend/test/data/node`.
 *
 * @throws {NotAVector} where something is no tensor of numbers.
 */
export function readVector(folder: string): OnnxVector {
  const { ModelProto } = onnxProto.onnx
  const model: onnx.IModelProto = ModelProto.decode(readFileSync(join(folder, 'model.onnx')))
  const imports = model.opsetImport ?? []
  if (imports.some(({ domain }) => domain !== undefined && domain !== null && domain !== ''))
    if (!imports.some(({ domain }) => (domain ?? '') === ''))
      throw new NotAVector('another domain than that of ONNX')
  const entry = imports.find(({ domain }) => (domain ?? '') === '')
  const graph = model.graph
  if (entry === undefined || graph === null || graph === undefined)
    throw new NotAVector('no opset of the ONNX operators')
  const values = [...(graph.input ?? []), ...(graph.output ?? [])]
  if (values.some(({ type }) => type?.tensorType === null || type?.tensorType === undefined))
    throw new NotAVector('sequences, optionals or maps')
  const data = join(folder, 'test_data_set_0')
  return {
    name: basename(folder).replace(/^test_/, ''),
    model,
    opset: Number(entry.version),
    inputs: tensors(data, 'input'),
    outputs: tensors(data, 'output').map((tensor) => {
      try {
        return readTensor(tensor, 'output')
      } catch {
        throw new NotAVector('element types that are not read (strings, small floats, …)')
      }
    }),
  }
}

function tensors(folder: string, what: 'input' | 'output'): readonly onnx.ITensorProto[] {
  const count = readdirSync(folder).filter((name) => name.startsWith(`${what}_`)).length
  return Array.from({ length: count }, (_, i) =>
    onnxProto.onnx.TensorProto.decode(readFileSync(join(folder, `${what}_${i}.pb`))),
  )
}
