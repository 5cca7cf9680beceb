import { randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { bn254 } from '@noble/curves/bn254.js'
import { readJsonFile } from '../../model-export/json-fields.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { type NativePowers, sumcheckNative } from './native.js'
import { plateFiles } from './plate-files.js'
import { readG1, readG2 } from './verifier/read-points.js'

/** Powers of tau are read in these steps, up to what a file has. */
const MOST_BITS = 28

/**
 * Reads powers of tau where a user says they are: a `.ptau` file, or a compiled model with keys. They are
 * checked to be powers of one τ, that of the G₂ point that comes with them.
 *
 * @param count - how many are needed
 * @throws {PlatemarkError} when they are missing, too few or not powers.
 * @example
 * const { powers } = await readPowers('model.plate/', 12_288)
 */
export async function readPowers(path: string, count: number): Promise<NativePowers> {
  if (!existsSync(path))
    throw new PlatemarkError('There are no powers of tau here.', {
      expected: 'a .ptau file, or a compiled model with keys',
      found: `no file ${path}`,
    })
  const found = statSync(path).isDirectory()
    ? await platePowers(path)
    : await ptauPowers(path, count)
  if (found.powers.length < 64 * count)
    throw new PlatemarkError('There are too few powers of tau.', {
      expected: `${count} or more`,
      found: `${found.powers.length / 64} in ${path}`,
    })
  const needed = { ...found, powers: found.powers.subarray(0, 64 * count) }
  if (!(await arePowers(needed)))
    throw new PlatemarkError('The powers of tau are not what they should be.', {
      expected: 'powers of one secret, in G₁ and G₂',
      found: `others in ${path}`,
      fix: 'Fetch the file again, or run platemark setup again.',
    })
  return needed
}

/** The powers that setup left in a compiled model, with the G₂ point of its key. */
async function platePowers(directory: string): Promise<NativePowers> {
  const files = plateFiles({ directory })
  if (!existsSync(files.powers) || !existsSync(files.verifyingKey))
    throw new PlatemarkError('The compiled model has no powers of tau.', {
      expected: `files ${files.powers} and ${files.verifyingKey}`,
      fix: `Run platemark setup ${directory}, or give a .ptau file.`,
    })
  const key = await readJsonFile(files.verifyingKey, 'verifying key')
  return {
    powers: await readFile(files.powers),
    tauG2: Buffer.from(key.get('tauG2').hex(128).slice(2), 'hex'),
  }
}

async function ptauPowers(path: string, count: number): Promise<NativePowers> {
  const bits = Math.min(MOST_BITS, Math.ceil(Math.log2(Math.max(2, count))))
  return sumcheckNative()
    .sumcheckPtauPowers(path, bits)
    .catch((cause: unknown) => {
      throw new PlatemarkError('The powers of tau could not be read.', {
        expected: 'a .ptau file in snarkjs format',
        found: (cause as { message?: string }).message ?? String(cause),
        cause,
      })
    })
}

/**
 * Whether points are 1, τ, τ² … of one τ and `tauG2` is τ·G₂: a random combination of them, and the same
 * one of what follows each of them, must differ by the factor τ. Twice, so that a false set passes with
 * at most 2^−100.
 */
export async function arePowers({ powers, tauG2 }: NativePowers): Promise<boolean> {
  const { G1, G2 } = bn254
  const tau = readG2(tauG2)
  const points = powers.length / 64
  if (tau === undefined || readG1(powers.subarray(0, 64))?.equals(G1.Point.BASE) !== true)
    return false
  // Neither off the curve nor infinity, which no power is.
  for (let i = 1; i < points; i++)
    if (readG1(powers.subarray(64 * i, 64 * (i + 1)))?.is0() !== false) return false
  const bits = Math.ceil(Math.log2(points))
  const combine = async (from: Buffer, factors: Float64Array) => {
    const padded = Buffer.alloc(64 * 2 ** bits, powers.subarray(0, 64))
    from.copy(padded)
    return readG1(await sumcheckNative().sumcheckCommit(padded, bits, factors))!
  }
  for (let time = 0; time < 2; time++) {
    const random = randomBytes(8 * (points - 1))
    const factors = new Float64Array(2 ** bits)
    for (let i = 0; i < points - 1; i++) factors[i] = Number(random.readBigUInt64LE(8 * i) >> 13n)
    const low = await combine(powers, factors)
    const high = await combine(powers.subarray(64), factors)
    const product = bn254.pairingBatch([
      { g1: low, g2: tau },
      { g1: high.negate(), g2: G2.Point.BASE },
    ])
    if (!bn254.fields.Fp12.eql(product, bn254.fields.Fp12.ONE)) return false
  }
  return true
}
