import { executeFloat } from '../execute-float.js'
import type { FloatModel } from '../float-model.js'
import { buildOnnx, type OnnxSpec } from '../onnx/build-onnx.js'
import { readOnnx } from '../onnx/read-onnx.js'
import { runOnnxruntime } from '../onnx/run-onnxruntime.js'
import { elementCount } from '../tensor-index.js'
import { checkFloatModel } from './check-float-model.js'
import { fuse } from './fuse.js'
import { lowerGraph } from './lower-graph.js'

/** A test's model, lowered, and how far it is from onnxruntime. */
export type Comparison = {
  readonly plain: FloatModel
  readonly fused: FloatModel
  /** Worst error of either, relative to the largest value (at least 1). */
  readonly error: number
}

/** Pseudorandom values in (−1, 1), for tests: the same every time. */
export function noise(count: number, seed = 1): Float32Array {
  let state = seed * 2654435761 + 12345
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

/** Builds, lowers, fuses and runs a small model of one input, and runs onnxruntime on the same. */
export async function againstOnnxruntime(spec: OnnxSpec, seed = 7): Promise<Comparison> {
  const bytes = buildOnnx(spec)
  const plain = lowerGraph(readOnnx(bytes), 'test')
  const fused = fuse(plain)
  checkFloatModel(plain)
  checkFloatModel(fused)
  const input = Float64Array.from(noise(elementCount(plain.input.shape), seed))
  const [expected] = await runOnnxruntime(bytes, [input], plain.input.shape)
  const largest = expected!.reduce((max, value) => Math.max(max, Math.abs(value)), 1)
  let error = 0
  for (const model of [plain, fused]) {
    const actual = executeFloat(model, input).get(model.output.name)!
    if (actual.length !== expected!.length) return { plain, fused, error: Infinity }
    actual.forEach((value, i) => {
      const difference = Math.abs(value - expected![i]!) / largest
      if (!(difference <= error)) error = difference
    })
  }
  return { plain, fused, error }
}
