import { createHash, randomBytes } from 'node:crypto'
import { copyFile } from 'node:fs/promises'
import type { Hex } from 'viem'
import { makeFileAtomic } from '../../model-export/atomic-write.js'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Progress } from '../../model-export/progress.js'
import type { SetupRecord } from '../backend.js'
import { checkPowersOfTau } from '../native.js'
import { readKeys, replaceKeys } from './key-files.js'
import { plateFiles, requireFile } from './plate-files.js'
import { describeCeremony } from './setup.js'
import { runSnarkjs, trySnarkjs } from './snarkjs-process.js'
import { checkVerifyingKeyForExport } from './verifying-key.js'
import { type Contribution, type ProvingKeySummary, readProvingKey } from './zkey.js'

/*
 * Phase 2 of a Groth16 setup, in the manner of Bowe, Gabizon and Miers (eprint 2017/1050), computed by
 * snarkjs. δ starts at 1 and each contribution multiplies it by a secret; the key is sound as soon as
 * one contributor has forgotten theirs, and anybody can check the whole chain afterwards.
 *
 * The way of a ceremony: the coordinator runs `setup --ptau` and sends `groth16/proving-key.zkey` to the
 * first contributor. Each contributor turns the file they got into the next (`contributeToFile`), which
 * needs no plate, and sends it back; the coordinator takes it over (`importContribution`), which checks
 * it, and sends it to the next. At the end comes a public random `beacon`, and everyone can run
 * `verifyCeremony` with the circuit, the powers of tau and the last key.
 */

export type ContributeOptions = {
  /** Who contributes, 1 to 64 characters: becomes part of the key. */
  readonly name: string
  /** Mixed with randomness of the operating system, which suffices on its own. */
  readonly entropy?: string
}

export type BeaconOptions = {
  /** Public randomness that nobody could know before the last contribution, e.g. a later block hash. */
  readonly hash: Hex
  /** The hash is iterated 2^iterations times, 10 to 32. */
  readonly iterations: number
  readonly name: string
}

export type CeremonyVerdict =
  | { readonly valid: true; readonly contributions: readonly Contribution[] }
  /** `reason` names the check that failed. */
  | { readonly valid: false; readonly reason: string }

/**
 * Contributes to the key in a plate.
 *
 * @throws {PlatemarkError} when the key is a development key, or the ceremony is closed by a beacon.
 * @example
 * const { contributions } = await contribute(plate, { name: 'Ada' }, silent)
 */
export async function contribute(
  plate: Pick<Plate, 'directory'>,
  options: ContributeOptions,
  progress: Progress,
): Promise<SetupRecord> {
  requireName(options.name)
  const { record, key } = await readKeys(plate)
  requireOpen(key)
  return replace(plate, record, key, (provingKey) =>
    runContribution(plateFiles(plate).provingKey, provingKey, options, progress),
  )
}

/**
 * Contributes to the key in a file, for somebody who does not have the plate.
 *
 * @param input - the proving key that the coordinator sent
 * @param output - where the proving key to send back appears
 * @returns all contributions in the new key, the own one last
 * @throws {PlatemarkError} as `contribute`.
 */
export async function contributeToFile(
  input: string,
  output: string,
  options: ContributeOptions,
  progress: Progress,
): Promise<readonly Contribution[]> {
  requireName(options.name)
  const before = await readProvingKey(input)
  requireOpen(before)
  let contributions: readonly Contribution[] = []
  await makeFileAtomic(output, async (partial) => {
    await runContribution(input, partial, options, progress)
    const after = await readProvingKey(partial)
    requireContinuation(before, after, 1)
    contributions = after.contributions
  })
  return contributions
}

/**
 * Takes over a key that others have contributed to, after checking the whole of it: that it continues
 * the plate's key, and that every contribution is proven.
 *
 * @param file - proving key from `contributeToFile`
 * @param ptau - the powers of tau that the plate was set up with
 * @throws {PlatemarkError} when it does not continue the plate's key or does not verify.
 */
export async function importContribution(
  plate: Pick<Plate, 'directory'>,
  file: string,
  ptau: string,
  progress: Progress,
): Promise<SetupRecord> {
  const { record, key } = await readKeys(plate)
  requireOpen(key)
  return replace(plate, record, key, async (provingKey) => {
    // Verified is what is taken over, even if the file changes meanwhile.
    await copyFile(file, provingKey)
    requireContinuation(key, await readProvingKey(provingKey))
    const powers = await checkPowersOfTau(ptau, progress)
    if (powers.sha256 !== record.ptauSha256) throw otherPowers(record, powers.sha256)
    const failure = await verifyTranscript(plate, provingKey, ptau, progress)
    if (failure !== undefined)
      throw new PlatemarkError('The contributed key does not verify.', {
        expected: 'a key that snarkjs zkey verify accepts',
        found: failure,
        fix: 'Ask the contributor to contribute again to the file that you sent.',
      })
  })
}

/**
 * Closes the ceremony with public randomness, so that the last contributor could not choose the key.
 *
 * @throws {PlatemarkError} when the options are not as described, or as `contribute`.
 */
export async function beacon(
  plate: Pick<Plate, 'directory'>,
  { hash, iterations, name }: BeaconOptions,
  progress: Progress,
): Promise<SetupRecord> {
  requireName(name)
  if (!/^0x(?:[0-9a-f]{2}){16,255}$/.test(hash))
    throw new PlatemarkError('The beacon is not usable.', {
      expected: '0x and 16 to 255 bytes of lower-case hex',
      found: JSON.stringify(hash.slice(0, 80)),
    })
  if (!Number.isInteger(iterations) || iterations < 10 || iterations > 32)
    throw new PlatemarkError('The number of iterations is out of range.', {
      expected: 'an exponent from 10 to 32',
      found: String(iterations),
    })
  const { record, key } = await readKeys(plate)
  requireOpen(key)
  if (!key.contributions.some(({ kind }) => kind === 'person'))
    throw new PlatemarkError('A beacon alone makes no secure key: it is public.', {
      expected: 'at least one contribution before it',
      found: 'none',
      fix: 'Run `platemark ceremony contribute` first.',
    })
  return replace(plate, record, key, async (provingKey) => {
    progress({ step: 'apply the beacon' })
    const { provingKey: before } = plateFiles(plate)
    const digits = hash.slice(2)
    await runSnarkjs([
      'zkey',
      'beacon',
      before,
      provingKey,
      digits,
      String(iterations),
      `-n=${name}`,
    ])
  })
}

/**
 * Checks a finished ceremony from its beginning: powers of tau, circuit, every contribution, and that
 * the plate's three key files agree.
 *
 * The circuit is the one in the plate; to know that it is the model's, compile the model oneself.
 *
 * @param ptau - the powers of tau that the plate was set up with
 * @throws {PlatemarkError} when a file is missing or malformed.
 */
export async function verifyCeremony(
  plate: Pick<Plate, 'directory'>,
  ptau: string,
  progress: Progress,
): Promise<CeremonyVerdict> {
  const no = (reason: string): CeremonyVerdict => ({ valid: false, reason })
  const { record, key } = await readKeys(plate)
  if (key.development) return no('setup: it is a development setup')
  if (!key.contributions.some(({ kind }) => kind === 'person'))
    return no('phase 2: nobody has contributed')
  try {
    checkVerifyingKeyForExport(key.verifyingKey, record)
  } catch (error) {
    if (error instanceof PlatemarkError) return no(`verifying key: ${error.shortMessage}`)
    throw error
  }
  const powers = await checkPowersOfTau(ptau, progress)
  if (powers.sha256 !== record.ptauSha256) return no('powers of tau: not those of the setup')
  const failure = await verifyTranscript(plate, plateFiles(plate).provingKey, ptau, progress)
  if (failure !== undefined) return no(`phase 2: ${failure}`)
  if (powers.contributions.length === 0) return no('powers of tau: nobody has contributed to them')
  return { valid: true, contributions: key.contributions }
}

async function replace(
  plate: Pick<Plate, 'directory'>,
  record: SetupRecord,
  before: ProvingKeySummary,
  make: (provingKey: string) => Promise<void>,
): Promise<SetupRecord> {
  const { ptauSha256, ptauContributions } = record
  if (ptauSha256 === undefined || ptauContributions === undefined)
    throw new PlatemarkError('The setup record does not name the powers of tau.', {
      expected: 'fields ptauSha256 and ptauContributions in setup.json',
      fix: 'Run `platemark setup` with --ptau again.',
    })
  return replaceKeys(plate, make, (after) => {
    requireContinuation(before, after)
    return describeCeremony(after, ptauSha256, ptauContributions)
  })
}

async function runContribution(
  input: string,
  output: string,
  { name, entropy }: ContributeOptions,
  progress: Progress,
): Promise<void> {
  progress({ step: 'contribute to phase 2' })
  // snarkjs adds 64 bytes of the system's randomness itself and wants some text all the same.
  const secret = createHash('sha512')
    .update(randomBytes(64))
    .update(entropy ?? '')
    .digest('hex')
  await runSnarkjs(['zkey', 'contribute', input, output, `-n=${name}`], {
    secretArguments: [`-e=${secret}`],
  })
}

/** Why snarkjs refuses the chain from circuit and powers to the key; undefined when it accepts. */
async function verifyTranscript(
  plate: Pick<Plate, 'directory'>,
  provingKey: string,
  ptau: string,
  progress: Progress,
): Promise<string | undefined> {
  const { r1cs } = plateFiles(plate)
  requireFile(r1cs, 'circuit', 'Run `platemark compile` with --backend groth16.')
  progress({ step: 'verify phase 2' })
  const { exitCode, output } = await trySnarkjs(['zkey', 'verify', r1cs, ptau, provingKey])
  if (exitCode === 0 && output.includes('ZKey Ok!')) return undefined
  return output.trim().split('\n').slice(-3).join(' ').slice(-300) || `exit code ${exitCode}`
}

function requireOpen(key: ProvingKeySummary): void {
  if (key.development)
    throw new PlatemarkError('A development key cannot become a secure one.', {
      expected: 'a key made from powers of tau',
      found: 'a development key: its maker knows all its secrets',
      fix: 'Run `platemark setup` with --ptau.',
    })
  if (key.contributions.at(-1)?.kind === 'beacon')
    throw new PlatemarkError('The ceremony is closed.', {
      expected: 'a key without a beacon',
      found: 'a beacon as its last contribution',
      fix: 'Run `platemark setup` with --ptau to begin another.',
    })
}

/** The new key is the old one with contributions added: another δ and nothing else. */
function requireContinuation(
  before: ProvingKeySummary,
  after: ProvingKeySummary,
  added?: number,
): void {
  const rest = ({ verifyingKey, wires, domain, circuitHash }: ProvingKeySummary) =>
    JSON.stringify([{ ...verifyingKey, delta2: undefined }, wires, domain, circuitHash])
  const count = before.contributions.length
  const kept = JSON.stringify(after.contributions.slice(0, count))
  if (rest(before) !== rest(after) || kept !== JSON.stringify(before.contributions))
    throw new PlatemarkError('The key does not continue the one it should.', {
      expected: `the same circuit and the same first ${count} contributions`,
      found: `contributions ${after.contributions.map(({ name }) => name).join(', ') || '(none)'}`,
      fix: 'Contribute to the file that the coordinator sent last.',
    })
  const more = after.contributions.length - count
  if (more < 1 || (added !== undefined && more !== added))
    throw new PlatemarkError('The key has the wrong number of new contributions.', {
      expected: added === undefined ? 'at least 1' : String(added),
      found: String(more),
    })
}

function requireName(name: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they would garble every listing
  if (/^[^\u0000-\u001f\u007f-\u009f]{1,64}$/.test(name) && name.trim() === name) return
  throw new PlatemarkError('The name of the contribution is not usable.', {
    expected: '1 to 64 characters, no control characters, no spaces around it',
    found: JSON.stringify(name.slice(0, 80)),
  })
}

function otherPowers(record: SetupRecord, found: Hex): PlatemarkError {
  return new PlatemarkError('These are not the powers of tau of the setup.', {
    expected: `SHA-256 ${record.ptauSha256}`,
    found,
    fix: 'Use the file that `platemark setup --ptau` was run with.',
  })
}
