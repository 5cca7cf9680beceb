import { axisBits } from '../../circuits/sumcheck/axes.js'
import type { SumcheckDescriptor, TermDescriptor } from '../../circuits/sumcheck/descriptor.js'
import { proofLength, proofShape } from './verifier/read-proof.js'

/**
 * Gas of `verifyImage`, fitted to runs of the generated contracts: transcript and opening with its pairing; a
 * column (a multiplication and an addition on the curve, an evaluation); a round; a term, a bit of its points in
 * weights and input, a spatial axis, a value of a kernel whose axes share an index; a bit of an axis that is no
 * power of two; a copied element; a byte of the latent or of a vector; a word of 16 pixels; what a commitment to the image costs
 * more than packing pixels.
 */
const GAS = {
  transaction: 21_000,
  base: 248_000,
  column: 6_700,
  round: 390,
  term: 2_500,
  pointBit: 150,
  axis: 2_500,
  jointKernel: 100,
  paddedBit: 320,
  copied: 150,
  latent: 140,
  pixelWord: 57,
  commitment: 4_000,
}

/** Gas of a byte of calldata that is not zero, and what the arguments take beside image and proof. */
const CALLDATA = { byte: 16, arguments: 1_300 }

/**
 * Predicts the gas of a transaction that calls a generated verifier.
 *
 * @example
 * estimateGas(layOutModel(model, modelId).descriptor) // 498_190
 */
export function estimateGas(descriptor: SumcheckDescriptor): number {
  const { columns, columnBits, image, latent } = descriptor
  const { phaseOne, phaseTwo, lookups, terms } = proofShape(descriptor)
  const vectors = (descriptor.conditions ?? []).filter((it) => it.kind === 'vector')
  const vectorDimensions = vectors.reduce((sum, { dimensions }) => sum + dimensions, 0)
  const pixels = image.binding === 'pixels'
  const words = image.height * Math.ceil((image.width * image.channels) / 16)
  const imageBytes = pixels ? image.height * image.width * image.channels : 32
  return (
    GAS.transaction +
    CALLDATA.arguments +
    CALLDATA.byte * (proofLength(descriptor) + imageBytes) +
    GAS.base +
    GAS.column * (columns.first + columns.second + columns.key) +
    GAS.round * (phaseOne + phaseTwo + lookups + columnBits) +
    GAS.term * terms +
    nodesGas(descriptor) +
    GAS.latent * (latent.dimensions + vectorDimensions) +
    (pixels ? GAS.pixelWord * words : GAS.commitment)
  )
}

/** What depends on the shapes of nodes. */
function nodesGas({ blocks, nodes }: SumcheckDescriptor): number {
  return nodes.reduce((sum, node) => {
    const { axes } = blocks[node.output]!
    if (node.kind === 'copy') return sum + GAS.copied * product(axes)
    const padded = axes.filter((size) => size !== 2 ** axisBits(size))
    const own = node.terms.reduce(
      (all, term) => all + termGas(term, axes, blocks[term.input]!.axes),
      0,
    )
    return sum + own + GAS.paddedBit * bits(padded)
  }, 0)
}

function termGas(
  term: TermDescriptor,
  output: readonly number[],
  input: readonly number[],
): number {
  const [height, width] = term.kernel
  const weight = [
    ...term.outputAxes.map((axis) => output[axis]!),
    ...[...term.groupAxes.map(([, u]) => u), ...term.contractAxes].map((axis) => input[axis]!),
    height * width,
  ]
  const joint = width !== 2 ** axisBits(width)
  return (
    GAS.pointBit * (bits(weight) + bits(input)) +
    GAS.axis * term.spatial.length +
    (joint ? GAS.jointKernel * height * width : 0)
  )
}

const bits = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + axisBits(size), 0)
const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)
