import type { TensorStatistics } from './calibrate.js'
import type { FloatAffine, FloatModel } from './float-model.js'
import type { Range } from './intervals.js'
import { isUneven } from './unary.js'

/**
 * The model with the values before every uneven activation as tensors of their own, for calibration:
 * how steep a table gets depends on what it is asked for (a variance is never near 0).
 */
export function withPreActivations(model: FloatModel): FloatModel {
  return {
    ...model,
    nodes: model.nodes.flatMap((node) => {
      if (node.kind === 'rearrange' || !isUneven(node.activation)) return [node]
      const linear: FloatAffine = { ...node, output: preActivation(node), activation: [] }
      const weight = { shape: node.shape.map(() => 1), data: Float64Array.of(1) }
      const { name, output, shape, activation } = node
      const terms = [{ kind: 'elementwise' as const, input: linear.output, weight }]
      return [linear, { kind: 'affine', name, output, shape, terms, activation }]
    }),
  }
}

/** Usual values before a node's activation, a little more than calibration saw; undefined where they do not matter. */
export function usualDomain(
  node: FloatAffine,
  statistics: ReadonlyMap<string, TensorStatistics>,
): Range | undefined {
  const seen = statistics.get(preActivation(node))
  if (seen === undefined) return undefined
  const margin = (seen.max - seen.min) / 10
  // What is positive by nature stays so.
  return { min: seen.min > 0 ? seen.min / 2 : seen.min - margin, max: seen.max + margin }
}

function preActivation(node: FloatAffine): string {
  return `${node.output} (before its function)`
}
