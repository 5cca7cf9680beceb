import { prepare } from '../../model-export/execute.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { sampleLatent } from '../../model-export/latent-table.js'
import { randomModel } from '../../test/random-model.js'
import { flattenNode } from './flatten-node.js'
import { planBlocks } from './plan.js'

test('every way to write a node computes the same, to the end of the ways', () => {
  const ways = { bias: 0, gemm: 0, matrix: 0 }
  for (let seed = 0; seed < 60; seed++) {
    const model = randomModel(seed)
    model.nodes.forEach((node, index) => {
      if (node.kind !== 'affine') return
      const shape = model.tensors[node.output]!.shape
      const latent = sampleLatent(seed, model.latent.dimensions)
      const wanted = prepare(model).trace(latent).nodes[index]!.accumulator
      let last = node
      for (;;) {
        const next = flattenNode(last, shape, model)
        if (next === undefined) break
        if (next.bias !== last.bias) ways.bias++
        else if (last.terms.some((term) => term.kind === 'gemm' && term.rows > 1)) ways.gemm++
        else ways.matrix++
        const other: IntegerModel = { ...model, nodes: model.nodes.with(index, next) }
        expect(prepare(other).trace(latent).nodes[index]!.accumulator).toEqual(wanted)
        last = next
      }
      for (const term of last.terms)
        expect(term.kind === 'einsum' || (term.kind === 'gemm' && term.rows === 1)).toBe(true)
    })
  }
  expect(Math.min(...Object.values(ways))).toBeGreaterThan(10)
})

test('every random model can be laid out', () => {
  for (let seed = 0; seed < 200; seed++) planBlocks(randomModel(seed))
})
