import { randomFloatModel } from '../test/random-float-model.js'
import type { FloatModel } from './float-model.js'
import type { AffineNode } from './integer-model.js'
import { verifyBounds } from './intervals.js'
import { quantize } from './quantize.js'
import type { UnaryChain } from './unary.js'

const options = {
  profile: 'fidelity',
  latent: 'normal',
  calibrationSeeds: 16,
  toolVersion: '0.0.0',
  onnxSha256: `0x${'11'.repeat(32)}`,
} as const

/** A random model whose layers, but for the last, all have one function. */
function withActivation(seed: number, activation: UnaryChain): FloatModel {
  const float = randomFloatModel(seed)
  return {
    ...float,
    nodes: float.nodes.map((node) =>
      node.kind === 'affine' && node.output !== float.output.name ? { ...node, activation } : node,
    ),
  }
}

const functions: readonly UnaryChain[] = [
  [{ op: 'relu' }],
  [{ op: 'leakyRelu', alpha: 0.2 }],
  [{ op: 'elu', alpha: 1 }],
  [{ op: 'tanh' }],
]

test.each(functions)('layers of one function share one short table: %j', (step) => {
  for (const seed of [0, 5, 33]) {
    const model = quantize(withActivation(seed, [step]), { ...options, tableBits: 13 })
    verifyBounds(model)
    const nodes = model.nodes.filter((node): node is AffineNode => node.kind === 'affine')
    expect(model.tables.length).toBeLessThanOrEqual(2)
    expect(new Set(nodes.slice(0, -1).map(({ table }) => table)).size).toBeLessThanOrEqual(1)
    const rows = model.tables.reduce((sum, { values }) => sum + values.length, 0)
    expect(rows).toBeLessThanOrEqual(2 ** 13 + 2 ** 12)
    for (const { requantize } of nodes) expect(requantize.shift).toBeLessThanOrEqual(11)
  }
})

test('a function that jumps has a table of its own', () => {
  const sign: UnaryChain = [{ op: 'elementary', name: 'sign' }, { op: 'relu' }]
  for (const seed of [0, 5, 33]) {
    const model = quantize(withActivation(seed, sign), options)
    verifyBounds(model)
    for (const { values } of model.tables) expect(values.length).toBeLessThanOrEqual(2 ** 20)
  }
})
