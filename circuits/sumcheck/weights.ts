import type { LinearIntegerTerm } from '../../model-export/integer-model.js'
import { type Axis, axisBits, leaves, paddedAddresses, totalBits } from './axes.js'
import type { PlannedTerm } from './plan.js'

/** Constants that lie in 2^bits cells of the key group. */
export type WeightBlock = {
  readonly bits: number
  /** Writes them into zeros. */
  readonly fill: (cells: Float64Array, offset: number) => void
}

/** A bias: address = its axes, each padded. */
export function biasBlock(axes: readonly Axis[], data: Float64Array): WeightBlock {
  const sizes = sizesOf(axes)
  return {
    bits: totalBits(sizes),
    fill: (cells, offset) => {
      paddedAddresses(sizes).forEach((cell, i) => {
        cells[offset + cell] = data[i]!
      })
    },
  }
}

/** A term's weights: address = output axes, group axes, contracted axes, kernel, each padded. */
export function termBlock(planned: PlannedTerm, term: LinearIntegerTerm): WeightBlock {
  const { kernel } = planned
  const parts = [planned.output, planned.groups.output, planned.contract].map(sizesOf)
  const [outputs, groups, inputs] = parts.map(paddedAddresses)
  const [, groupBits = 0, inputBits = 0] = parts.map(totalBits)
  const taps = kernel[0] * kernel[1]
  const kernelBits = axisBits(taps)
  const outputScale = 2 ** (groupBits + inputBits + kernelBits)
  const groupScale = 2 ** (inputBits + kernelBits)
  const inputScale = 2 ** kernelBits
  const { data } = term.weight
  const transposed = term.kind === 'convTranspose'
  return {
    bits: parts.map(totalBits).reduce((a, b) => a + b, kernelBits),
    fill: (cells, offset) => {
      groups!.forEach((group, g) => {
        outputs!.forEach((output, o) => {
          inputs!.forEach((input, i) => {
            const from = transposed
              ? (g * inputs!.length + i) * outputs!.length + o
              : (g * outputs!.length + o) * inputs!.length + i
            const to = offset + output * outputScale + group * groupScale + input * inputScale
            for (let k = 0; k < taps; k++) cells[to + k] = data[from * taps + k]!
          })
        })
      })
    },
  }
}

function sizesOf(axes: readonly Axis[]): number[] {
  return leaves(axes).map(({ size }) => size)
}
