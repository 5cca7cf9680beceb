import { PlatemarkError } from '../model-export/platemark-error.js'
import { FIELD_BYTES, readFieldElement, SCALAR_FIELD } from './field.js'
import { type Witness, witnessValue } from './witness.js'

/** Sizes of a constraint system, from the header of a `.r1cs` file. */
export type R1csHeader = {
  readonly wires: number
  readonly publicOutputs: number
  readonly publicInputs: number
  readonly privateInputs: number
  readonly constraints: number
}

/** One factor of a constraint: Σ coefficient · wire. */
export type LinearCombination = readonly (readonly [wire: number, coefficient: bigint])[]

/** a · b = c. */
export type Constraint = {
  readonly a: LinearCombination
  readonly b: LinearCombination
  readonly c: LinearCombination
}

/**
 * Reads the header of a `.r1cs` file (version 1).
 *
 * @throws {PlatemarkError} when it is malformed or over another field than the BN254 scalar field.
 * @example
 * readR1csHeader(await readFile('m.plate/groth16/circuit.r1cs')).constraints
 */
export function readR1csHeader(file: Uint8Array): R1csHeader {
  const [offset] = findSection(file, 1, 4 + FIELD_BYTES + 28)
  const view = viewOf(file)
  if (
    view.getUint32(offset, true) !== FIELD_BYTES ||
    readFieldElement(file, offset + 4) !== SCALAR_FIELD
  )
    throw malformed('the scalar field of BN254', 'another field')
  const at = offset + 4 + FIELD_BYTES
  return {
    wires: view.getUint32(at, true),
    publicOutputs: view.getUint32(at + 4, true),
    publicInputs: view.getUint32(at + 8, true),
    privateInputs: view.getUint32(at + 12, true),
    constraints: view.getUint32(at + 24, true),
  }
}

/** Reads every constraint of a `.r1cs` file; for tests and audits, not for provers. */
export function readConstraints(file: Uint8Array): readonly Constraint[] {
  const { constraints } = readR1csHeader(file)
  const [start, length] = findSection(file, 2, 12 * constraints)
  const view = viewOf(file)
  let at = start
  const combination = (): LinearCombination => {
    const count = view.getUint32(at, true)
    at += 4
    return Array.from({ length: count }, () => {
      const wire = view.getUint32(at, true)
      const coefficient = readFieldElement(file, at + 4)
      at += 4 + FIELD_BYTES
      return [wire, coefficient] as const
    })
  }
  const result = Array.from({ length: constraints }, () => ({
    a: combination(),
    b: combination(),
    c: combination(),
  }))
  if (at !== start + length) throw malformed(`${length} bytes of constraints`, `${at - start}`)
  return result
}

/**
 * The first constraint that a witness violates, or undefined when it satisfies all.
 *
 * @example
 * findViolation(readConstraints(r1cs), witness) // undefined
 */
export function findViolation(
  constraints: readonly Constraint[],
  witness: Witness,
): number | undefined {
  const values = new Map<number, bigint>()
  const value = (wire: number) => {
    const known = values.get(wire) ?? witnessValue(witness, wire)
    values.set(wire, known)
    return known
  }
  const index = constraints.findIndex((constraint) => !holds(constraint, value))
  return index < 0 ? undefined : index
}

/** Whether one constraint holds for some values of its wires. */
export function holds({ a, b, c }: Constraint, value: (wire: number) => bigint): boolean {
  const sum = (combination: LinearCombination) =>
    combination.reduce((total, [wire, coefficient]) => total + coefficient * value(wire), 0n)
  return (sum(a) * sum(b) - sum(c)) % SCALAR_FIELD === 0n
}

function viewOf(file: Uint8Array): DataView {
  return new DataView(file.buffer, file.byteOffset, file.byteLength)
}

/** Offset and length of a section's content. */
function findSection(file: Uint8Array, id: number, least: number): [number, number] {
  const view = viewOf(file)
  if (file.length < 12 || new TextDecoder().decode(file.subarray(0, 4)) !== 'r1cs')
    throw malformed('magic r1cs', 'another file')
  if (view.getUint32(4, true) !== 1) throw malformed('version 1', `${view.getUint32(4, true)}`)
  let at = 12
  for (let sections = view.getUint32(8, true); sections > 0; sections--) {
    if (at + 12 > file.length) break
    const length = Number(view.getBigUint64(at + 4, true))
    if (at + 12 + length > file.length) break
    if (view.getUint32(at, true) === id && length >= least) return [at + 12, length]
    at += 12 + length
  }
  throw malformed(`a whole section ${id}`, `a file of ${file.length} bytes without one`)
}

function malformed(expected: string, found: string): PlatemarkError {
  return new PlatemarkError('The .r1cs file is malformed.', {
    expected,
    found,
    fix: 'Compile the model again.',
  })
}
