import type { FloatTensor } from '../float-model.js'
import { nodeError } from '../onnx/node-error.js'
import { type OnnxNode, type OnnxSubgraph, reads } from '../onnx/onnx-graph.js'
import { broadcastIndex } from '../tensor-index.js'
import { compact } from './compact.js'
import { expandTo } from './expand-activation.js'
import { type Activation, emitAffine, type Lowering, reserve } from './lowering.js'
import { itself, type Rows, repeated, summed } from './rows.js'

/*
 * Attention masks are −∞, or a large negative number, where Softmax shall give 0. Such numbers would leave
 * no steps for all others, so what is hidden is kept apart from the tensor, and Softmax leaves it out.
 */

/** From here on down, a number that is added or put before Softmax hides an element. */
const HIDES = -1e4

export function hides(value: number): boolean {
  return value <= HIDES
}

/** The tensors that Softmax reads, through casts or not, and nothing else does. */
export function softmaxInputs(nodes: readonly OnnxNode[], output: string): ReadonlySet<string> {
  const all = nodes.flatMap(withInner)
  const other = new Set([output])
  const found = new Set<string>()
  for (const node of all.toReversed()) {
    const [input = '', ...more] = reads(node)
    const passes = node.operator === 'Cast' || node.operator === 'Identity'
    const reachesSoftmax = passes && found.has(node.outputs[0]!) && !other.has(node.outputs[0]!)
    if (node.domain === '' && (node.operator === 'Softmax' || reachesSoftmax)) found.add(input)
    else other.add(input)
    for (const name of more) other.add(name)
  }
  return new Set([...found].filter((name) => !other.has(name)))
}

function withInner(node: OnnxNode): readonly OnnxNode[] {
  const inner = [...node.attributes.values()].flatMap((attribute) =>
    attribute.type === 'graph' ? (attribute.value as OnnxSubgraph).nodes : [],
  )
  return [node, ...inner.flatMap(withInner)]
}

/**
 * The tensor of which Softmax, the only one to read it, leaves out some elements.
 *
 * @param hidden - not 0 where; broadcasts with the tensor
 */
export function hide(
  lowering: Lowering,
  node: OnnxNode,
  value: Activation,
  hidden: FloatTensor,
): Activation {
  const whole = { ...expandTo(lowering, node, value, hidden.shape) }
  reserve(lowering, node, whole.shape)
  const at = broadcastIndex(hidden.shape, whole.shape)
  const data = Float64Array.from(at, (from) => (hidden.data[from] === 0 ? 1 : 0))
  lowering.visible.set(whole, { kind: 'constant', dtype: 'float32', shape: whole.shape, data })
  return whole
}

/** The rows with one of their visible elements in place of each that is hidden: the same maximum. */
export function emitVisible(
  lowering: Lowering,
  node: OnnxNode,
  from: Rows,
  visible: Float64Array,
): Rows {
  const { tensor, rows, length } = from
  const first = new Float64Array(visible.length)
  for (let row = 0; row < rows; row++) {
    const at = visible.indexOf(1, row * length)
    if (at < 0 || at >= (row + 1) * length)
      throw nodeError(node, 'everything is masked in one of its rows', {
        expected: 'masks that leave at least one element of each row',
      })
    first[at] = 1
  }
  const shape = [rows, length]
  const copy = (terms: Parameters<typeof emitAffine>[2]['terms'], size: readonly number[]) =>
    emitAffine(
      lowering,
      node,
      { shape: size, terms, exact: { like: tensor, clamped: false }, name: `${tensor}:visible` },
      size,
    ).tensor
  const only = copy([masked(tensor, shape, first)], shape)
  const one = copy([summed(only, rows, length, 1)], [rows])
  const everywhere = copy([repeated(one, rows, length, 1)], shape)
  const hidden = visible.map((value) => 1 - value)
  const filled = [masked(tensor, shape, visible), masked(everywhere, shape, hidden)]
  return { ...from, tensor: copy(filled, shape) }
}

/** The elements, 0 where they are hidden. */
export function emitMasked(
  lowering: Lowering,
  node: OnnxNode,
  tensor: string,
  shape: readonly number[],
  visible: Float64Array,
): string {
  const terms = [masked(tensor, shape, visible)]
  const exact = { like: tensor, clamped: false }
  return emitAffine(lowering, node, { shape, terms, exact, name: `${tensor}:masked` }, shape).tensor
}

function masked(tensor: string, shape: readonly number[], mask: Float64Array) {
  return { ...itself(tensor, shape.length), weight: compact({ shape, data: mask }) }
}
