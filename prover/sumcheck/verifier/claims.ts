import type { BlockDescriptor } from '../../../circuits/sumcheck/descriptor.js'
import { blockBits, type VerifierKey } from './read-key.js'
import type { SumcheckProof } from './read-proof.js'
import { below, eq, eqIndex, mod, multiply, power } from './scalar-field.js'
import { axisSlice, compositeEq, copyWire, termPoints } from './wiring.js'

/** Everything drawn and every last claim, `docs/protocol.md` §5 and §6. */
export type Reduced = {
  readonly beta: bigint
  readonly alpha: bigint
  readonly r: readonly bigint[]
  readonly gamma: bigint
  readonly z: bigint
  readonly lambda: bigint
  readonly a: readonly bigint[]
  readonly eta: bigint
  readonly b: readonly bigint[]
  readonly s: readonly bigint[]
  readonly nu: bigint
  /** Last claims of phase one, phase two and lookups. */
  readonly e1: bigint
  readonly e2: bigint
  readonly e3: bigint
}

/** `coefficient · eq(point, ·)` on a block of some columns. */
type PointWeight = {
  readonly first: number
  readonly count: number
  readonly offset: number
  readonly point: readonly bigint[]
  readonly coefficient: bigint
}

/** The merged claim: its value, and the weight of every physical column at a point. */
export type MergedClaim = {
  readonly value: bigint
  readonly weightsAt: (rho: readonly bigint[]) => readonly bigint[]
}

/** First physical column of each role, `docs/protocol.md` §4.1. */
export function columnOrder(key: VerifierKey) {
  const { activation: A, copy: C, table: T } = key.columns
  const copy = (2 + key.limbs) * A
  const inverse = copy + C + T
  const tableInverse = inverse + (1 + key.limbs) * A
  return {
    quotient: 0,
    output: A,
    limb: (l: number) => (2 + l) * A,
    copy,
    multiplicity: copy + C,
    inverse,
    tableInverse,
    table: tableInverse + T,
    weight: tableInverse + 2 * T,
  }
}

/** How column `chunk` of a space sees the run [offset, offset + 2^bits) at a point of the column. */
function windowOf(
  key: VerifierKey,
  offset: number,
  bits: number,
  chunk: number,
  point: readonly bigint[],
): { readonly prefix: bigint; readonly rest: readonly bigint[] } | undefined {
  const n = key.columnBits
  const column = Math.floor(offset / 2 ** n)
  if (bits <= n) {
    if (column !== chunk) return undefined
    const prefix = Math.floor((offset % 2 ** n) / 2 ** bits)
    return { prefix: eqIndex(prefix, point.slice(0, n - bits)), rest: point.slice(n - bits) }
  }
  const within = chunk - column
  if (within < 0 || within >= 2 ** (bits - n)) return undefined
  const high = Array.from({ length: bits - n }, (_, k) =>
    BigInt(Math.floor(within / 2 ** (bits - n - 1 - k)) % 2),
  )
  return { prefix: 1n, rest: [...high, ...point] }
}

const valid = (block: BlockDescriptor, point: readonly bigint[]) =>
  block.axes.reduce(
    (all, size, axis) => multiply(all, below(size, axisSlice(block, axis, point))),
    1n,
  )

const padding = (challenges: readonly bigint[], own: number) =>
  challenges.slice(own).reduce((all, x) => mod(all * (1n - x)), 1n)

/** Merges all claims (§7.1). */
export function mergeClaims(
  key: VerifierKey,
  proof: SumcheckProof,
  at: Reduced,
  latent: readonly bigint[],
  pixels: Uint8Array,
): MergedClaim {
  const order = columnOrder(key)
  const affine = affineClaims(key, proof, at, latent, order)
  const lookup = lookupClaims(key, proof, at, order)
  const image = packPixels(key, pixels, at.z)
  const nu5 = power(at.nu, 5)
  const value = mod(affine.value + lookup.value + nu5 * image)
  const imageBlock = key.blocks[key.image.block]!
  const imageFirst = imageBlock.space === 'copy' ? order.copy : order.output
  const columns = order.weight + key.columns.weight

  const weightsAt = (rho: readonly bigint[]): readonly bigint[] => {
    const same = eq(at.s, rho)
    const weights = Array.from({ length: columns }, (_, i) =>
      mod(same * (lookup.atS[i] ?? 0n) + (lookup.sums[i] ?? 0n)),
    )
    for (const { first, count, offset, point, coefficient } of affine.points)
      for (let chunk = 0; chunk < count; chunk++) {
        const seen = windowOf(key, offset, point.length, chunk, rho)
        if (seen === undefined) continue
        const weight = multiply(multiply(coefficient, seen.prefix), eq(point, seen.rest))
        weights[first + chunk] = mod(weights[first + chunk]! + weight)
      }
    const count = imageBlock.space === 'copy' ? key.columns.copy : key.columns.activation
    for (let chunk = 0; chunk < count; chunk++) {
      const seen = windowOf(key, imageBlock.offset, blockBits(imageBlock), chunk, rho)
      if (seen === undefined) continue
      const weight = multiply(nu5 * seen.prefix, imageWeight(key, at.z, seen.rest))
      weights[imageFirst + chunk] = mod(weights[imageFirst + chunk]! + weight)
    }
    return weights
  }
  return { value, weightsAt }
}

/** Claims 0, 1 and 2 (§6.1–§6.3). */
function affineClaims(
  key: VerifierKey,
  proof: SumcheckProof,
  at: Reduced,
  latent: readonly bigint[],
  order: ReturnType<typeof columnOrder>,
): { readonly value: bigint; readonly points: readonly PointWeight[] } {
  const { activation, copy, weight } = key.columns
  const points: PointWeight[] = []
  const add = (
    first: number,
    count: number,
    offset: number,
    point: readonly bigint[],
    coefficient: bigint,
  ) => points.push({ first, count, offset, point, coefficient: mod(coefficient) })
  const nu2 = multiply(at.nu, at.nu)
  const claims = [proof.affineSum.values[0]!, at.e1, at.e2]
  let gamma = 1n
  let eta = 1n
  let term = 0
  const readInput = (input: number, point: readonly bigint[], coefficient: bigint) => {
    const block = key.blocks[input]!
    if (block.space === 'activation')
      add(order.output, activation, block.offset, point, nu2 * coefficient)
    else if (block.space === 'copy') add(order.copy, copy, block.offset, point, nu2 * coefficient)
    else claims[2]! -= coefficient * latentAt(block, latent, point)
    eta = multiply(eta, at.eta)
    term++
  }
  key.nodes.forEach((node, j) => {
    const output = key.blocks[j + 1]!
    const r = at.r.slice(0, blockBits(output))
    if (node.kind === 'copy') {
      const input = key.blocks[node.input]!
      const bits = blockBits(input)
      const point = at.b.slice(0, bits)
      add(order.copy, copy, output.offset, r, gamma)
      claims[1]! -= mod(gamma * padding(at.a, 0)) * proof.contracted.values[term]!
      const wire = copyWire(node.inputAxes, output, input, r, point)
      readInput(node.input, point, mod(mod(eta * padding(at.b, bits)) * wire))
    } else {
      add(order.quotient, activation, output.offset, r, gamma * power(2n, node.shift))
      for (let l = 0; l < key.limbs; l++)
        add(order.limb(l), activation, output.offset, r, gamma * power(2n, key.limbBits * l))
      if (node.shift > 0)
        claims[0]! += gamma * multiply(power(2n, node.shift - 1), valid(output, r))
      const scale = multiply(gamma, BigInt(node.multiplier))
      if (node.bias !== null) {
        const { axes, offset } = node.bias
        const mask = output.axes.reduce(
          (all, size, axis) =>
            axes.includes(axis) ? all : multiply(all, below(size, axisSlice(output, axis, r))),
          1n,
        )
        const point = axes.flatMap((axis) => axisSlice(output, axis, r))
        add(order.weight, weight, offset, point, -scale * mask)
      }
      for (const own of node.terms) {
        const found = termPoints(own, output, key.blocks[own.input]!, r, at.a, at.b)
        const scaled = mod(scale * padding(at.a, found.phaseOne)) * proof.contracted.values[term]!
        add(order.weight, weight, own.weight, found.weight, at.nu * mod(scaled))
        readInput(
          own.input,
          found.input,
          mod(mod(eta * padding(at.b, found.phaseTwo)) * found.wire),
        )
      }
    }
    gamma = multiply(gamma, at.gamma)
  })
  const value = mod(claims[0]! + at.nu * mod(claims[1]!) + nu2 * mod(claims[2]!))
  return { value, points }
}

function latentAt(
  block: BlockDescriptor,
  latent: readonly bigint[],
  point: readonly bigint[],
): bigint {
  const all = block.axes.map((_, axis) => axis)
  return mod(compositeEq(block, all, point).reduce((sum, e, i) => sum + e * latent[i]!, 0n))
}

/** Claims 3, 4 and 6 … (§6.4): coefficients of columns at s, of column sums, and the values. */
function lookupClaims(
  key: VerifierKey,
  proof: SumcheckProof,
  at: Reduced,
  order: ReturnType<typeof columnOrder>,
) {
  const { activation: A, table: T } = key.columns
  const nu3 = power(at.nu, 3)
  const nu4 = power(at.nu, 4)
  const beta2 = multiply(at.beta, at.beta)
  const atS: bigint[] = []
  const sums: bigint[] = []
  const bump = (column: number, by: bigint) => {
    atS[column] = mod((atS[column] ?? 0n) + by)
  }
  let claim4 = at.e3
  let values = 0n
  let lambda = 1n
  let nu = power(at.nu, 6)
  proof.inverses.values.forEach((inverse, e) => {
    bump(order.inverse + e, nu)
    values = mod(values + nu * inverse)
    nu = multiply(nu, at.nu)
    const scaled = multiply(lambda, inverse)
    const kind = Math.floor(e / A)
    if (kind <= key.limbs) {
      const chunk = e % A
      sums[order.inverse + e] = nu3
      claim4 -= scaled * (at.alpha - tagAt(key, kind, chunk, at.s))
      if (kind === 0) {
        bump(order.quotient + chunk, -nu4 * multiply(scaled, at.beta))
        bump(order.output + chunk, -nu4 * multiply(scaled, beta2))
      } else bump(order.limb(kind - 1) + chunk, -nu4 * multiply(scaled, at.beta))
    } else {
      const chunk = e - (1 + key.limbs) * A
      sums[order.inverse + e] = mod(-nu3)
      claim4 -= scaled * (at.alpha - tableKeyAt(key, chunk, at.beta, at.s))
      bump(order.table + chunk, -nu4 * multiply(scaled, beta2))
      bump(order.multiplicity + chunk, -nu4 * lambda)
    }
    lambda = multiply(lambda, at.lambda)
  })
  if (proof.inverses.values.length !== (1 + key.limbs) * A + T) throw new RangeError('shape')
  return { atS, sums, value: mod(values + nu4 * mod(claim4)) }
}

/** Tag of lookup `kind` (0: activation table, l + 1: limb l) in a column at s. */
function tagAt(key: VerifierKey, kind: number, chunk: number, s: readonly bigint[]): bigint {
  let sum = 0n
  key.nodes.forEach((node, j) => {
    if (node.kind === 'copy') return
    const tag = 1 + (kind === 0 ? node.table : node.limbs[kind - 1]!)
    const block = key.blocks[j + 1]!
    const seen = windowOf(key, block.offset, blockBits(block), chunk, s)
    if (tag !== 0 && seen !== undefined)
      sum += BigInt(tag) * multiply(seen.prefix, valid(block, seen.rest))
  })
  return mod(sum)
}

/** Tag + β · index of a table column at s. */
function tableKeyAt(key: VerifierKey, chunk: number, beta: bigint, s: readonly bigint[]): bigint {
  let sum = 0n
  key.segments.forEach(({ offset, bits, first }, t) => {
    const seen = windowOf(key, offset, bits, chunk, s)
    if (seen === undefined) return
    const index = seen.rest.reduce((value, bit) => mod(2n * value + bit), 0n)
    sum += seen.prefix * mod(BigInt(t + 1) + beta * (BigInt(first) + index))
  })
  return mod(sum)
}

const WORD_BYTES = 16

/** Σ z^i · P_i over 16-byte words of pixel rows (§6.5), by Horner from the last word. */
export function packPixels(key: VerifierKey, pixels: Uint8Array, z: bigint): bigint {
  const row = key.image.width * key.image.channels
  let sum = 0n
  for (let y = key.image.height - 1; y >= 0; y--)
    for (let word = Math.ceil(row / WORD_BYTES) - 1; word >= 0; word--) {
      let value = 0n
      for (let i = 0; i < WORD_BYTES; i++) {
        const o = word * WORD_BYTES + i
        value = value * 256n + BigInt(o < row ? pixels[y * row + o]! : 0)
      }
      sum = mod(sum * z + value)
    }
  return sum
}

/** MLE of the packing weights at a point of the image block. */
function imageWeight(key: VerifierKey, z: bigint, point: readonly bigint[]): bigint {
  const { image } = key
  const block = key.blocks[image.block]!
  const words = Math.ceil((image.width * image.channels) / WORD_BYTES)
  const step = power(z, words)
  let weight = 1n
  let rows = 0n
  for (const e of compositeEq(block, image.rowAxes, point)) {
    rows = mod(rows + e * weight)
    weight = multiply(weight, step)
  }
  const channels = compositeEq(block, image.channelAxes, point)
  let cells = 0n
  compositeEq(block, image.columnAxes, point).forEach((x, w) => {
    channels.forEach((c, channel) => {
      const o = w * image.channels + channel
      const byte = 1n << BigInt(8 * (WORD_BYTES - 1 - (o % WORD_BYTES)))
      cells = mod(cells + multiply(x, c) * multiply(power(z, Math.floor(o / WORD_BYTES)), byte))
    })
  })
  return multiply(rows, cells)
}

/** Entries of r: bits of the largest block that a node fills. */
export function outputBits(key: VerifierKey): number {
  return key.blocks.slice(1).reduce((most, block) => Math.max(most, blockBits(block)), 0)
}

/** Latent integers of the seed's bytes. */
export function latentValues(key: VerifierKey, bytes: Uint8Array): readonly bigint[] {
  return Array.from(bytes, (byte) => BigInt(key.latent.table[byte]!))
}
