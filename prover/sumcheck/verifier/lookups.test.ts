import type { SumcheckDescriptor } from '../../../circuits/sumcheck/descriptor.js'
import { lookupClaims, lookupSum } from './lookups.js'
import { readKey } from './read-key.js'
import { regionsOf } from './regions.js'
import { mod, power } from './scalar-field.js'
import { Cells, cellOf, eqAt, extend, leftSide, randomScalars, tuples } from './test-cells.js'
import { KEYS } from './test-key.js'

/** Integer tags and values of the table region's rows. */
function tableRows(key: SumcheckDescriptor): { tag: bigint; index: bigint }[] {
  const rows = Array.from({ length: 2 ** key.table.bits }, () => ({ tag: 0n, index: 0n }))
  key.segments.forEach(({ offset, bits, first }, t) => {
    for (let i = 0; i < 2 ** bits; i++)
      rows[offset + i] = { tag: BigInt(t + 1), index: BigInt(first + i) }
  })
  return rows
}

/** Tags of the cells of the activation regions, for q and every limb. */
function cellTags(key: SumcheckDescriptor, e: number): bigint[] {
  const tags = new Array<bigint>(2 ** key.activation.bits).fill(0n)
  key.nodes.forEach((node, j) => {
    if (node.kind === 'copy') return
    const block = key.blocks[j + 1]!
    const tag = BigInt(1 + [node.table, ...node.limbs][e]!)
    for (const digits of tuples(block.axes)) tags[block.offset + cellOf(block, digits)] = tag
  })
  return tags
}

test.each(KEYS)('claims 3, 4 and 6 … hold of the fingerprints of §6.4: %s', (_, file) => {
  const key = readKey(file)
  const cells = new Cells(key)
  const random = randomScalars(100n + BigInt(key.columnBits))
  const regions = regionsOf(key)
  for (const group of ['first', 'second', 'key'] as const)
    cells.groups[group] = random(cells.groups[group].length)
  const [beta, alpha, lambda] = random(3) as [bigint, bigint, bigint]
  const { bits: nA } = key.activation
  const { bits: nT } = key.table
  const n = Math.max(nA, nT)
  const s = random(n)
  const cell = s.slice(n - nA)
  const row = s.slice(n - nT)
  const leadA = eqAt(0, s.slice(0, n - nA))
  const leadT = eqAt(0, s.slice(0, n - nT))

  const q = cells.read(regions.quotient)
  const out = cells.read(regions.output)
  const fingerprints = [
    cellTags(key, 0).map((tag, i) => tag + beta * q[i]! + beta * beta * out[i]!),
    ...regions.limbs.map((region, l) => {
      const rem = cells.read(region)
      return cellTags(key, l + 1).map((tag, i) => tag + beta * rem[i]!)
    }),
  ]
  const T = cells.read(regions.tableOutput)
  const t = tableRows(key).map(({ tag, index }, i) => tag + beta * index + beta * beta * T[i]!)
  const inverses = [
    ...regions.inverses.map((region) => extend(cells.read(region), cell)),
    extend(cells.read(regions.tableInverse), row),
  ]
  let e3 = 0n
  fingerprints.forEach((f, e) => {
    e3 += power(lambda, e) * leadA * inverses[e]! * (alpha - extend(f, cell))
  })
  const last = power(lambda, key.limbs + 1) * leadT
  const m = extend(cells.read(regions.multiplicity), row)
  e3 += last * (inverses[key.limbs + 1]! * (alpha - extend(t, row)) - m)

  const end = { beta, alpha, lambda, s, e3: mod(e3) }
  const claims = lookupClaims(key, inverses, end)
  expect(leftSide(cells, claims.zero)).toBe(claims.zero.value)
  expect(claims.inverses).toHaveLength(key.limbs + 2)
  for (const claim of claims.inverses) expect(leftSide(cells, claim)).toBe(claim.value)
  const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n)
  const h = regions.inverses.reduce((total, region) => total + sum(cells.read(region)), 0n)
  expect(leftSide(cells, claims.sums)).toBe(mod(h - sum(cells.read(regions.tableInverse))))
  expect(claims.sums.value).toBe(0n)
  const { offset } = regions.multiplicity
  cells.groups.first[offset]! += 1n
  expect(leftSide(cells, claims.zero)).not.toBe(claims.zero.value)
})

test.each(KEYS)('the first claim of the lookups is the sum over the cube: %s', (_, file) => {
  const key = readKey(file)
  const random = randomScalars(3n)
  const [lambda] = random(1) as [bigint]
  const n = Math.max(key.activation.bits, key.table.bits)
  const tau = random(n)
  let sum = 0n
  // h·(α − f) = 1 on the cells, which are where the variables in front are zero.
  for (let x = 0; x < 2 ** key.activation.bits; x++)
    for (let e = 0; e <= key.limbs; e++) sum += eqAt(x, tau) * power(lambda, e)
  expect(lookupSum(key, tau, lambda)).toBe(mod(sum))
})
