import type { FloatModel } from '../float-model.js'
import { absorbRearranges } from './absorb-rearrange.js'
import { contractProducts } from './contract-products.js'
import { fuseBackward } from './fuse-backward.js'
import { fuseForward } from './fuse-forward.js'
import { fuseSelections } from './fuse-selections.js'
import { fuseUnary } from './fuse-unary.js'
import { withoutDeadNodes } from './uses.js'

/**
 * Merges nodes as far as that is exact in real arithmetic: every node that is left costs a rounding,
 * a table and a range to prove.
 */
export function fuse(model: FloatModel): FloatModel {
  const passes = [
    fuseUnary,
    contractProducts,
    withoutDeadNodes,
    fuseSelections,
    fuseBackward,
    absorbRearranges,
    fuseForward,
    absorbRearranges,
    fuseSelections,
    fuseBackward,
  ]
  return withKnownScales(withoutDeadNodes(passes.reduce((result, pass) => pass(result), model)))
}

/** A layer cannot have the scale of a tensor that is gone: then it rounds as others do. */
function withKnownScales(model: FloatModel): FloatModel {
  const inputs = [model.input, ...(model.conditions ?? [])]
  const known = new Set([
    ...inputs.map(({ name }) => name),
    ...model.nodes.map(({ output }) => output),
  ])
  return {
    ...model,
    nodes: model.nodes.map((node) => {
      if (node.kind === 'rearrange' || node.exact === undefined || known.has(node.exact.like))
        return node
      const { exact: _, ...rest } = node
      return rest
    }),
  }
}
