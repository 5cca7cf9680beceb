import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bn254 } from '@noble/curves/bn254.js'
import { SCALAR_FIELD } from '../../circuits/field.js'
import { silent } from '../../model-export/progress.js'
import { developmentPowersOfTau } from '../native.js'
import { encodeVerifierPowers, readVerifierPowers, writeHalo2Srs } from './halo2-srs.js'

const { Fp } = bn254.fields
const G1 = bn254.G1.Point
const K = 3
const N = 2 ** K

/** The Montgomery factor 2^256, inverted. */
const UNSCALE = Fp.inv(2n ** 256n % Fp.ORDER)

function point(bytes: Uint8Array, index: number) {
  const coordinate = (offset: number) => {
    const slice = bytes.subarray(offset, offset + 32)
    return Fp.mul(BigInt(`0x${Buffer.from(slice).reverse().toString('hex')}`), UNSCALE)
  }
  return G1.fromAffine({ x: coordinate(index * 64), y: coordinate(index * 64 + 32) })
}

let folder: string
let srs: Buffer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'platemark-srs-'))
  await developmentPowersOfTau(join(folder, 'powers.ptau'), 5, silent)
  await writeHalo2Srs(join(folder, 'powers.ptau'), K, join(folder, 'powers.srs'))
  srs = await readFile(join(folder, 'powers.srs'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('has k, powers, Lagrange form and both points of G2', () => {
  expect(srs.readUInt32LE()).toBe(K)
  expect(srs).toHaveLength(4 + 2 * N * 64 + 256)
  expect(point(srs.subarray(4), 0).equals(G1.BASE)).toBe(true)
})

test('the Lagrange form is in the order of halo2’s roots of unity', () => {
  const powers = srs.subarray(4)
  const lagrange = srs.subarray(4 + N * 64)
  // X^j = Σ_i ω^(ij)·L_i(X), with halo2's ω = 7^((r − 1)/n).
  const power = (base: bigint, exponent: bigint): bigint =>
    exponent === 0n
      ? 1n
      : (power((base * base) % SCALAR_FIELD, exponent >> 1n) * (exponent & 1n ? base : 1n)) %
        SCALAR_FIELD
  const omega = power(7n, (SCALAR_FIELD - 1n) / BigInt(N))
  for (const j of [1, 3]) {
    const sum = Array.from({ length: N }, (_, i) =>
      point(lagrange, i).multiply(power(omega, BigInt(i * j) % BigInt(N))),
    ).reduce((a, b) => a.add(b))
    expect(sum.equals(point(powers, j))).toBe(true)
  }
})

test('a verifier needs only G1 and G2', async () => {
  const powers = await readVerifierPowers(join(folder, 'powers.srs'))
  expect(powers.g1).toEqual(srs.subarray(4, 68))
  expect(powers.g2).toEqual(srs.subarray(-256))
  expect(encodeVerifierPowers(powers)).toHaveLength(4 + 2 * 64 + 256)
})

test('too few powers are refused', async () => {
  await expect(
    writeHalo2Srs(join(folder, 'powers.ptau'), 9, join(folder, 'more.srs')),
  ).rejects.toThrow('do not suffice')
})
