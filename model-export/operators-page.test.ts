import { readFileSync } from 'node:fs'
import { listSupportedOperators } from './lowering/operators.js'
import { describedOperators, operatorsPage } from './operators-page.js'

test('the page tells of every supported operator, and is up to date', () => {
  expect(describedOperators()).toEqual(listSupportedOperators())
  expect(readFileSync(new URL('../docs/operators.md', import.meta.url), 'utf8')).toBe(
    operatorsPage(),
  )
})
