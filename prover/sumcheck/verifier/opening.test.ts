import { concatBytes, numberToBytesBE } from '@noble/curves/utils.js'
import { checkOpening } from './opening.js'
import { type G1, G1_BASE, G2_BASE } from './read-points.js'
import { Rejection } from './reject.js'
import { eqTable, invert, mod, multiply, ORDER, power } from './scalar-field.js'
import { extend, randomScalars } from './test-cells.js'
import { Transcript } from './transcript.js'

type Polynomial = readonly bigint[]

const TAU = 0x7a3bn
const tau = G2_BASE.multiplyUnsafe(TAU)
const at = (f: Polynomial, x: bigint) => f.reduceRight((sum, c) => mod(sum * x + c), 0n)
const commit = (f: Polynomial): G1 => G1_BASE.multiplyUnsafe(at(f, TAU))
const pointBytes = (point: G1) => {
  if (point.is0()) return new Uint8Array(64)
  const { x, y } = point.toAffine()
  return concatBytes(numberToBytesBE(x, 32), numberToBytesBE(y, 32))
}

/** The quotient by X − x; what remains is dropped. */
function divide(f: Polynomial, x: bigint): Polynomial {
  let carry = 0n
  const quotient = [...f].reverse().map((c) => {
    carry = mod(carry * x + c)
    return carry
  })
  return quotient.slice(0, -1).reverse()
}

const combine = (terms: readonly (readonly [bigint, Polynomial])[]): Polynomial =>
  Array.from({ length: Math.max(...terms.map(([, f]) => f.length)) }, (_, i) =>
    mod(terms.reduce((sum, [scale, f]) => sum + scale * (f[i] ?? 0n), 0n)),
  )

/** Coefficients of X¹, X², … in f(X)·p(1/X) + f(1/X)·p(X). */
function inner(f: Polynomial, p: Polynomial): Polynomial {
  const positive = new Array<bigint>(Math.max(f.length, p.length) - 1).fill(0n)
  f.forEach((a, i) => {
    p.forEach((b, j) => {
      const k = Math.abs(i - j) - 1
      if (k >= 0) positive[k] = mod(positive[k]! + a * b)
    })
  })
  return positive
}

type Lie = {
  /** Added to g before it is committed to. */
  readonly remainder?: Polynomial
  /** Added to the image's value at z. */
  readonly image?: bigint
  /** Which value of a polynomial is false. */
  readonly evaluation?: number
  /** Added to the inverse. */
  readonly inverse?: bigint
  /** Added to the value at ρ. */
  readonly value?: bigint
}

/** Opens Σ scalars · columns at ρ by §8, and an image at z, and has it checked. */
function open(
  columns: readonly Polynomial[],
  rho: readonly bigint[],
  image: { readonly polynomial: Polynomial; readonly z: bigint } | undefined,
  lie: Lie = {},
): string | undefined {
  const scalars = columns.map((_, i) => power(0x1234n, i))
  const f = combine(columns.map((column, i) => [scalars[i]!, column]))
  const t = Math.floor(rho.length / 2)
  const b = 2 ** t
  const [P2, P1] = [rho.slice(0, rho.length - t), rho.slice(rho.length - t)].map(eqTable)
  const value = mod(extend(f.slice(0, 2 ** rho.length), rho) + (lie.value ?? 0n))
  const prover = new Transcript()

  const rows = Array.from({ length: Math.ceil(f.length / b) }, (_, i) =>
    f.slice(i * b, (i + 1) * b),
  )
  const h = rows.map((row) => mod(row.reduce((sum, c, j) => sum + c * P1![j]!, 0n)))
  const chi = prover.one(pointBytes(commit(h)))
  // f = q·(X^b − χ) + g by long division, row by row from the last.
  const q = new Array<bigint>(Math.max(1, f.length - b)).fill(0n)
  const rest = [...f]
  for (let i = f.length - 1; i >= b; i--) {
    q[i - b] = rest[i]!
    rest[i - b] = mod(rest[i - b]! + chi * rest[i]!)
  }
  const g = combine([
    [1n, rest.slice(0, b)],
    [1n, lie.remainder ?? []],
  ])
  const theta = prover.one(concatBytes(pointBytes(commit(g)), pointBytes(commit(q))))
  const S = combine([
    [1n, inner(g, P1!)],
    [theta, inner(h, P2!)],
  ])
  const D = g.slice(0, b).reverse()
  const zeta = prover.one(concatBytes(pointBytes(commit(S)), pointBytes(commit(D))))
  const iota = invert(zeta)
  const values = [at(g, zeta), at(g, iota), at(h, zeta), at(h, iota), at(h, chi), at(S, zeta)]
  if (lie.evaluation !== undefined) values[lie.evaluation] = mod(values[lie.evaluation]! + 1n)
  const bytesOf = (scalars: Polynomial) =>
    concatBytes(...scalars.map((scalar) => numberToBytesBE(scalar, 32)))
  const delta = prover.one(bytesOf(values))
  const atZeta = combine([
    [1n, f],
    [chi - power(zeta, b), q],
    ...[g, h, S, D].map((poly, i) => [power(delta, i + 1), poly] as const),
  ])
  const atIota = combine([g, h, S].map((poly, i) => [power(delta, i), poly] as const))
  const openings: (readonly [Polynomial, bigint])[] = [
    [atZeta, zeta],
    [atIota, iota],
    [h, chi],
  ]
  if (image !== undefined) openings.push([image.polynomial, image.z])
  const sum = combine(openings.map(([poly, x]) => [1n, divide(poly, x)]))
  const w = prover.one(pointBytes(commit(sum)))
  const last = divide(
    combine([
      ...openings.map(([poly, x]) => [multiply(w - zeta, invert(mod(w - x))), poly] as const),
      [zeta - w, sum],
    ]),
    w,
  )
  const points = [h, g, q, S, D, sum, last].map(commit)
  const divisors = [zeta, zeta * w - 1n, w - chi, ...(image === undefined ? [] : [w - image.z])]
  const inverse = mod(invert(divisors.reduce(multiply)) + (lie.inverse ?? 0n))
  const evaluations = { bytes: bytesOf([...values, inverse]), values: [...values, inverse] }
  try {
    checkOpening(
      tau,
      columns.map(commit),
      scalars,
      rho,
      value,
      { bytes: concatBytes(...points.map(pointBytes)), values: points },
      evaluations,
      image === undefined
        ? undefined
        : {
            commitment: commit(image.polynomial),
            z: image.z,
            value: mod(at(image.polynomial, image.z) + (lie.image ?? 0n)),
          },
      new Transcript(),
    )
    return undefined
  } catch (error) {
    if (error instanceof Rejection) return error.message
    throw error
  }
}

const random = randomScalars(42n)

test.each([2, 3, 4, 5])('columns of 2^%d rows open at any point', (n) => {
  const columns = [random(2 ** n), random(2 ** n), new Array<bigint>(2 ** n).fill(0n)]
  expect(open(columns, random(n), undefined)).toBeUndefined()
  expect(open(columns, random(n), undefined, { value: 1n })).toBe('opening')
})

test.each([0, 1, 2, 3, 4, 5])('evaluation %d is not another', (evaluation) => {
  expect(open([random(16)], random(4), undefined, { evaluation })).toBe('opening')
})

test('the inverse is the inverse', () => {
  expect(open([random(16)], random(4), undefined, { inverse: 1n })).toBe('inverse')
})

test('coefficients beyond a column change nothing of its value', () => {
  const column = [...random(16), ...random(7)]
  expect(open([column], random(4), undefined)).toBeUndefined()
  expect(open([column], random(4), undefined, { value: 1n })).toBe('opening')
})

test('columns of zeros and points at infinity open', () => {
  const zero = new Array<bigint>(8).fill(0n)
  const black = { polynomial: [0n, 0n, 0n], z: 5n }
  expect(open([zero, zero], random(3), black)).toBeUndefined()
  expect(open([zero, zero], random(3), black, { value: 1n })).toBe('opening')
})

test('a remainder that is too long is refused', () => {
  const column = random(16)
  const remainder = [0n, 0n, 0n, 0n, 1n]
  expect(open([column], random(4), undefined, { remainder })).toBe('opening')
})

test('a committed image opens to its value at z and to no other', () => {
  const columns = [random(8)]
  // Of higher degree than a column: images may be larger.
  const image = { polynomial: random(29), z: random(1)[0]! }
  expect(open(columns, random(3), image)).toBeUndefined()
  expect(open(columns, random(3), image, { image: 1n })).toBe('opening')
  expect(open(columns, random(3), image, { value: 1n })).toBe('opening')
  expect(open(columns, random(3), image, { image: multiply(ORDER - 1n, 3n), value: 3n })).toBe(
    'opening',
  )
})
