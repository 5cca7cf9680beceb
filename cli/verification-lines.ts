import { printable } from '../model-export/json-fields.js'
import type { Verification } from '../prover/verification.js'

const marks = { passed: '✓', failed: '✗', skipped: '–' } as const

/** A verification for a person: one line a check, then the verdict. */
export function verificationLines({ valid, reason, checks }: Verification): readonly string[] {
  const width = Math.max(...checks.map(({ name }) => name.length))
  return [
    ...checks.map(
      ({ name, result, detail }) => `${marks[result]} ${name.padEnd(width)}  ${printable(detail)}`,
    ),
    valid ? 'valid' : `INVALID: ${printable(reason ?? '')}`,
  ]
}
