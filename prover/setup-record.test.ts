import fc from 'fast-check'
import { field } from '../model-export/json-fields.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { SetupRecord } from './backend.js'
import { parseSetupRecord } from './setup-record.js'

const record: SetupRecord = {
  format: 'platemark-setup',
  version: 1,
  backend: 'groth16',
  kind: 'ptau',
  insecure: false,
  note: 'Sound if someone was honest.',
  verifyingKeyHash: `0x${'ab'.repeat(32)}`,
  ptauSha256: `0x${'cd'.repeat(32)}`,
  ptauContributions: ['Ada'],
  contributions: ['Grace', 'Linus'],
}

const parse = (value: unknown) => parseSetupRecord(field(value, 'setup.json'))

test('a record survives, with and without its optional fields', () => {
  expect(parse(record)).toEqual(record)
  const { ptauSha256: _1, ptauContributions: _2, contributions: _3, ...required } = record
  expect(parse({ ...required, insecure: true })).toEqual({ ...required, insecure: true })
})

test.each([
  ['a development key', { kind: 'development' }],
  ['powers of tau that nobody names', { ptauSha256: undefined }],
  ['powers of tau without contributions', { ptauContributions: [] }],
  ['a phase 2 without contributions', { contributions: [] }],
  ['no word on phase 2', { contributions: undefined }],
])('a record that calls %s secure is refused', (_, change) => {
  const lie = JSON.parse(JSON.stringify({ ...record, ...change }))
  expect(() => parse(lie)).toThrow('setup.json: insecure')
  expect(parse({ ...lie, insecure: true }).insecure).toBe(true)
})

test('a backend without phase 2 is secure by its powers of tau alone', () => {
  const { contributions: _, ...universal } = { ...record, backend: 'sumcheck' }
  expect(parse(universal)).toEqual(universal)
  expect(() => parse({ ...universal, ptauContributions: [] })).toThrow('setup.json: insecure')
})

test('a note that would rewrite the terminal is refused', () => {
  for (const note of ['\x1b[2Kvalid', 'a\rvalid', '\u202eevil', 'x'.repeat(1001)])
    expect(() => parse({ ...record, note })).toThrow('setup.json: note')
})

test('whatever is in the file, the answer is a record of the right shape or a PlatemarkError', () => {
  const fields = fc.record(
    {
      ...Object.fromEntries(
        Object.entries(record).map(([name, value]) => [
          name,
          fc.oneof({ weight: 4, arbitrary: fc.constant<unknown>(value) }, fc.jsonValue()),
        ]),
      ),
      extra: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fields), (value) => {
      try {
        expect(parse(value)).toEqual(value)
      } catch (error) {
        expect(error).toBeInstanceOf(PlatemarkError)
        expect((error as Error).message).toContain('setup.json')
      }
    }),
    { numRuns: 500 },
  )
})
