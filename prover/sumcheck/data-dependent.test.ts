import { layOutWitness } from '../../circuits/sumcheck/witness.js'
import { trace } from '../../model-export/execute.js'
import type { AffineNode, IntegerModel } from '../../model-export/integer-model.js'
import { lowerOnnx } from '../../model-export/lower-onnx.js'
import { dataDependent } from '../../model-export/lowering/data-dependent-specs.js'
import { buildOnnx } from '../../model-export/onnx/build-onnx.js'
import { quantize } from '../../model-export/quantize.js'
import { proveWith, requestOf, testProver, verdicts } from './test-prover.js'

/** An operator's model, with tables small enough for a test. */
function compiled(operator: string): IntegerModel {
  return quantize(lowerOnnx(buildOnnx(dataDependent[operator]!), operator), {
    profile: 'fidelity',
    latent: 'uniform',
    outputRange: [-2, 2],
    layout: 'CHW',
    weightBits: 8,
    activationBits: 8,
    tableBits: 11,
    calibrationSeeds: 8,
    toolVersion: 'test',
    onnxSha256: `0x${'00'.repeat(32)}`,
  })
}

test.each(Object.keys(dataDependent))(
  '%s is proven',
  async (operator) => {
    const prover = await testProver(compiled(operator), 7n)
    const proof = await proveWith(prover, {}, true)
    expect(await verdicts(await requestOf(prover, proof))).toEqual({})
  },
  60_000,
)

type Step = (node: AffineNode, model: IntegerModel) => boolean

const makes =
  (words: string): Step =>
  (node, model) =>
    model.tables[node.table]!.description.startsWith(words)

const terms =
  (...kinds: readonly string[]): Step =>
  (node) =>
    node.terms.map(({ kind }) => kind).join() === kinds.join()

/** Reads nothing but what such a node makes. */
function follows(step: Step): Step {
  return ({ terms: [only, ...others] }, model) =>
    others.length === 0 &&
    model.nodes.some((it) => it.kind === 'affine' && it.output === only?.input && step(it, model))
}

const MASKED = 'Softmax with a large negative number added'

/** What is false, in which operator, and the node that makes it. */
const lies: readonly (readonly [lie: string, operator: string, Step])[] = [
  ['a wrong mean', 'InstanceNormalization', terms('gemm')],
  ['a wrong difference from the mean', 'InstanceNormalization', terms('elementwise', 'gemm')],
  ['a wrong reciprocal square root', 'InstanceNormalization', makes('linear → power')],
  ['a wrong normalised value', 'InstanceNormalization', (node) => isLast(node, 'einsum')],
  ['a wrong mean of a layer', 'LayerNormalization over channels', terms('gemm')],
  ['a wrong excess', 'max pooling', makes('relu')],
  ['a wrong maximum', 'max pooling', terms('conv', 'elementwise')],
  ['a wrong maximum of a row', 'Softmax of the last axis', terms('conv', 'elementwise')],
  ['a wrong exponential', 'Softmax of the last axis', makes('clip → exp')],
  ['a row that is not normalised', 'Softmax of the last axis', makes('clip → reciprocal')],
  ['a wrong probability', 'Softmax of the last axis', (node) => isLast(node, 'einsum')],
  ['a wrong pick among what is visible', MASKED, terms('elementwise')],
  ['a wrong value in place of a hidden one', MASKED, terms('elementwise', 'elementwise')],
  ['a hidden element that counts', MASKED, follows(makes('clip → exp'))],
  ['a wrong score', 'self-attention', terms('einsum')],
  ['a wrong product', 'Mul of two', terms('einsum')],
  ['a wrong reciprocal', 'Div of two', terms('elementwise')],
]

function isLast(node: AffineNode, kind: string): boolean {
  const [term] = node.terms
  return term?.kind === kind && term.kind === 'einsum' && term.input !== term.operand
}

/**
 * Executions in which one node is off by a step, or a few, of its table, everything else being computed
 * from that: only the node's own equation is false.
 */
function* lyingModels(model: IntegerModel, step: Step): Generator<IntegerModel> {
  const at = model.nodes.findIndex((node) => node.kind === 'affine' && step(node, model))
  const node = model.nodes[at] as AffineNode
  const shape = model.tensors[node.output]!.shape.map(() => 1)
  for (const steps of [1, -1, 3, -3, 20, -20]) {
    const amount = steps * 2 ** node.requantize.shift
    const old = node.bias ?? { shape, data: Float64Array.of(0) }
    const bias = { shape: old.shape, data: old.data.map((b) => b + amount) }
    yield { ...model, nodes: model.nodes.map((it, i) => (i === at ? { ...node, bias } : it)) }
  }
}

test.each(lies)(
  '%s in %s is rejected',
  async (_, operator, step) => {
    const model = compiled(operator)
    const prover = await testProver(model, 7n)
    let tried = 0
    for (const lying of lyingModels(model, step)) {
      const run = tryToRun(lying)
      // Off its table, or nothing changed by it: no lie.
      if (run === undefined) continue
      const first = layOutWitness(model, prover.layout.descriptor, run)
      if (first.every((cell, i) => cell === prover.first[i])) continue
      const claims = { first, pixels: run.pixels }
      const proof = await proveWith(prover, claims)
      const { rust, typescript } = await verdicts(await requestOf(prover, proof, claims))
      expect(rust).toBeDefined()
      expect(typescript).toBe(rust)
      tried++
      if (tried === 2) break
    }
    expect(tried).toBeGreaterThan(0)

    function tryToRun(lying: IntegerModel) {
      try {
        return trace(lying, prover.latent)
      } catch {
        return undefined
      }
    }
  },
  60_000,
)
