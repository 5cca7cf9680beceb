/** A reason to refuse a key or a proof; caught where the verdict is made. */
export class Rejection extends Error {}

export function reject(reason: string): never {
  throw new Rejection(reason)
}

export function ensure(holds: boolean, reason: string): asserts holds {
  if (!holds) reject(reason)
}
