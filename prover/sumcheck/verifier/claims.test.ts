import { mergeClaims } from './claims.js'
import { type Claim, columnWeights } from './columns.js'
import { mod } from './scalar-field.js'
import { eqAt, randomScalars } from './test-cells.js'
import { testKey } from './test-key.js'

test('claims are merged with powers of ν', () => {
  const key = testKey(7)
  const random = randomScalars(5n)
  const [nu, x, y] = random(3) as [bigint, bigint, bigint]
  const region = { group: 'second', offset: 256, bits: 3 } as const
  const claims = [x, y].map((value): Claim => ({ value, weights: [{ region, at: () => value }] }))
  const merged = mergeClaims(claims, nu)
  expect(merged.value).toBe(mod(x + nu * y))
  const rho = random(7)
  const column = key.columns.first + 2
  const weight = columnWeights(key, merged.weights, rho)[column]!
  expect(weight).toBe(mod(merged.value * eqAt(0, rho.slice(0, 4))))
})
