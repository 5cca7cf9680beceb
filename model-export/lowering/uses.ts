import { termInputs } from '../einsum.js'
import type { FloatModel, FloatNode } from '../float-model.js'

/** The tensors that a node reads, once for every time it reads them. */
export function readsOf(node: FloatNode): readonly string[] {
  return node.kind === 'affine' ? node.terms.flatMap((term) => termInputs(term)) : [node.input]
}

/** How often each tensor is read; being the model's output counts. */
export function countUses(model: FloatModel): Map<string, number> {
  const uses = new Map<string, number>([[model.output.name, 1]])
  for (const node of model.nodes) {
    for (const name of readsOf(node)) uses.set(name, (uses.get(name) ?? 0) + 1)
  }
  return uses
}

/** The outputs of the nodes that read each tensor. */
export function readersOf(model: FloatModel): Map<string, Set<string>> {
  const readers = new Map<string, Set<string>>()
  for (const node of model.nodes) {
    for (const name of readsOf(node)) addReader(readers, name, node.output)
  }
  return readers
}

/** Notes one more reader of a tensor. */
export function addReader(readers: Map<string, Set<string>>, tensor: string, reader: string): void {
  const known = readers.get(tensor)
  if (known === undefined) readers.set(tensor, new Set([reader]))
  else known.add(reader)
}

/** The model without nodes that nobody reads. */
export function withoutDeadNodes(model: FloatModel): FloatModel {
  const live = new Set([model.output.name])
  for (const node of [...model.nodes].reverse()) {
    if (live.has(node.output)) for (const name of readsOf(node)) live.add(name)
  }
  return { ...model, nodes: model.nodes.filter(({ output }) => live.has(output)) }
}

/** The name of a node made of two. */
export function joinNames(first: string, second: string): string {
  return first === second || first.endsWith(` + ${second}`) ? first : `${first} + ${second}`
}
