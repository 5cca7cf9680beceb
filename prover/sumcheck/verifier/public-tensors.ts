import type { BlockDescriptor } from '../../../circuits/sumcheck/descriptor.js'
import type { VerifierKey } from './read-key.js'
import { ensure } from './reject.js'
import { eqIndex, mod, multiply } from './scalar-field.js'
import { axisSlice, compositeEq } from './wiring.js'

/** A tensor that follows from the statement: its elements, or the only one that is 1, all others zero. */
export type PublicTensor = readonly bigint[] | { readonly one: number }

/**
 * The latent and the conditions (`docs/protocol.md` §3.5), by block.
 *
 * @param latent the seed's expansion, one byte a dimension
 * @param conditions a class as two bytes, a vector as one byte a dimension, in the key's order
 * @throws {Rejection} for another number of bytes, or a class that is none.
 */
export function publicTensors(
  key: VerifierKey,
  latent: Uint8Array,
  conditions: Uint8Array,
): readonly PublicTensor[] {
  const values = (bytes: Uint8Array, table: readonly number[]) =>
    Array.from(bytes, (byte) => BigInt(table[byte]!))
  const kinds = key.conditions ?? []
  const size = kinds.reduce((sum, it) => sum + (it.kind === 'label' ? 2 : it.dimensions), 0)
  ensure(
    conditions.length === size,
    `public inputs: expected ${size} condition bytes, found ${conditions.length}`,
  )
  let at = 0
  const take = (count: number): Uint8Array => {
    at += count
    return conditions.subarray(at - count, at)
  }
  const chosen = kinds.map((condition): PublicTensor => {
    if (condition.kind === 'vector') return values(take(condition.dimensions), condition.table)
    const [high, low] = take(2)
    const one = high! * 256 + low!
    ensure(one < condition.classes, 'public inputs: no such class')
    return { one }
  })
  return [values(latent, key.latent.table), ...chosen]
}

/** x~ of a public tensor at a point of its block. */
export function publicAt(
  block: BlockDescriptor,
  tensor: PublicTensor,
  point: readonly bigint[],
): bigint {
  const all = block.axes.map((_, axis) => axis)
  if (!('one' in tensor))
    return mod(compositeEq(block, all, point).reduce((sum, e, i) => sum + e * tensor[i]!, 0n))
  // The index's digits, the last axis' first.
  let rest = tensor.one
  let value = 1n
  for (const axis of all.reverse()) {
    const size = block.axes[axis]!
    value = multiply(value, eqIndex(rest % size, axisSlice(block, axis, point)))
    rest = Math.floor(rest / size)
  }
  return value
}
