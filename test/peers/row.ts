import type { Measurement } from './measure.js'

/** How a row ended. */
export type Status = 'done' | 'time limit' | 'memory limit' | 'refused' | 'not installed' | 'failed'

/** One model with one prover; numbers that it never came to are null. */
export type Row = {
  readonly model: string
  readonly prover: string
  readonly status: Status
  /** Where it ended and why, unless it is done. */
  readonly reason: string | null
  readonly profile: string | null
  readonly compileSeconds: number | null
  readonly setupSeconds: number | null
  readonly proveSeconds: number | null
  /** The sumcheck backend on the same model, right before and right after this row: the mean of both. */
  readonly paired: Paired | null
  /** Of all cores. */
  readonly setupCpuSeconds: number | null
  readonly proveCpuSeconds: number | null
  readonly verifySeconds: number | null
  /** Of the process with all that it started: compile, setup, proofs, without the local chain. */
  readonly peakMemoryBytes: number | null
  /** The same, for each stage. */
  readonly stageMemoryBytes: Readonly<Record<string, number>>
  /** Files that the prover needs besides the model. */
  readonly provingKeyBytes: number | null
  readonly proofBytes: number | null
  /** Whole transaction. */
  readonly gas: number | null
  readonly codeBytes: number | null
  /** Why there is no gas. */
  readonly chain: string | null
  /** Decibels, to the float model. */
  readonly psnr: number | null
  readonly limits: { readonly seconds: number; readonly memoryBytes: number }
  readonly machine: string
  /** Processes that wanted a core when the row began: others' work, above all. */
  readonly load: number
  readonly date: string
  /** When the run began that measured it: rows of one run are compared. */
  readonly run: string
  readonly versions: Readonly<Record<string, string>>
}

export type Paired = { readonly proveSeconds: number; readonly proveCpuSeconds: number }

/** What is known of a model, from whichever prover got so far. */
export type ModelInfo = Pick<Measurement, 'parameters' | 'activations' | 'macs' | 'image'> & {
  readonly name: string
  readonly source: string
}

/** `docs/benchmarks.json`. */
export type Benchmarks = {
  readonly format: 'platemark-benchmarks'
  readonly version: 1
  readonly date: string
  /** The run that `--continue` goes on with. */
  readonly run: string
  readonly machine: string
  readonly versions: Readonly<Record<string, string>>
  readonly models: readonly ModelInfo[]
  readonly rows: readonly Row[]
}
