/** What every error of the toolkit says beyond its one-line message. */
export type PlatemarkErrorOptions = {
  /** What was expected. */
  readonly expected?: string
  /** What was found instead. */
  readonly found?: string
  /** What the user can do about it. */
  readonly fix?: string
  readonly cause?: unknown
}

/**
 * The base of all errors that a user can cause or cure. The command line prints its parts and exits
 * with code 2; anything else that is thrown is a bug of ours.
 *
 * @example
 * throw new PlatemarkError('The seed is not canonical.', {
 *   expected: 'a decimal integer without leading zeros',
 *   found: '"007"',
 *   fix: 'Pass 7.',
 * })
 */
export class PlatemarkError extends Error {
  override readonly name: string = 'PlatemarkError'
  readonly shortMessage: string
  readonly expected: string | undefined
  readonly found: string | undefined
  readonly fix: string | undefined

  constructor(shortMessage: string, options: PlatemarkErrorOptions = {}) {
    const lines = [
      shortMessage,
      ...(options.expected === undefined ? [] : [`  expected: ${options.expected}`]),
      ...(options.found === undefined ? [] : [`  found:    ${options.found}`]),
      ...(options.fix === undefined ? [] : [`  fix:      ${options.fix}`]),
    ]
    super(lines.join('\n'), options.cause === undefined ? {} : { cause: options.cause })
    this.shortMessage = shortMessage
    this.expected = options.expected
    this.found = options.found
    this.fix = options.fix
  }
}
