import { planCircuit } from '../circuits/circom/circuit-plan.js'
import { randomFloatModel } from '../test/random-float-model.js'
import { circuitCost } from './circuit-cost.js'
import { quantize } from './quantize.js'

const options = {
  profile: 'compact',
  latent: 'normal',
  calibrationSeeds: 16,
  toolVersion: '0',
  onnxSha256: `0x${'00'.repeat(32)}`,
} as const

test.each([1, 2, 3])('the cost rises with bits as the groth16 circuit does (model %i)', (seed) => {
  const float = randomFloatModel(seed)
  const sizes = [6, 8, 10].map((bits) => {
    const model = quantize(float, { ...options, weightBits: bits, activationBits: bits })
    const planned = planCircuit(model).nodes.map((node) =>
      node === undefined ? 0 : node.elements * (node.activation.constraints + 1),
    )
    return { cost: circuitCost(model), constraints: planned.reduce((a, b) => a + b, 0) }
  })
  for (const { cost, constraints } of sizes) {
    expect(cost / constraints).toBeGreaterThan(0.7)
    expect(cost / constraints).toBeLessThan(1.3)
  }
  for (const count of ['cost', 'constraints'] as const) {
    expect(sizes[0]![count]).toBeLessThan(sizes[1]![count])
    expect(sizes[1]![count]).toBeLessThan(sizes[2]![count])
  }
})
