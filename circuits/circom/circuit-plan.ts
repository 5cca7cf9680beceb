import type { AffineNode, IntegerModel, IntegerNode } from '../../model-export/integer-model.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { elementCount } from '../../model-export/tensor-index.js'
import { DIGEST_RATE } from '../image-digest.js'
import { LIMB_BYTES } from '../seed-expansion.js'
import { type ActivationPlan, planActivation } from './activation-plan.js'
import { countMultiplications, countProducts } from './emit-linear.js'
import { layOutSelector, type Selector } from './selector.js'

/** Everything that is decided before text is written; `estimate` needs no more. */
export type CircuitPlan = {
  readonly latentLimbs: number
  readonly latent: Selector
  /** By node; a rearrange node has none. */
  readonly nodes: readonly (NodePlan | undefined)[]
  readonly digestBlocks: number
  readonly counts: CircuitCounts
}

export type NodePlan = {
  readonly node: AffineNode
  readonly elements: number
  readonly activation: ActivationPlan
  /** Products of a weight and an input, over all elements. */
  readonly products: number
  /** Of activations with each other, over all elements. */
  readonly multiplications: number
}

/**
 * Predicted from the model alone. `constraints` is exact for circom 2.2.3 with `--O1`, but for rows
 * that degenerate to the renaming of a signal.
 */
export type CircuitCounts = {
  readonly constraints: number
  /** Non-zero coefficients of the linear layers. */
  readonly weights: number
  readonly publicSignals: number
}

/**
 * One Poseidon permutation with 16 inputs: 612 multiplications, and the linear constraints that
 * `--O1` keeps. (`--O2` would remove them, and every sparse row of the model with them.)
 */
const POSEIDON_CONSTRAINTS = 612 + 1480

/**
 * Plans the circuit of a model.
 *
 * @throws {PlatemarkError} for a model that this backend cannot express.
 * @example
 * planCircuit(plate.model).counts.constraints
 */
export function planCircuit(model: IntegerModel): CircuitPlan {
  const { latent, image } = model
  if (model.conditions !== undefined)
    throw new PlatemarkError(
      'The model takes a label or vector, which this backend does not prove.',
      { fix: 'Compile it with --backend sumcheck.' },
    )
  const nodes = model.nodes.map((node) => planNode(model, node))
  checkImage(model)
  const latentSelector = layOutSelector(8, { value: latent.table.map(BigInt) })
  const latentLimbs = Math.ceil(latent.dimensions / LIMB_BYTES)
  const pixels = image.height * image.width * image.channels
  const imageLimbs = Math.ceil(pixels / LIMB_BYTES)
  const digestBlocks = Math.ceil(imageLimbs / DIGEST_RATE)
  const digestConstraints = digestBlocks * POSEIDON_CONSTRAINTS + packingRows(pixels)
  const byteConstraints = 8 + 1 + latentSelector.constraints + 1
  const latentConstraints = latent.dimensions * byteConstraints + packingRows(latent.dimensions)
  let constraints = latentConstraints + digestConstraints + 1
  let weights = 0
  for (const node of nodes) {
    if (node === undefined || node.activation.kind === 'constant') continue
    // One row more an element: the dense one, of the accumulator.
    constraints += node.elements * (node.activation.constraints + 1) + node.multiplications
    weights += node.products
  }
  return {
    latentLimbs,
    latent: latentSelector,
    nodes,
    digestBlocks,
    counts: { constraints, weights, publicSignals: 1 + latentLimbs + 1 },
  }
}

/** Limbs of `bytes` bytes that are sums; a limb of a single byte is that byte's signal. */
function packingRows(bytes: number): number {
  return Math.ceil((bytes - 1) / LIMB_BYTES)
}

function planNode(model: IntegerModel, node: IntegerNode): NodePlan | undefined {
  if (node.kind === 'rearrange') return undefined
  const elements = elementCount(model.tensors[node.output]!.shape)
  return {
    node,
    elements,
    activation: planActivation(node, model.tables[node.table]!),
    products: countProducts(node, elements),
    multiplications: node.terms.reduce((sum, term) => sum + countMultiplications(term), 0),
  }
}

/**
 * Every pixel must be a byte by the model's tables alone, or a prover could pack other integers into
 * the digest's limbs.
 */
function checkImage(model: IntegerModel): void {
  let tensor = model.image.tensor
  for (;;) {
    const node = model.nodes.find(({ output }) => output === tensor)
    if (node?.kind === 'rearrange') {
      tensor = node.input
      continue
    }
    const values = node === undefined ? model.latent.table : model.tables[node.table]!.values
    if (values.every((value) => value >= 0 && value <= 255)) return
    throw new PlatemarkError('The image is not made of bytes.', {
      expected: `every value of the last table between 0 and 255`,
      found: `a value outside in the table of ${node?.name ?? 'the latent'}`,
      fix: 'Compile the model again.',
    })
  }
}
