import type { FloatModel } from './float-model.js'
import type { InputOptions } from './input-choice.js'
import { fuse } from './lowering/fuse.js'
import { type LoweredGraph, lowerResolved } from './lowering/lower-graph.js'
import { readOnnx } from './onnx/read-onnx.js'
import { unrollGraph } from './onnx/unroll-graph.js'

export { listSupportedOperators } from './lowering/operators.js'

/**
 * Reads an ONNX generator and lowers it to the few node kinds that everything downstream knows.
 *
 * @param bytes - the ONNX file, opset 9 to 26
 * @param name - of the model, for messages and reports
 * @param options - what the inputs are, where that cannot be seen
 * @returns linear maps with their elementwise activations, and transposes; `output.shape` is the
 * output's shape in ONNX, batch of 1 included
 * @throws PlatemarkError if the file is broken, or for the first operator, element type or dynamic
 * shape that is not supported, naming its node
 * @example
 * const model = lowerOnnx(await readFile('model.onnx'), 'model')
 */
export function lowerOnnx(bytes: Uint8Array, name: string, options: InputOptions = {}): FloatModel {
  return lowerWithInputs(bytes, name, options).model
}

/** As `lowerOnnx`, for who also runs the ONNX file. */
export function lowerWithInputs(
  bytes: Uint8Array,
  name: string,
  { inputs = new Map(), loop }: InputOptions,
): LoweredGraph {
  const graph = readOnnx(bytes)
  const whole = loop === undefined ? { graph, inputs } : unrollGraph(graph, loop, inputs)
  const lowered = lowerResolved(whole.graph, name, whole.inputs)
  return { ...lowered, model: fuse(lowered.model) }
}
