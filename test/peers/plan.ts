import type { Settings } from './measure.js'
import type { Row } from './row.js'

/** Seconds of a row besides its stages: a process, a local chain, sumcheck again for comparison. */
const AROUND = 20

/** Proofs that take longer are made once. */
const ENOUGH_SECONDS = 60

/** A row before it is measured. */
export type PlannedRow = {
  readonly model: string
  readonly prover: string
  /** What it took when it was measured last, cut off at the limits; undefined where it never was. */
  readonly seconds: number | undefined
  /** The most that its stages may take. */
  readonly most: number
}

/** What a row will take, from the last results. */
export function planRow(
  model: string,
  prover: string,
  last: readonly Row[],
  { limits, proofs }: Pick<Settings, 'limits' | 'proofs'>,
): PlannedRow {
  const row = last.find((it) => it.model === model && it.prover === prover)
  // Compile, setup, and one proof at the limit, or several short ones.
  const most = AROUND + 2 * limits.seconds + Math.max(limits.seconds, proofs * ENOUGH_SECONDS)
  if (row === undefined || row.status === 'not installed' || row.status === 'failed')
    return { model, prover, seconds: undefined, most }
  const stage = (seconds: number | null) => Math.min(seconds ?? 0, limits.seconds)
  const prove = stage(row.proveSeconds)
  const stopped = row.status === 'time limit' ? limits.seconds : 0
  const seconds = [
    AROUND,
    stage(row.compileSeconds),
    stage(row.setupSeconds),
    prove * (prove > ENOUGH_SECONDS ? 1 : proofs),
    stopped,
  ].reduce((sum, part) => sum + part, 0)
  return { model, prover, seconds: Math.round(seconds), most }
}
