import { PlatemarkError } from '../model-export/platemark-error.js'
import { FIELD_BYTES, readFieldElement, SCALAR_FIELD, writeFieldElement } from './field.js'

/** A full assignment of a circuit's wires: wire 0 is 1, then outputs, public inputs, the rest. */
export type Witness = {
  readonly size: number
  /** `size` field elements of 32 bytes, little-endian. */
  readonly bytes: Uint8Array
}

/** Computes witnesses of one compiled circuit; calls must not overlap. */
export type WitnessCalculator = {
  /** @throws {PlatemarkError} for missing or unknown inputs, or values that are not field elements. */
  readonly calculate: (inputs: Readonly<Record<string, readonly bigint[]>>) => Witness
}

/** What circom's WebAssembly exports (2.x); words are 32 bits, least significant first. */
type CircomExports = {
  readonly init: (sanityCheck: number) => void
  readonly getFieldNumLen32: () => number
  readonly getInputSize: () => number
  readonly getInputSignalSize: (hashHigh: number, hashLow: number) => number
  readonly getWitnessSize: () => number
  readonly getRawPrime: () => void
  readonly getWitness: (index: number) => void
  readonly setInputSignal: (hashHigh: number, hashLow: number, index: number) => void
  readonly readSharedRWMemory: (word: number) => number
  readonly writeSharedRWMemory: (word: number, value: number) => void
}

/** The part of the standard object that is used; Node has it, Node's types do not. */
declare const WebAssembly: {
  readonly instantiate: (
    bytes: Uint8Array,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => Promise<{ readonly instance: { readonly exports: unknown } }>
}

/** Exceptions that circom's runtime reports by number. */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'a signal that does not exist',
  2: 'too many inputs',
  3: 'an input that was set before',
  4: 'a constraint that does not hold',
  5: 'not enough memory',
  6: 'an array of the wrong size',
}

const WORDS = FIELD_BYTES / 4

/**
 * Loads the witness generator that circom compiled a circuit to.
 *
 * @param wasm - content of `circuit.wasm`
 * @throws {PlatemarkError} when it is not a witness generator over the BN254 scalar field.
 * @example
 * const calculator = await loadWitnessCalculator(await readFile('m.plate/groth16/circuit.wasm'))
 * const witness = calculator.calculate({ latentLimb: limbs, context: [context] })
 * witnessValue(witness, 1) // the first output
 */
export async function loadWitnessCalculator(wasm: Uint8Array): Promise<WitnessCalculator> {
  const circuit = await instantiate(wasm)
  if (circuit.getFieldNumLen32() !== WORDS || readPrime(circuit) !== SCALAR_FIELD)
    throw new PlatemarkError('The circuit is over another field.', {
      expected: 'the scalar field of BN254',
      found: `a field of ${circuit.getFieldNumLen32()} words`,
      fix: 'Compile the model again.',
    })
  return { calculate: (inputs) => calculate(circuit, inputs) }
}

/** The value of one wire. */
export function witnessValue(witness: Witness, index: number): bigint {
  if (!(index >= 0 && index < witness.size)) throw new RangeError(`no wire ${index}`)
  return readFieldElement(witness.bytes, index * FIELD_BYTES)
}

/** A copy of a witness with other values on some wires: what a lying prover would try. */
export function alterWitness(witness: Witness, changes: ReadonlyMap<number, bigint>): Witness {
  const bytes = witness.bytes.slice()
  for (const [index, value] of changes) writeFieldElement(bytes, index * FIELD_BYTES, value)
  return { size: witness.size, bytes }
}

/**
 * The witness as a `.wtns` file, version 2: magic, version, section count; section 1: bytes a field
 * element, prime, count; section 2: the values. All numbers little-endian.
 */
export function encodeWtns(witness: Witness): Uint8Array {
  const header = 4 + FIELD_BYTES + 4
  const file = new Uint8Array(12 + 12 + header + 12 + witness.bytes.length)
  const view = new DataView(file.buffer)
  file.set(new TextEncoder().encode('wtns'), 0)
  view.setUint32(4, 2, true)
  view.setUint32(8, 2, true)
  view.setUint32(12, 1, true)
  view.setBigUint64(16, BigInt(header), true)
  view.setUint32(24, FIELD_BYTES, true)
  writeFieldElement(file, 28, SCALAR_FIELD)
  view.setUint32(28 + FIELD_BYTES, witness.size, true)
  const second = 24 + header
  view.setUint32(second, 2, true)
  view.setBigUint64(second + 4, BigInt(witness.bytes.length), true)
  file.set(witness.bytes, second + 12)
  return file
}

async function instantiate(wasm: Uint8Array): Promise<CircomExports> {
  try {
    const { instance } = await WebAssembly.instantiate(new Uint8Array(wasm), {
      runtime: {
        exceptionHandler: (code: number) => {
          throw new PlatemarkError('The witness cannot be computed.', {
            found: EXCEPTIONS[code] ?? `exception ${code}`,
            fix: 'Compile the model again; if that does not help, this is a bug.',
          })
        },
        printErrorMessage: () => {},
        writeBufferMessage: () => {},
        showSharedRWMemory: () => {},
      },
    })
    const circuit = instance.exports as CircomExports
    if (typeof circuit.getWitness !== 'function') throw new Error('no export getWitness')
    return circuit
  } catch (cause) {
    throw new PlatemarkError('The circuit file cannot be loaded.', {
      expected: 'a witness generator, as circom writes it',
      found: cause instanceof Error ? cause.message.slice(0, 200) : String(cause),
      fix: 'Compile the model again.',
      cause,
    })
  }
}

function readPrime(circuit: CircomExports): bigint {
  circuit.getRawPrime()
  const bytes = new Uint8Array(FIELD_BYTES)
  readShared(circuit, new DataView(bytes.buffer), 0)
  return readFieldElement(bytes, 0)
}

function readShared(circuit: CircomExports, view: DataView, offset: number): void {
  for (let word = 0; word < WORDS; word++)
    view.setUint32(offset + 4 * word, circuit.readSharedRWMemory(word), true)
}

function calculate(
  circuit: CircomExports,
  inputs: Readonly<Record<string, readonly bigint[]>>,
): Witness {
  // 1: check constraints where the circuit was compiled with such checks.
  circuit.init(1)
  let count = 0
  for (const [name, values] of Object.entries(inputs)) {
    const [high, low] = signalHash(name)
    const size = circuit.getInputSignalSize(high, low)
    if (size !== values.length)
      throw new PlatemarkError(`The circuit does not take ${values.length} values of ${name}.`, {
        found: size < 0 ? 'no such input' : `${size} values`,
        fix: 'Compile the model again: the circuit belongs to another one.',
      })
    values.forEach((value, index) => {
      if (value < 0n || value >= SCALAR_FIELD)
        throw new PlatemarkError(`${name}[${index}] is not a field element.`, {
          expected: 'an integer from 0 to r − 1',
          found: String(value),
        })
      for (let word = 0; word < WORDS; word++)
        circuit.writeSharedRWMemory(word, Number((value >> BigInt(32 * word)) & 0xffffffffn) | 0)
      circuit.setInputSignal(high, low, index)
      count++
    })
  }
  if (count !== circuit.getInputSize())
    throw new PlatemarkError('Inputs of the circuit are missing.', {
      expected: `${circuit.getInputSize()} values`,
      found: `${count}`,
    })
  const size = circuit.getWitnessSize()
  const bytes = new Uint8Array(size * FIELD_BYTES)
  const view = new DataView(bytes.buffer)
  for (let index = 0; index < size; index++) {
    circuit.getWitness(index)
    readShared(circuit, view, index * FIELD_BYTES)
  }
  return { size, bytes }
}

/** Circom finds input signals by the 64-bit FNV-1a hash of their name, as two words. */
function signalHash(name: string): [high: number, low: number] {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(name))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return [Number(hash >> 32n) | 0, Number(hash & 0xffffffffn) | 0]
}
