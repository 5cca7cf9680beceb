import { SCALAR_FIELD } from '../field.js'
import type { Constraint, LinearCombination } from '../r1cs.js'

/**
 * All values that a lying prover can give one wire: an exhaustive search over the assignments that
 * satisfy some constraints, over the whole field. For tests of gadgets; only systems as small as a
 * gadget can be searched.
 *
 * Wires with a constraint b·(b − 1) = 0 are branched on; every other wire must follow from a
 * constraint in which it is the only unknown, or be free there.
 *
 * @param constraints - the gadget's constraints
 * @param known - values of the wires that are given (wire 0 is 1)
 * @param target - the wire whose values are collected
 * @returns the value of `target` in each satisfying assignment of the boolean wires
 */
export function solutionsOf(
  constraints: readonly Constraint[],
  known: ReadonlyMap<number, bigint>,
  target: number,
): readonly bigint[] {
  const booleans = new Set(constraints.flatMap(booleanWire))
  const rows = constraints.filter((constraint) => booleanWire(constraint).length === 0).map(centre)
  const found: bigint[] = []
  search(new Map([[0, 1n], ...known]))
  return found

  function search(values: Map<number, bigint>): void {
    if (!propagate(values)) return
    const wire = nextBranch(values)
    if (wire === undefined) {
      found.push(values.get(target)!)
      return
    }
    for (const bit of [0n, 1n]) search(new Map(values).set(wire, bit))
  }

  /** Solves for single unknowns until nothing changes; false on a contradiction. */
  function propagate(values: Map<number, bigint>): boolean {
    for (let changed = true; changed; ) {
      changed = false
      for (const row of rows) {
        let a = evaluate(row.a, values)
        let b = evaluate(row.b, values)
        const c = evaluate(row.c, values)
        // A factor that is zero makes the unknowns of the other one irrelevant.
        if (isZero(a)) b = a
        else if (isZero(b)) a = b
        const unknown = new Set([...a.unknown, ...b.unknown, ...c.unknown].map(([wire]) => wire))
        if (unknown.size === 0) {
          if (mod(a.sum * b.sum - c.sum) !== 0n) return false
          continue
        }
        if (a.unknown.length === 0 && b.unknown.length === 0 && !reachable(a.sum * b.sum, c))
          return false
        if (unknown.size > 1) continue
        const [wire] = unknown as unknown as [number]
        const [ka, kb, kc] = [a, b, c].map((part) => part.unknown[0]?.[1] ?? 0n) as [
          bigint,
          bigint,
          bigint,
        ]
        if (ka !== 0n && kb !== 0n) continue
        const factor = mod(ka * b.sum + kb * a.sum - kc)
        const rest = mod(c.sum - a.sum * b.sum)
        if (factor === 0n) {
          if (rest !== 0n) return false
          continue
        }
        const value = mod(rest * inverse(factor))
        if (booleans.has(wire) && value > 1n) return false
        values.set(wire, value)
        changed = true
      }
    }
    return true
  }

  /** Whether unknown bits can make up the difference: prunes without losing a solution. */
  function reachable(product: bigint, { sum, unknown }: Partial): boolean {
    if (!unknown.every(([wire]) => booleans.has(wire))) return true
    const missing = toCentre(mod(product - sum))
    let least = 0n
    let most = 0n
    for (const [, coefficient] of unknown) {
      if (coefficient < 0n) least += coefficient
      else most += coefficient
    }
    return missing >= least && missing <= most
  }

  /** A bit with the largest coefficient in a row of bits alone, else any bit. */
  function nextBranch(values: ReadonlyMap<number, bigint>): number | undefined {
    let best: readonly [number, bigint] | undefined
    for (const { a, b, c } of rows) {
      if (a.length > 0 && b.length > 0) continue
      const open = c.filter(([wire]) => !values.has(wire))
      if (open.length === 0 || !open.every(([wire]) => booleans.has(wire))) continue
      for (const [wire, coefficient] of open) {
        const size = coefficient < 0n ? -coefficient : coefficient
        if (best === undefined || size > best[1]) best = [wire, size]
      }
    }
    return best?.[0] ?? [...booleans].find((wire) => !values.has(wire))
  }
}

function isZero({ sum, unknown }: Partial): boolean {
  return sum === 0n && unknown.length === 0
}

/** A combination with some wires known. */
type Partial = { readonly sum: bigint; readonly unknown: readonly (readonly [number, bigint])[] }

function evaluate(combination: LinearCombination, values: ReadonlyMap<number, bigint>): Partial {
  let sum = 0n
  const unknown: (readonly [number, bigint])[] = []
  for (const entry of combination) {
    const value = values.get(entry[0])
    if (value === undefined) unknown.push(entry)
    else sum += entry[1] * value
  }
  return { sum: mod(sum), unknown }
}

/** The wire b of a constraint that says b·(b − 1) = 0, as circom writes it. */
function booleanWire({ a, b, c }: Constraint): number[] {
  if (c.length > 0) return []
  const wires = new Set([...a, ...b].map(([wire]) => wire).filter((wire) => wire !== 0))
  const [wire] = wires
  if (wires.size !== 1 || wire === undefined) return []
  const at = (combination: LinearCombination, value: bigint) =>
    mod(combination.reduce((sum, [w, k]) => sum + (w === 0 ? k : k * value), 0n))
  const vanishes = (value: bigint) => mod(at(a, value) * at(b, value)) === 0n
  return vanishes(0n) && vanishes(1n) ? [wire] : []
}

function centre({ a, b, c }: Constraint): Constraint {
  const each = (combination: LinearCombination) =>
    combination.map(([wire, coefficient]) => [wire, toCentre(coefficient)] as const)
  return { a: each(a), b: each(b), c: each(c) }
}

function toCentre(value: bigint): bigint {
  return value > SCALAR_FIELD / 2n ? value - SCALAR_FIELD : value
}

function mod(value: bigint): bigint {
  const rest = value % SCALAR_FIELD
  return rest < 0n ? rest + SCALAR_FIELD : rest
}

function inverse(value: bigint): bigint {
  let [a, b, x, y] = [value, SCALAR_FIELD, 1n, 0n]
  while (a !== 0n) {
    const quotient = b / a
    ;[a, b] = [b - quotient * a, a]
    ;[x, y] = [y - quotient * x, x]
  }
  return mod(y)
}
