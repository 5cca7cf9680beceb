import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bn254 } from '@noble/curves/bn254.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { silent } from '../../model-export/progress.js'
import { developmentPowersOfTau } from '../native.js'
import {
  beacon,
  contribute,
  contributeToFile,
  importContribution,
  verifyCeremony,
} from './ceremony.js'
import type { Groth16Proof } from './encoding.js'
import { readKeys } from './key-files.js'
import { runNode } from './node-process.js'
import { plateFiles } from './plate-files.js'
import { makeSamplePlate, proveSample, type SamplePlate } from './sample-circuit.js'
import { setupGroth16 } from './setup.js'
import { verifyWithSnarkjs } from './snarkjs-files.js'
import { runSnarkjs } from './snarkjs-process.js'
import { verifySignals } from './verify.js'
import {
  checkVerifyingKey,
  checkVerifyingKeyForExport,
  type Groth16VerifyingKey,
  g1Point,
  g2Point,
} from './verifying-key.js'

const HASH = `0x${'0123456789abcdef'.repeat(4)}` as const

let plate: SamplePlate
let powers: string
beforeAll(async () => {
  plate = await makeSamplePlate()
  const path = (name: string) => join(plate.directory, name)
  powers = path('prepared.ptau')
  // A ceremony of one in snarkjs' own hands, so that the formats are not only our idea of them.
  await runSnarkjs(['powersoftau', 'new', 'bn128', '3', path('new.ptau')])
  await runSnarkjs(['powersoftau', 'contribute', path('new.ptau'), path('one.ptau'), '-n=Ada'], {
    secretArguments: ['-e=secret'],
  })
  await runSnarkjs(['powersoftau', 'prepare', 'phase2', path('one.ptau'), powers])
})
afterAll(() => plate.remove())

/**
 * The proof that needs no witness: with δ = γ, A = α, B = β, C = −(IC_0 + Σ signal_i·IC_{i+1}) satisfies
 * e(A,B) = e(α,β)·e(Σ…,γ)·e(C,δ) for every choice of signals.
 */
function forge(key: Groth16VerifyingKey, signals: readonly bigint[]): Groth16Proof {
  const [constant, ...bases] = key.ic.map(g1Point)
  const sum = signals.reduce((point, signal, i) => point.add(bases[i]!.multiply(signal)), constant!)
  return {
    a: g1Point(key.alpha1).toAffine(),
    b: g2Point(key.beta2).toAffine(),
    c: sum.negate().toAffine(),
  }
}

test('a key without phase 2 lets anyone forge, and is refused; one contribution ends both', async () => {
  const unfinished = await setupGroth16(plate, { kind: 'ptau', path: powers }, silent)
  expect(unfinished).toMatchObject({
    insecure: true,
    ptauContributions: ['Ada'],
    contributions: [],
  })
  expect(unfinished.note).toContain('Unfinished ceremony')
  const before = (await readKeys(plate)).key.verifyingKey
  const signals = [123456789n, 42n]
  expect(verifySignals(before, signals, forge(before, signals))).toEqual({ valid: true })
  expect(await verifyWithSnarkjs(before, signals, forge(before, signals))).toBe(true)
  expect(() => checkVerifyingKey(before)).toThrow(/delta equals gamma/)
  expect(() => checkVerifyingKeyForExport(before, unfinished)).toThrow(/delta equals gamma/)
  expect(await verifyCeremony(plate, powers, silent)).toEqual({
    valid: false,
    reason: 'phase 2: nobody has contributed',
  })
  await expect(
    beacon(plate, { hash: HASH, iterations: 10, name: 'block' }, silent),
  ).rejects.toThrow(/beacon alone/)

  const record = await contribute(plate, { name: 'Grace', entropy: 'dice: 4 2 6' }, silent)
  expect(record).toMatchObject({ kind: 'ptau', insecure: false, contributions: ['Grace'] })
  const after = (await readKeys(plate)).key.verifyingKey
  expect(verifySignals(after, signals, forge(after, signals)).valid).toBe(false)
  expect(await verifyWithSnarkjs(after, signals, forge(after, signals))).toBe(false)
  checkVerifyingKeyForExport(after, record)
  expect(g2Point(after.gamma2).equals(bn254.G2.Point.BASE)).toBe(true)

  const honest = await proveSample(plate, 42n)
  expect(verifySignals(after, honest.signals, honest.proof)).toEqual({ valid: true })
  expect(await verifyCeremony(plate, powers, silent)).toMatchObject({ valid: true })
})

test('a key goes from hand to hand, and ends with a beacon', async () => {
  const files = plateFiles(plate)
  await setupGroth16(plate, { kind: 'ptau', path: powers }, silent)
  const returned = join(plate.directory, 'from-linus.zkey')
  const listed = await contributeToFile(files.provingKey, returned, { name: 'Linus' }, silent)
  expect(listed.map(({ name, kind }) => [name, kind])).toEqual([['Linus', 'person']])

  // A contribution whose proof of knowledge was tampered with reads well and does not verify.
  const tampered = await readFile(returned)
  const transcript = tampered.length - 'Linus'.length - 2 - 8 - 64
  tampered[transcript]! ^= 1
  const bad = join(plate.directory, 'bad.zkey')
  await writeFile(bad, tampered)
  await expect(importContribution(plate, bad, powers, silent)).rejects.toThrow(/does not verify/)
  expect((await readKeys(plate)).record.contributions).toEqual([])

  const imported = await importContribution(plate, returned, powers, silent)
  expect(imported).toMatchObject({ insecure: false, contributions: ['Linus'] })
  await expect(importContribution(plate, returned, powers, silent)).rejects.toThrow(
    /wrong number of new contributions/,
  )

  const closed = await beacon(plate, { hash: HASH, iterations: 10, name: 'block 1' }, silent)
  expect(closed.contributions).toEqual(['Linus', 'block 1'])
  const verdict = await verifyCeremony(plate, powers, silent)
  expect(verdict.valid && verdict.contributions.map(({ kind }) => kind)).toEqual([
    'person',
    'beacon',
  ])
  await expect(contribute(plate, { name: 'late' }, silent)).rejects.toThrow(/closed/)
})

test('a key of another ceremony is not taken over', async () => {
  await setupGroth16(plate, { kind: 'ptau', path: powers }, silent)
  const files = plateFiles(plate)
  const other = join(plate.directory, 'other.zkey')
  await contributeToFile(files.provingKey, other, { name: 'Mallory' }, silent)
  await contribute(plate, { name: 'Grace' }, silent)
  const before = await readFile(files.provingKey)
  const error = await importContribution(plate, other, powers, silent).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(PlatemarkError)
  expect((error as Error).message).toContain('does not continue')
  expect((await readFile(files.provingKey)).equals(before)).toBe(true)
})

test('trial ceremonies and development keys stay insecure', async () => {
  const trial = join(plate.directory, 'trial.ptau')
  await developmentPowersOfTau(trial, 3, silent)
  await setupGroth16(plate, { kind: 'ptau', path: trial }, silent)
  const record = await contribute(plate, { name: 'Grace' }, silent)
  expect(record).toMatchObject({ insecure: true, contributions: ['Grace'] })
  expect(await verifyCeremony(plate, trial, silent)).toEqual({
    valid: false,
    reason: 'powers of tau: nobody has contributed to them',
  })
  expect(await verifyCeremony(plate, powers, silent)).toEqual({
    valid: false,
    reason: 'powers of tau: not those of the setup',
  })

  await setupGroth16(plate, { kind: 'development' }, silent)
  await expect(contribute(plate, { name: 'Grace' }, silent)).rejects.toThrow(/development key/)
  expect(await verifyCeremony(plate, powers, silent)).toEqual({
    valid: false,
    reason: 'setup: it is a development setup',
  })
})

test('names that would not print well are refused', async () => {
  const { provingKey } = plateFiles(plate)
  for (const name of ['', ' ada', 'a\nb', 'x'.repeat(65)])
    await expect(
      contributeToFile(provingKey, join(plate.directory, 'o.zkey'), { name }, silent),
    ).rejects.toThrow(/name of the contribution/)
})

test('the entropy does not show in the list of processes', async () => {
  const script = join(plate.directory, 'show.mjs')
  await writeFile(
    script,
    `import { readFileSync } from 'node:fs'
    const line = process.platform === 'linux' ? readFileSync('/proc/self/cmdline', 'latin1') : ''
    console.log(JSON.stringify({ line, last: process.argv.at(-1), env: Object.values(process.env) }))`,
  )
  const { output } = await runNode(script, ['open'], { secretArguments: ['-e=hidden'] })
  const shown = JSON.parse(output) as { line: string; last: string; env: string[] }
  expect(shown.last).toBe('-e=hidden')
  expect(shown.line).not.toContain('hidden')
  expect(shown.env.join()).not.toContain('hidden')
})
