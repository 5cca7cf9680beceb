import type { FloatModel } from '../float-model.js'
import { absorbRearranges } from './absorb-rearrange.js'
import { contractProducts } from './contract-products.js'
import { fuseBackward } from './fuse-backward.js'
import { fuseForward } from './fuse-forward.js'
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
    fuseBackward,
    absorbRearranges,
    fuseForward,
    absorbRearranges,
    fuseBackward,
  ]
  return withoutDeadNodes(passes.reduce((result, pass) => pass(result), model))
}
