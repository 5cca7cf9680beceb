/**
 * Functions of a few bits without lookup arguments.
 *
 * Every function f of n bits is a multilinear polynomial in them. Split the bits into a low and a
 * high part with monomials m_S(low), m_T(high); then
 *
 *     f = Σ_T m_T(high) · (Σ_S c[T][S] · m_S(low)),
 *
 * which costs one constraint per monomial of degree ≥ 2 on each side, shared by all functions of the
 * same bits, and one constraint per T with a non-constant factor for each function. Affine functions are free.
 */
export type Selector = {
  readonly bits: number
  readonly lowBits: number
  readonly functions: readonly SelectorFunction[]
  readonly constraints: number
}

export type SelectorFunction = {
  readonly name: string
  /** Row T (high monomials), column S (low monomials); bit i of an index is variable i of its part. */
  readonly coefficients: readonly (readonly bigint[])[]
  /** Coefficients of 1 and of each bit, when nothing else occurs. */
  readonly affine: readonly bigint[] | undefined
}

/**
 * Lays out functions of the same bits, with the split that needs the fewest constraints.
 *
 * @param bits - number of input bits
 * @param functions - for each function its 2^bits values, indexed by the bits as an integer
 * @example
 * layOutSelector(2, { xor: [0n, 1n, 1n, 0n] }).constraints // 1
 */
export function layOutSelector(
  bits: number,
  functions: Readonly<Record<string, readonly bigint[]>>,
): Selector {
  const polynomials = Object.entries(functions).map(([name, values]) => ({
    name,
    polynomial: multilinear(values, bits),
  }))
  const costly = polynomials.flatMap(({ polynomial }) =>
    affineOf(polynomial) === undefined ? [polynomial] : [],
  )
  let lowBits = bits
  let constraints = Number.POSITIVE_INFINITY
  for (let low = 0; low <= bits; low++) {
    const cost = splitCost(low, bits, costly)
    if (cost < constraints) [lowBits, constraints] = [low, cost]
  }
  return {
    bits,
    lowBits,
    constraints,
    functions: polynomials.map(({ name, polynomial }) => ({
      name,
      affine: affineOf(polynomial),
      coefficients: Array.from({ length: 1 << (bits - lowBits) }, (_, high) =>
        polynomial.slice(high << lowBits, (high + 1) << lowBits),
      ),
    })),
  }
}

function splitCost(low: number, bits: number, functions: readonly (readonly bigint[])[]): number {
  if (functions.length === 0) return 0
  let products = 0
  for (const polynomial of functions)
    for (let row = 1; row < 1 << (bits - low); row++)
      if (!isConstantRow(polynomial.slice(row << low, (row + 1) << low))) products++
  return degreeTwoMonomials(low) + degreeTwoMonomials(bits - low) + products
}

/** No low bit occurs next to this high monomial. */
function isConstantRow(row: readonly bigint[]): boolean {
  return row.every((coefficient, column) => column === 0 || coefficient === 0n)
}

/** Monomials of degree 2 and more in `bits` variables. */
function degreeTwoMonomials(bits: number): number {
  return (1 << bits) - bits - 1
}

/** Coefficients of the multilinear polynomial with these values (Möbius inversion over subsets). */
function multilinear(values: readonly bigint[], bits: number): readonly bigint[] {
  if (values.length !== 1 << bits)
    throw new RangeError(`${values.length} values for a function of ${bits} bits`)
  const coefficients = [...values]
  for (let bit = 1; bit < coefficients.length; bit <<= 1)
    for (let i = 0; i < coefficients.length; i++)
      if (i & bit) coefficients[i]! -= coefficients[i ^ bit]!
  return coefficients
}

function affineOf(polynomial: readonly bigint[]): readonly bigint[] | undefined {
  const isPower = (i: number) => (i & (i - 1)) === 0
  if (polynomial.some((coefficient, i) => !isPower(i) && coefficient !== 0n)) return undefined
  const affine = [polynomial[0]!]
  for (let bit = 1; bit < polynomial.length; bit <<= 1) affine.push(polynomial[bit]!)
  return affine
}

/** Circom text: declarations and the statements after them. */
export type CircomText = { readonly declarations: string[]; readonly statements: string[] }

/**
 * A sum as a balanced tree. The compiler copies both operands of every addition, so a chain of n
 * additions costs n² and a tree n · log n.
 */
export function balancedSum(summands: readonly string[]): string {
  if (summands.length <= 2) return summands.length === 0 ? '0' : summands.join(' + ')
  const middle = summands.length >> 1
  return `(${balancedSum(summands.slice(0, middle))}) + (${balancedSum(summands.slice(middle))})`
}

/**
 * Circom that computes all functions of a selector as linear combinations, in variables named after
 * the functions.
 *
 * @param prefix - starts every name that is declared
 * @param bit - the circom expression of a bit, given the expression of its number
 */
export function emitSelector(
  selector: Selector,
  prefix: string,
  bit: (number: string) => string,
): CircomText {
  const declarations: string[] = []
  const statements: string[] = []
  const { bits, lowBits } = selector
  if (selector.constraints > 0) {
    monomials(`${prefix}Low`, lowBits, 0)
    monomials(`${prefix}High`, bits - lowBits, lowBits)
  }
  for (const f of selector.functions) {
    const name = `${prefix}_${f.name}`
    if (f.affine !== undefined) {
      const [constant = 0n, ...factors] = f.affine
      const summands = factors.flatMap((factor, i) =>
        factor === 0n ? [] : [`(${factor}) * ${bit(String(i))}`],
      )
      statements.push(`var ${name} = ${[`(${constant})`, ...summands].join(' + ')};`)
      continue
    }
    const products = f.coefficients.filter((row, t) => t > 0 && !isConstantRow(row)).length
    if (products > 0) declarations.push(`signal ${name}P[${products}];`)
    let product = 0
    const summands = f.coefficients.flatMap((row, t) => {
      const factor = balancedSum(
        row.flatMap((coefficient, s) =>
          coefficient === 0n ? [] : [`(${coefficient}) * ${prefix}Low[${s}]`],
        ),
      )
      if (t === 0) return [factor]
      if (isConstantRow(row)) return row[0] === 0n ? [] : [`(${row[0]}) * ${prefix}High[${t}]`]
      statements.push(`${name}P[${product}] <== ${prefix}High[${t}] * (${factor});`)
      return [`${name}P[${product++}]`]
    })
    statements.push(`var ${name} = ${balancedSum(summands)};`)
  }
  return { declarations, statements }

  /** `name[S]` becomes the monomial of the bit set S; those of degree ≥ 2 are signals. */
  function monomials(name: string, width: number, firstBit: number): void {
    const products = degreeTwoMonomials(width)
    statements.push(`var ${name}[${1 << width}];`, `${name}[0] = 1;`)
    if (products === 0) {
      for (let i = 0; i < width; i++)
        statements.push(`${name}[${1 << i}] = ${bit(String(firstBit + i))};`)
      return
    }
    declarations.push(`signal ${name}P[${products}];`)
    const own = (i: string) => bit(firstBit === 0 ? i : `${firstBit} + ${i}`)
    statements.push(
      `var ${name}N = 0;`,
      `for (var i = 0; i < ${width}; i++) {`,
      `  ${name}[1 << i] = ${own('i')};`,
      '  for (var s = 1; s < (1 << i); s++) {',
      `    ${name}P[${name}N] <== ${name}[s] * ${own('i')};`,
      `    ${name}[(1 << i) + s] = ${name}P[${name}N];`,
      `    ${name}N++;`,
      '  }',
      '}',
    )
  }
}
