import { termInputs } from './einsum.js'
import type { FloatAffine, FloatModel, FloatNode } from './float-model.js'

/** A model whose pixels come from one affine node that nothing else reads. */
export type PixelModel = {
  readonly nodes: readonly FloatNode[]
  readonly output: FloatModel['output']
  /** The node whose table makes pixels; only rearranges stand between it and the output. */
  readonly pixels: FloatAffine
}

/**
 * Drops nodes that the output does not need, and makes sure that the image comes from an affine node of
 * its own: where the output is also read as an activation, or is no affine node's, a node that copies
 * it is added.
 */
export function isolatePixels(model: FloatModel): PixelModel {
  const producers = new Map(model.nodes.map((node) => [node.output, node]))
  const needed = new Set<string>()
  const visit = (name: string): void => {
    if (needed.has(name)) return
    needed.add(name)
    for (const input of inputsOf(producers.get(name))) visit(input)
  }
  visit(model.output.name)
  const nodes = model.nodes.filter((node) => needed.has(node.output))
  const readers = new Map<string, number>()
  for (const node of nodes)
    for (const input of inputsOf(node)) readers.set(input, (readers.get(input) ?? 0) + 1)

  let name = model.output.name
  let allowed = 0
  for (;;) {
    const node = producers.get(name)
    if (node === undefined || (readers.get(name) ?? 0) > allowed) break
    // Where nothing is rounded, nothing can be made a pixel.
    if (node.kind === 'affine' && node.exact !== undefined) break
    if (node.kind === 'affine') return { nodes, output: model.output, pixels: node }
    name = node.input
    allowed = 1
  }
  const pixels: FloatAffine = {
    kind: 'affine',
    name: 'pixels',
    output: `${model.output.name} (pixels)`,
    shape: model.output.shape,
    terms: [
      {
        kind: 'elementwise',
        input: model.output.name,
        weight: { shape: model.output.shape.map(() => 1), data: Float64Array.of(1) },
      },
    ],
    activation: [],
  }
  const output = { name: pixels.output, shape: model.output.shape }
  return { nodes: [...nodes, pixels], output, pixels }
}

function inputsOf(node: FloatNode | undefined): readonly string[] {
  if (node === undefined) return []
  return node.kind === 'rearrange' ? [node.input] : node.terms.flatMap((term) => termInputs(term))
}
