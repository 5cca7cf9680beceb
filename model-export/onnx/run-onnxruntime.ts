import { InferenceSession, Tensor } from 'onnxruntime-node'

/**
 * Runs a model of one input and one output with onnxruntime on the CPU: what tests and fidelity
 * reports compare with. Never hashed, never proven.
 *
 * @param bytes - the ONNX file, float32 input
 * @param inputs - latents, row-major
 * @param shape - of each latent, the batch of 1 included
 * @returns the output for each latent
 */
export async function runOnnxruntime(
  bytes: Uint8Array,
  inputs: readonly Float64Array[],
  shape: readonly number[],
): Promise<readonly Float64Array[]> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 })
  try {
    const outputs: Float64Array[] = []
    for (const input of inputs) {
      const tensor = new Tensor('float32', Float32Array.from(input), [...shape])
      const result = await session.run({ [session.inputNames[0]!]: tensor })
      outputs.push(Float64Array.from(result[session.outputNames[0]!]!.data as Float32Array))
    }
    return outputs
  } finally {
    await session.release()
  }
}
