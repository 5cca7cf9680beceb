import type { Hex } from 'viem'
import { loadAddon, messageOf } from '../model-export/native-addon.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { Progress } from '../model-export/progress.js'

/** What a development setup was made for. */
export type DevelopmentSetupSummary = {
  readonly constraints: number
  readonly wires: number
  /** Public outputs and inputs. */
  readonly publicSignals: number
  /** Size of the evaluation domain, a power of two. */
  readonly domain: number
}

/** A checked powers-of-tau file. */
export type PowersOfTauSummary = {
  /** log2 of the number of powers. */
  readonly power: number
  /** The same of the ceremony that the file was cut from. */
  readonly ceremonyPower: number
  /** Whether it has the Lagrange sections that a Groth16 setup needs. */
  readonly prepared: boolean
  /** Names in order. Empty: a development file, whose maker knows tau. */
  readonly contributions: readonly string[]
  readonly sha256: Hex
  /** BLAKE2b-512, the hash that ceremonies publish. */
  readonly blake2b: Hex
  readonly bytes: number
  readonly seconds: number
}

type ReportProgress = (step: string, done: number, total: number) => void

/** The functions of `prover/native/src/bindings.rs`. */
export type Addon = {
  readonly developmentSetup: (
    r1cs: string,
    zkey: string,
    progress: ReportProgress,
  ) => Promise<DevelopmentSetupSummary>
  readonly developmentPowersOfTau: (
    path: string,
    power: number,
    progress: ReportProgress,
  ) => Promise<void>
  readonly checkPowersOfTau: (path: string, progress: ReportProgress) => Promise<PowersOfTauSummary>
}

/**
 * Reads circom's `.r1cs` and writes a Groth16 proving key of one party's making: insecure, marked so
 * inside. The key appears at `zkey` whole or not at all, unless the process is killed.
 *
 * @throws {PlatemarkError} when the constraint system is malformed or too large.
 * @example
 * await developmentSetup('circuit.r1cs', 'proving-key.zkey', silent)
 */
export function developmentSetup(
  r1cs: string,
  zkey: string,
  progress: Progress,
): Promise<DevelopmentSetupSummary> {
  return call((addon) => addon.developmentSetup(r1cs, zkey, reportTo(progress)))
}

/**
 * Writes a powers-of-tau file of one party's making, prepared for phase 2, with no contributions: for
 * tests and trials.
 *
 * @param power - log2 of the number of powers, 1 to 22
 * @throws {PlatemarkError} when the power is out of range or the file cannot be written.
 */
export function developmentPowersOfTau(
  path: string,
  power: number,
  progress: Progress,
): Promise<void> {
  return call((addon) => addon.developmentPowersOfTau(path, power, reportTo(progress)))
}

/**
 * Checks every point of a powers-of-tau file and that all of them belong to one tau, alpha and beta.
 * It cannot check that nobody knows them: compare `blake2b` with what the ceremony published.
 *
 * @throws {PlatemarkError} naming section and offset of what is wrong.
 */
export function checkPowersOfTau(path: string, progress: Progress): Promise<PowersOfTauSummary> {
  return call(async (addon) => {
    const summary = await addon.checkPowersOfTau(path, reportTo(progress))
    return { ...summary, contributions: [...summary.contributions] }
  })
}

/**
 * The addon; the functions here load it on first use, so that nothing else of the toolkit needs it.
 *
 * @throws {PlatemarkError} saying how to build it when it is not there or does not load.
 */
export function loadNative(): Addon {
  return loadAddon() as Addon
}

async function call<T>(action: (addon: Addon) => Promise<T>): Promise<T> {
  const native = loadNative()
  try {
    return await action(native)
  } catch (cause) {
    const [message = '', expected, found, fix] = messageOf(cause).split('\u001f')
    throw new PlatemarkError(message, {
      ...(expected ? { expected } : {}),
      ...(found ? { found } : {}),
      ...(fix ? { fix } : {}),
      cause,
    })
  }
}

function reportTo(progress: Progress): ReportProgress {
  return (step, done, total) => progress({ step, done, total })
}
