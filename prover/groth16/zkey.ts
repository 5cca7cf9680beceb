import { open } from 'node:fs/promises'
import { bn254 } from '@noble/curves/bn254.js'
import { bytesToHex, type Hex } from 'viem'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import {
  type Fp2Coordinates,
  type G1Coordinates,
  type G2Coordinates,
  type Groth16VerifyingKey,
  g1Point,
  g2Point,
  parseVerifyingKey,
} from './verifying-key.js'

/*
 * The parts of a snarkjs proving key that a verifier cares about. The format is written down in
 * prover/native/src/zkey.rs. Integers are little-endian; coordinates are in Montgomery form, x·2^256
 * mod q; section 10 holds 64 bytes that identify the circuit, then the phase-2 contributions:
 *
 *     δ·G1 after it (64)  key: 2 points of G1, 1 of G2 (256)  transcript hash (64)
 *     type u32 (0 person, 1 beacon)  parameter bytes u32, then tagged parameters:
 *         1 length u8 name   2 exponent u8   3 length u8 beacon hash
 */

/** One contribution to phase 2. */
export type Contribution = {
  /** What its contributor called it, or a description where they did not. */
  readonly name: string
  readonly kind: 'person' | 'beacon'
  /** δ·G1 after it: identifies this contribution and all before it. */
  readonly delta1: G1Coordinates
}

/** What a proving key says about itself. */
export type ProvingKeySummary = {
  readonly verifyingKey: Groth16VerifyingKey
  readonly wires: number
  readonly domain: number
  /** 64 bytes: hash of the circuit and the powers of tau, or the mark of a development setup. */
  readonly circuitHash: Hex
  /** Whether it carries the mark of a development setup. */
  readonly development: boolean
  /** In order; empty before phase 2. */
  readonly contributions: readonly Contribution[]
}

/** `DEVELOPMENT_MARK` of prover/native/src/groth16_setup.rs. */
const DEVELOPMENT_MARK = 'platemark development setup: insecure, anyone could forge'

const { Fp, Fr } = bn254.fields
const MONTGOMERY_INVERSE = Fp.inv(Fp.create(1n << 256n))

const SECTIONS = 10
/** Sections 3 and 10 are read into memory; nothing honest comes near. */
const MAX_SECTION_BYTES = 1 << 24

type Extent = { readonly offset: number; readonly length: number }

/**
 * Reads the header, public points and contributions of a proving key and checks that they fit
 * together: the lengths of all sections, every point, β and δ the same in G1 and G2, and the last
 * contribution's δ the key's. Whether the key belongs to a circuit, and whether its contributions are
 * proven, `verifyCeremony` checks.
 *
 * @throws {PlatemarkError} naming the section.
 * @example
 * const { verifyingKey, contributions } = await readProvingKey('proving-key.zkey')
 */
export async function readProvingKey(path: string): Promise<ProvingKeySummary> {
  const file = await open(path, 'r').catch((cause: Error) => {
    throw new PlatemarkError('The proving key could not be read.', { found: cause.message, cause })
  })
  try {
    const read = async ({ offset, length }: Extent) => {
      const bytes = Buffer.alloc(length)
      const { bytesRead } = await file.read(bytes, 0, length, offset)
      if (bytesRead !== length) refuse('length', `${offset + length} bytes`, offset + bytesRead)
      return bytes
    }
    const sections = await readSections((await file.stat()).size, read)
    const content = (id: number) => {
      const extent = sections.get(id)!
      if (extent.length > MAX_SECTION_BYTES)
        refuse(`section ${id}`, `at most ${MAX_SECTION_BYTES} bytes`, extent.length)
      return read(extent)
    }
    const protocol = cursor(await content(1), 1)
    if (protocol.u32() !== 1) refuse('section 1', 'protocol 1 (Groth16)', 'another protocol')
    protocol.end()
    const header = readHeader(cursor(await content(2), 2))
    checkLengths(sections, header)
    const ic = cursor(await content(3), 3)
    const verifyingKey = parseVerifyingKey({
      format: 'platemark-groth16-verifying-key',
      version: 1,
      nPublic: header.nPublic,
      alpha1: header.alpha1,
      beta2: header.beta2,
      gamma2: header.gamma2,
      delta2: header.delta2,
      ic: Array.from({ length: header.nPublic + 1 }, () => ic.g1()),
    })
    const { wires, domain } = header
    const transcript = readTranscript(cursor(await content(10), 10))
    checkSameSecrets(header, transcript.contributions)
    return { verifyingKey, wires, domain, ...transcript }
  } finally {
    await file.close()
  }
}

type Header = {
  readonly wires: number
  readonly nPublic: number
  readonly domain: number
  readonly alpha1: G1Coordinates
  readonly beta1: G1Coordinates
  readonly beta2: G2Coordinates
  readonly gamma2: G2Coordinates
  readonly delta1: G1Coordinates
  readonly delta2: G2Coordinates
}

async function readSections(
  size: number,
  read: (extent: Extent) => Promise<Buffer>,
): Promise<ReadonlyMap<number, Extent>> {
  if (size < 12) refuse('header', '12 bytes', size)
  const head = await read({ offset: 0, length: 12 })
  if (head.toString('latin1', 0, 4) !== 'zkey')
    refuse('header', 'the letters "zkey"', JSON.stringify(head.toString('latin1', 0, 4)))
  if (head.readUInt32LE(4) !== 1) refuse('version', '1', head.readUInt32LE(4))
  if (head.readUInt32LE(8) !== SECTIONS) refuse('section count', SECTIONS, head.readUInt32LE(8))
  const sections = new Map<number, Extent>()
  let offset = 12
  for (let i = 0; i < SECTIONS; i++) {
    if (size - offset < 12) refuse('section header', '12 bytes', size - offset)
    const entry = await read({ offset, length: 12 })
    const id = entry.readUInt32LE(0)
    const length = Number(entry.readBigUInt64LE(4))
    offset += 12
    if (id < 1 || id > SECTIONS || sections.has(id))
      refuse('section table', `sections 1 to ${SECTIONS} once each`, `section ${id}`)
    if (length > size - offset) refuse(`section ${id}`, `at most ${size - offset} bytes`, length)
    sections.set(id, { offset, length })
    offset += length
  }
  if (offset !== size) refuse('length', `${offset} bytes`, size)
  return sections
}

function readHeader(input: Cursor): Header {
  for (const { ORDER, name } of [
    { ORDER: Fp.ORDER, name: 'base' },
    { ORDER: Fr.ORDER, name: 'scalar' },
  ]) {
    if (input.u32() !== 32 || input.integer() !== ORDER)
      refuse('section 2', `the ${name} field of BN254`, 'another field')
  }
  const [wires, nPublic, domain] = [input.u32(), input.u32(), input.u32()]
  if (nPublic >= wires) refuse('section 2', 'more wires than public signals', nPublic)
  if (domain < 2 || (domain & (domain - 1)) !== 0)
    refuse('section 2', 'a domain of a power of two', domain)
  const points = {
    alpha1: input.g1(),
    beta1: input.g1(),
    beta2: input.g2(),
    gamma2: input.g2(),
    delta1: input.g1(),
    delta2: input.g2(),
  }
  input.end()
  return { wires, nPublic, domain, ...points }
}

function checkLengths(
  sections: ReadonlyMap<number, Extent>,
  { wires, nPublic, domain }: Header,
): void {
  const lengths: Readonly<Record<number, number>> = {
    3: (nPublic + 1) * 64,
    5: wires * 64,
    6: wires * 64,
    7: wires * 128,
    8: (wires - nPublic - 1) * 64,
    9: domain * 64,
  }
  for (const [id, length] of Object.entries(lengths)) {
    const found = sections.get(Number(id))?.length
    if (found !== length) refuse(`section ${id}`, `${length} bytes`, found)
  }
}

function readTranscript(
  input: Cursor,
): Pick<ProvingKeySummary, 'circuitHash' | 'development' | 'contributions'> {
  const circuitHash = input.bytes(64)
  const count = input.u32()
  const contributions: Contribution[] = []
  for (let i = 0; i < count; i++) {
    const delta1 = input.g1()
    input.bytes(64 + 64 + 128 + 64)
    const type = input.u32()
    if (type > 1) refuse('section 10', 'a contribution of type 0 or 1', type)
    const name = readName(input)
    const kind = type === 1 ? 'beacon' : 'person'
    contributions.push({ name: name || `${kind} ${i + 1}`, kind, delta1 })
  }
  input.end()
  return {
    circuitHash: bytesToHex(circuitHash),
    development: circuitHash.toString('latin1').startsWith(DEVELOPMENT_MARK),
    contributions,
  }
}

function readName(input: Cursor): string {
  const parameters = cursor(input.bytes(input.u32()), 10)
  let name = ''
  let last = 0
  while (parameters.left() > 0) {
    const tag = parameters.bytes(1)[0]!
    if (tag <= last || tag > 3) refuse('section 10', 'parameter tags 1 to 3 in rising order', tag)
    last = tag
    const byte = parameters.bytes(1)[0]!
    if (tag === 2) continue
    const value = parameters.bytes(byte)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a name may hold terminal escapes
    if (tag === 1) name = value.toString('utf8').replace(/[\u0000-\u001f\u007f-\u009f]/g, '')
  }
  return name
}

/** β and δ in G1 and G2 have the same logarithm, and the last contribution led to this δ. */
function checkSameSecrets(header: Header, contributions: readonly Contribution[]): void {
  const { G1, G2 } = bn254
  for (const [name, point1, point2] of [
    ['beta', header.beta1, header.beta2],
    ['delta', header.delta1, header.delta2],
  ] as const) {
    const one = bn254.pairingBatch([
      { g1: checkedG1(point1, `${name}1`), g2: G2.Point.BASE },
      { g1: G1.Point.BASE.negate(), g2: g2Point(point2) },
    ])
    if (!bn254.fields.Fp12.eql(one, bn254.fields.Fp12.ONE))
      refuse('section 2', `the same ${name} in G1 and G2`, 'two different ones')
  }
  const last = contributions.at(-1)?.delta1
  if (last !== undefined && String(last) !== String(header.delta1))
    refuse('section 10', 'a last contribution that led to this delta', 'another delta')
}

function checkedG1(coordinates: G1Coordinates, name: string) {
  const point = g1Point(coordinates)
  try {
    if (point.is0()) throw new Error('infinity')
    point.assertValidity()
  } catch {
    refuse('section 2', `${name} a point of G1`, 'none')
  }
  return point
}

type Cursor = ReturnType<typeof cursor>

/** Reads a section from front to back and never beyond. */
function cursor(content: Buffer, section: number) {
  let at = 0
  const bytes = (count: number): Buffer => {
    if (count > content.length - at)
      refuse(`section ${section}`, `${count} more bytes`, content.length - at)
    at += count
    return content.subarray(at - count, at)
  }
  const integer = () => BigInt(`0x${Buffer.from(bytes(32)).reverse().toString('hex')}`)
  const coordinate = (): Hex => {
    const montgomery = integer()
    if (montgomery >= Fp.ORDER)
      refuse(`section ${section}`, 'a coordinate below the modulus', 'a larger one')
    return `0x${Fp.mul(montgomery, MONTGOMERY_INVERSE).toString(16).padStart(64, '0')}`
  }
  const complex = (): Fp2Coordinates => [coordinate(), coordinate()]
  return {
    bytes,
    integer,
    u32: () => bytes(4).readUInt32LE(0),
    g1: (): G1Coordinates => [coordinate(), coordinate()],
    g2: (): G2Coordinates => [complex(), complex()],
    left: () => content.length - at,
    end: () => {
      if (at !== content.length)
        refuse(`section ${section}`, 'its end', `${content.length - at} more bytes`)
    },
  }
}

function refuse(part: string, expected: string | number, found: unknown): never {
  throw new PlatemarkError(`The proving key's ${part} is wrong.`, {
    expected: String(expected),
    found: String(found),
    fix: 'Run `platemark setup` again, or take the file from its source once more.',
  })
}
