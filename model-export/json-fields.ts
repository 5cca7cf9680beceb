import { readFile } from 'node:fs/promises'
import { PlatemarkError } from './platemark-error.js'

/**
 * Strict reading of JSON that somebody else may have written: every accessor checks the type and
 * throws an error that names the file and the field.
 *
 * @example
 * const fields = await readJsonFile('image.provenance.json', 'provenance bundle')
 * const seed = fields.get('statement').get('seed').text()
 */
export type Field = {
  /** Where this value stands, e.g. `image.provenance.json: statement.seed`. */
  readonly where: string
  readonly value: unknown
  /** A required member of an object. */
  readonly get: (name: string) => Field
  /** An optional member of an object: undefined when absent. */
  readonly find: (name: string) => Field | undefined
  /** Names of an object's members, after checking that all of them are among `allowed`. */
  readonly only: (...allowed: readonly string[]) => Field
  readonly items: () => readonly Field[]
  readonly text: () => string
  /** A string that is safe to print: at most 1000 characters, none of them a control character. */
  readonly plain: () => string
  readonly boolean: () => boolean
  /** A safe integer within the bounds, inclusive. */
  readonly integer: (min: number, max: number) => number
  readonly number: () => number
  /** A decimal string without sign or leading zeros, below `limit`. */
  readonly decimal: (limit: bigint) => bigint
  /** Lower-case 0x-hex of exactly `bytes` bytes, or of any whole number of bytes when undefined. */
  readonly hex: (bytes?: number) => `0x${string}`
  /** Exactly one of the given values. */
  readonly oneOf: <T extends string | number>(...allowed: readonly T[]) => T
  /** Throws the error that this field is not what it should be. */
  readonly fail: (expected: string) => never
}

/**
 * Parses a JSON file for strict reading.
 *
 * @param kind - what the file is, in words, for messages
 * @throws {PlatemarkError} when the file is absent, unreadable or not JSON.
 */
export async function readJsonFile(path: string, kind: string): Promise<Field> {
  const content = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new PlatemarkError(`The ${kind} could not be read.`, {
      expected: `a file at ${path}`,
      found: cause.code === 'ENOENT' ? 'no such file' : cause.message,
      cause,
    })
  })
  return parseJson(content, path, kind)
}

/** Parses JSON text for strict reading; `source` names it in messages. */
export function parseJson(content: string, source: string, kind: string): Field {
  try {
    return field(JSON.parse(content), source, '')
  } catch (cause) {
    throw new PlatemarkError(`The ${kind} is not JSON.`, {
      expected: `a ${kind} written by platemark`,
      found: `${source}: ${cause instanceof Error ? cause.message : String(cause)}`,
      fix: 'Check that the file is complete; write it again if it was cut off.',
      cause,
    })
  }
}

/** Wraps an already parsed value for strict reading. */
export function field(value: unknown, source: string, path = ''): Field {
  const where = path === '' ? source : `${source}: ${path}`
  const fail = (expected: string): never => {
    throw new PlatemarkError(`${where} is not what it should be.`, {
      expected,
      found: describe(value),
    })
  }
  const object = (): Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : fail('an object')
  const member = (name: string) => (path === '' ? name : `${path}.${name}`)
  const self: Field = {
    where,
    value,
    fail,
    get: (name) => {
      const members = object()
      if (!Object.hasOwn(members, name))
        throw new PlatemarkError(`${where} lacks a field.`, {
          expected: `a field "${name}"`,
          found: `fields ${Object.keys(members).slice(0, 20).join(', ') || '(none)'}`,
        })
      return field(members[name], source, member(name))
    },
    find: (name) => {
      const members = object()
      return Object.hasOwn(members, name) ? field(members[name], source, member(name)) : undefined
    },
    only: (...allowed) => {
      const stranger = Object.keys(object()).find((name) => !allowed.includes(name))
      if (stranger !== undefined)
        throw new PlatemarkError(`${where} has an unknown field.`, {
          expected: `only ${allowed.join(', ')}`,
          found: `"${stranger.slice(0, 80)}"`,
        })
      return self
    },
    items: () =>
      Array.isArray(value)
        ? value.map((item, index) => field(item, source, `${path}[${index}]`))
        : fail('an array'),
    text: () => (typeof value === 'string' ? value : fail('a string')),
    plain: () =>
      typeof value === 'string' && value.length <= MAX_PLAIN && printable(value) === value
        ? value
        : fail(`a string of at most ${MAX_PLAIN} characters, none of them a control character`),
    boolean: () => (typeof value === 'boolean' ? value : fail('true or false')),
    number: () =>
      typeof value === 'number' && Number.isFinite(value) ? value : fail('a finite number'),
    integer: (min, max) =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
        ? value
        : fail(`an integer from ${min} to ${max}`),
    decimal: (limit) => {
      const good =
        typeof value === 'string' && value.length <= 100 && /^(0|[1-9][0-9]*)$/.test(value)
      return good && BigInt(value) < limit
        ? BigInt(value)
        : fail(`a decimal string without leading zeros, below ${limit}`)
    },
    hex: (bytes) => {
      const good = typeof value === 'string' && /^0x(?:[0-9a-f]{2})*$/.test(value)
      return good && (bytes === undefined || value.length === 2 + 2 * bytes)
        ? (value as `0x${string}`)
        : fail(`lower-case 0x-hex${bytes === undefined ? '' : ` of ${bytes} bytes`}`)
    },
    oneOf: (...allowed) =>
      allowed.find((candidate) => candidate === value) ??
      fail(allowed.map((candidate) => JSON.stringify(candidate)).join(' or ')),
  }
  return self
}

const MAX_PLAIN = 1000

/** Control characters, line separators and changes of writing direction: they rewrite what is shown. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/**
 * Text from a stranger, for a terminal: without what could hide or forge other lines.
 *
 * @example
 * printable('red \x1b[31m') // 'red \ufffd[31m'
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\ufffd')
}

function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
