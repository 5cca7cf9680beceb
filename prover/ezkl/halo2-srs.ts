import { type FileHandle, open } from 'node:fs/promises'
import { SCALAR_FIELD } from '../../circuits/field.js'
import { makeFileAtomic } from '../../model-export/atomic-write.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'

/*
 * Powers of tau as halo2 keeps them, n = 2^k:
 *
 *     k as u32   τ^i·G1, i < n   L_i(τ)·G1, i < n   G2   τ·G2
 *
 * Points are affine, coordinates 32 bytes, little-endian in Montgomery form: as in a .ptau, so that
 * nothing is computed here. L_i is 1 at ω^i and 0 at the other n-th roots of unity. halo2 takes
 * ω = 7^((r−1)/n), snarkjs 5^((r−1)/n): the same points in another order.
 */

const G1_BYTES = 64
const G2_BYTES = 128

/** Sections of a .ptau. */
const TAU_G1 = 2
const TAU_G2 = 3
const LAGRANGE_G1 = 12

/** 2^28 divides r − 1. */
const TWO_ADICITY = 28n

/** G2 and τ·G2, with G1: all that a verifier needs. */
export type VerifierPowers = {
  /** 64 bytes. */
  readonly g1: Uint8Array
  /** 256 bytes: G2 and τ·G2. */
  readonly g2: Uint8Array
}

/**
 * Writes the powers of a .ptau that `checkPowersOfTau` accepted in halo2's format.
 *
 * @param ptau - prepared for phase 2 (it holds the Lagrange form), of power k or more
 * @param k - log2 of the circuit's rows
 * @throws {PlatemarkError} when the file has no Lagrange form or is too small.
 * @example
 * await writeHalo2Srs('powersOfTau28_hez_final_18.ptau', 17, 'powers.srs')
 */
export async function writeHalo2Srs(ptau: string, k: number, path: string): Promise<void> {
  const file = await open(ptau)
  try {
    const sections = await findSections(file)
    const read = async (section: number, from: number, length: number): Promise<Buffer> => {
      const found = sections.get(section)
      if (found === undefined || from + length > found.length) throw tooSmall(ptau, k)
      return readExactly(file, found.offset + from, length)
    }
    const n = 2 ** k
    const powers = await read(TAU_G1, 0, n * G1_BYTES)
    // The bases over 2^0, 2^1, … points stand one after the other.
    const lagrange = reorder(await read(LAGRANGE_G1, (n - 1) * G1_BYTES, n * G1_BYTES), k)
    const g2 = await read(TAU_G2, 0, 2 * G2_BYTES)
    await makeFileAtomic(path, async (partial) => {
      const target = await open(partial, 'wx')
      try {
        for (const part of [header(k), powers, lagrange, g2]) await target.writeFile(part)
      } finally {
        await target.close()
      }
    })
  } finally {
    await file.close()
  }
}

/** The part of a file of `writeHalo2Srs` that a verifier needs. */
export async function readVerifierPowers(path: string): Promise<VerifierPowers> {
  const file = await open(path)
  try {
    const k = (await readExactly(file, 0, 4)).readUInt32LE()
    return {
      g1: await readExactly(file, 4, G1_BYTES),
      g2: await readExactly(file, 4 + 2 * 2 ** k * G1_BYTES, 2 * G2_BYTES),
    }
  } finally {
    await file.close()
  }
}

/** A file in halo2's format, of k = 0, that serves to verify and for nothing else. */
export function encodeVerifierPowers({ g1, g2 }: VerifierPowers): Uint8Array {
  return Buffer.concat([header(0), g1, g1, g2])
}

function header(k: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(k)
  return bytes
}

/** From the order of snarkjs' roots of unity to that of halo2's. */
function reorder(points: Buffer, k: number): Buffer {
  const n = 2 ** k
  const step = Number(rootExponent(BigInt(k)))
  const result = Buffer.allocUnsafe(points.length)
  let index = 0
  for (let i = 0; i < n; i++) {
    points.copy(result, i * G1_BYTES, index * G1_BYTES, (index + 1) * G1_BYTES)
    index = (index + step) % n
  }
  return result
}

/** The exponent j with ω_halo2 = ω_snarkjs^j, for the 2^k-th roots of unity; bit by bit. */
function rootExponent(k: bigint): bigint {
  const target = rootOfUnity(7n, k)
  const base = rootOfUnity(5n, k)
  let exponent = 0n
  for (let bit = 0n; bit < k; bit++) {
    // target·base^−exponent has order 2^(k − bit) exactly when the next bit is set.
    const rest = (target * power(base, 2n ** k - exponent)) % SCALAR_FIELD
    if (power(rest, 2n ** (k - bit - 1n)) !== 1n) exponent += 2n ** bit
  }
  return exponent
}

function rootOfUnity(nonResidue: bigint, k: bigint): bigint {
  const whole = power(nonResidue, (SCALAR_FIELD - 1n) >> TWO_ADICITY)
  return power(whole, 2n ** (TWO_ADICITY - k))
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % SCALAR_FIELD
    square = (square * square) % SCALAR_FIELD
  }
  return result
}

type Section = { readonly offset: number; readonly length: number }

async function findSections(file: FileHandle): Promise<ReadonlyMap<number, Section>> {
  const head = await readExactly(file, 0, 12)
  const sections = new Map<number, Section>()
  let offset = head.length
  for (let i = head.readUInt32LE(8); i > 0; i--) {
    const entry = await readExactly(file, offset, 12)
    const length = Number(entry.readBigUInt64LE(4))
    sections.set(entry.readUInt32LE(0), { offset: offset + entry.length, length })
    offset += entry.length + length
  }
  return sections
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  for (let done = 0; done < length; ) {
    // One call reads less than 2 GiB.
    const { bytesRead } = await file.read(
      buffer,
      done,
      Math.min(length - done, 2 ** 30),
      position + done,
    )
    if (bytesRead === 0) throw new PlatemarkError('A file of powers of tau ends too early.')
    done += bytesRead
  }
  return buffer
}

function tooSmall(path: string, k: number): PlatemarkError {
  return new PlatemarkError('The powers of tau do not suffice for this circuit.', {
    expected: `a file of power ${k} or more, prepared for phase 2`,
    found: path,
    fix: `Use a prepared file of power ${k}.`,
  })
}
