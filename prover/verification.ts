/** One thing that was checked, or why it could not be. */
export type Check = {
  readonly name: string
  readonly result: 'passed' | 'failed' | 'skipped'
  /** What was compared, or what differs, in words. */
  readonly detail: string
}

/** The answer of `verify` and `audit`: valid when nothing failed. What was skipped was left out on request. */
export type Verification = {
  readonly valid: boolean
  /** The first failed check in words; absent when valid. */
  readonly reason?: string
  readonly checks: readonly Check[]
}

/** Sums up checks in the order in which they were made. */
export function verdictOf(checks: readonly Check[]): Verification {
  const failed = checks.find((check) => check.result === 'failed')
  return failed === undefined
    ? { valid: true, checks }
    : { valid: false, reason: `${failed.name}: ${failed.detail}`, checks }
}

/** A check that two values are equal; `detail` shows both when they are not. */
export function equality(name: string, expected: string, found: string, ok: string): Check {
  return expected === found
    ? { name, result: 'passed', detail: ok }
    : { name, result: 'failed', detail: `expected ${expected}, found ${found}` }
}
