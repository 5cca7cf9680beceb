import type {
  BlockDescriptor,
  SumcheckDescriptor,
  TermDescriptor,
} from '../../../circuits/sumcheck/descriptor.js'
import { affineClaims } from './affine.js'
import { mergeClaims } from './claims.js'
import { type Claim, columnWeights } from './columns.js'
import { imageClaim, packPixels } from './image.js'
import { lookupClaims, lookupSum } from './lookups.js'
import { readKey } from './read-key.js'
import { proofShape } from './read-proof.js'
import { blockBits, blockIn, regionsOf } from './regions.js'
import { bitsOf, bitsOfIndex, invert, mod, power } from './scalar-field.js'
import { Cells, cellOf, eqAt, extend, randomScalars, testKey, tuples } from './test-key.js'

/** Σ_columns Σ_x column(x)·weight(x), row by row. */
function leftSide(cells: Cells, claim: Claim): bigint {
  const columns = cells.columns()
  const n = cells.key.columnBits
  let sum = 0n
  for (let x = 0; x < 2 ** n; x++) {
    const weights = columnWeights(cells.key, claim.weights, bitsOfIndex(x, n))
    weights.forEach((weight, i) => {
      sum += weight * columns[i]![x]!
    })
  }
  return mod(sum)
}

/** Keys whose regions are larger than a column, parts of one, and smaller than the table. */
const KEYS = [testKey(7), testKey(4, 10), testKey(12), testKey(9, 9)]

/** Elements of a block as a map from cell, padding zero. */
function cellsOf(block: BlockDescriptor, value: (digits: readonly number[]) => bigint): bigint[] {
  const cells = new Array<bigint>(2 ** blockBits(block)).fill(0n)
  for (const digits of tuples(block.axes)) cells[cellOf(block, digits)] = mod(value(digits))
  return cells
}

const composite = (block: BlockDescriptor, axes: readonly number[], digits: readonly number[]) =>
  axes.reduce((index, axis) => index * block.axes[axis]! + digits[axis]!, 0)

/** Are y, u and the kernel index (ky, kx) related by the term's roles (§3.3)? */
function related(
  term: TermDescriptor,
  output: BlockDescriptor,
  input: BlockDescriptor,
  y: readonly number[],
  u: readonly number[],
  k: readonly number[],
): boolean {
  const paired = [...term.rowAxes, ...term.groupAxes].every(([o, i]) => y[o] === u[i])
  return (
    paired &&
    term.spatial.every((axis) => {
      const outer = composite(output, axis.output, y)
      const inner = composite(input, axis.input, u)
      const [free, driven] = axis.transposed ? [inner, outer] : [outer, inner]
      return driven === free * axis.stride + k[axis.kernelAxis]! * axis.dilation - axis.pad
    })
  )
}

/** Sizes of the weight's axes: outputs, groups, contracted, kernel index. */
function weightSizes(term: TermDescriptor, output: BlockDescriptor, input: BlockDescriptor) {
  return [
    ...term.outputAxes.map((axis) => output.axes[axis]!),
    ...term.groupAxes.map(([axis]) => output.axes[axis]!),
    ...term.contractAxes.map((axis) => input.axes[axis]!),
    term.kernel[0] * term.kernel[1],
  ]
}

type Related = { readonly w: number; readonly k: number; readonly y: number; readonly u: number }

/** Every summand W(w)·x(u) of an output cell y; k is w's part without the output axes. */
function summands(key: SumcheckDescriptor, term: TermDescriptor, j: number): Related[] {
  const output = key.blocks[j + 1]!
  const input = key.blocks[term.input]!
  const sizes = weightSizes(term, output, input)
  const block: BlockDescriptor = { space: 'activation', offset: 0, axes: sizes }
  const kBits = sizes.slice(term.outputAxes.length).reduce((sum, size) => sum + bitsOf(size), 0)
  const found: Related[] = []
  for (const y of tuples(output.axes))
    for (const u of tuples(input.axes))
      for (const [ky, kx] of tuples(term.kernel)) {
        if (!related(term, output, input, y, u, [ky!, kx!])) continue
        const w = cellOf(block, [
          ...term.outputAxes.map((axis) => y[axis]!),
          ...term.groupAxes.map(([axis]) => y[axis]!),
          ...term.contractAxes.map((axis) => u[axis]!),
          ky! * term.kernel[1] + kx!,
        ])
        found.push({ w, k: w % 2 ** kBits, y: cellOf(output, y), u: cellOf(input, u) })
      }
  return found
}

/** Splits a point of a block into one slice an axis. */
function slicesOf(sizes: readonly number[], point: readonly bigint[]): (readonly bigint[])[] {
  let at = 0
  return sizes.map((size) => {
    const start = at
    at += bitsOf(size)
    return point.slice(start, at)
  })
}

test.each(KEYS)('claims 0, 1 and 2 hold of what §3 defines, term by term', (file) => {
  const key = readKey(file)
  const cells = new Cells(key)
  const random = randomScalars(BigInt(key.columnBits))
  const regions = regionsOf(key)
  const latentBytes = [7, 200, 31]
  const latent = latentBytes.map((byte) => BigInt(key.latent.table[byte]!))
  const small = (span: bigint) => (random(1)[0]! % span) - span / 2n

  // Values of every block: any integers, copies being copies.
  const values: bigint[][] = [cellsOf(key.blocks[0]!, ([i]) => latent[i!]!)]
  key.nodes.forEach((node, j) => {
    const block = key.blocks[j + 1]!
    if (node.kind === 'affine') {
      values.push(cellsOf(block, () => small(256n)))
      cells.write(blockIn(regions.output, block), values.at(-1)!)
      return
    }
    const input = key.blocks[node.input]!
    const walked = tuples(node.inputAxes.map((axis) => input.axes[axis]!)).map((walk) => {
      const digits: number[] = []
      node.inputAxes.forEach((axis, i) => {
        digits[axis] = walk[i]!
      })
      return values[node.input]![cellOf(input, digits)]!
    })
    values.push(cellsOf(block, (digits) => walked[composite(block, [0, 1], digits)]!))
    cells.write(blockIn(regions.copy!, block), values.at(-1)!)
  })
  // Weights: any, zero at padding; of tensors, their values.
  const weightOf = (term: TermDescriptor, j: number): bigint[] => {
    const sizes = weightSizes(term, key.blocks[j + 1]!, key.blocks[term.input]!)
    const shape: BlockDescriptor = { space: 'activation', offset: 0, axes: sizes }
    const { weight } = term
    if (weight.kind === 'constant')
      return cells.read({ group: 'key', offset: weight.offset, bits: blockBits(shape) })
    const block = key.blocks[weight.block]!
    return cellsOf(shape, (digits) => {
      const own: number[] = []
      weight.axes.forEach((axis, i) => {
        own[axis] = digits[i]!
      })
      return values[weight.block]![cellOf(block, own)]!
    })
  }
  const biasOf = (j: number): bigint[] => {
    const node = key.nodes[j]!
    const block = key.blocks[j + 1]!
    if (node.kind === 'copy' || node.bias === null) return cellsOf(block, () => 0n)
    const { axes, offset } = node.bias
    const shape = { ...block, axes: axes.map((axis) => block.axes[axis]!) }
    const bits = blockBits(shape)
    const own = cells.read({ group: 'key', offset, bits })
    return cellsOf(
      block,
      (digits) =>
        own[
          cellOf(
            shape,
            axes.map((axis) => digits[axis]!),
          )
        ]!,
    )
  }
  key.nodes.forEach((node, j) => {
    if (node.kind === 'copy') return
    const output = key.blocks[j + 1]!
    for (const term of node.terms) {
      if (term.weight.kind !== 'constant') continue
      const sizes = weightSizes(term, output, key.blocks[term.input]!)
      const shape: BlockDescriptor = { space: 'activation', offset: 0, axes: sizes }
      const region = { group: 'key', offset: term.weight.offset, bits: blockBits(shape) } as const
      cells.write(
        region,
        cellsOf(shape, () => small(256n)),
      )
    }
    if (node.bias !== null) {
      const axes = node.bias.axes.map((axis) => output.axes[axis]!)
      const shape: BlockDescriptor = { space: 'activation', offset: 0, axes }
      const region = { group: 'key', offset: node.bias.offset, bits: blockBits(shape) } as const
      cells.write(
        region,
        cellsOf(shape, () => small(256n)),
      )
    }
  })

  // The prover's side of §6.1 to §6.3, all by definition.
  const shape = proofShape(key)
  const most = Math.max(...key.blocks.slice(1).map((block) => blockBits(block)))
  const [gamma, eta] = random(2) as [bigint, bigint]
  const r = random(most)
  const a = random(shape.phaseOne)
  const b = random(shape.phaseTwo)
  const pad = (point: readonly bigint[], own: number) => eqAt(0, point.slice(own))
  let affineSum = 0n
  let [e1, e2] = [0n, 0n]
  let power1 = 1n
  let power2 = 1n
  const contracted: bigint[] = []
  key.nodes.forEach((node, j) => {
    const output = key.blocks[j + 1]!
    const own = r.slice(most - blockBits(output))
    if (node.kind === 'copy') {
      affineSum += power1 * extend(values[j + 1]!, own)
      const input = key.blocks[node.input]!
      const v = extend(values[j + 1]!, own)
      contracted.push(v)
      e1 += power1 * pad(a, 0) * v
      const wire = new Array<bigint>(values[node.input]!.length).fill(0n)
      const outputs = tuples(output.axes)
      tuples(node.inputAxes.map((axis) => input.axes[axis]!)).forEach((walk, i) => {
        const digits: number[] = []
        node.inputAxes.forEach((axis, at) => {
          digits[axis] = walk[at]!
        })
        wire[cellOf(input, digits)] = eqAt(cellOf(output, outputs[i]!), own)
      })
      const point = b.slice(0, blockBits(input))
      const summed = wire.reduce((sum, e, u) => sum + e * values[node.input]![u]!, 0n)
      expect(mod(summed)).toBe(v)
      e2 +=
        mod(power2 * pad(b, point.length)) *
        extend(wire, point) *
        extend(values[node.input]!, point)
      power2 = mod(power2 * eta)
    } else {
      const acc = biasOf(j)
      for (const term of node.terms) {
        const input = key.blocks[term.input]!
        const x = values[term.input]!
        const W = weightOf(term, j)
        const all = summands(key, term, j)
        expect(all.length).toBeGreaterThan(0)
        const L = new Array<bigint>(acc.length).fill(0n)
        for (const { w, y, u } of all) L[y] = mod(L[y]! + W[w]! * x[u]!)
        L.forEach((value, y) => {
          acc[y] = mod(acc[y]! + value)
        })
        affineSum += power1 * BigInt(node.multiplier) * extend(L, own)

        const sizes = weightSizes(term, output, input)
        const kSizes = sizes.slice(term.outputAxes.length)
        const kBits = kSizes.reduce((sum, size) => sum + bitsOf(size), 0)
        const point = a.slice(0, kBits)
        const ofR = slicesOf(output.axes, own)
        const atOutputs = term.outputAxes.flatMap((axis) => ofR[axis]!)
        // eq(r, y) without the output axes; each (k, other digits of y, u) once.
        const digitsOf = new Map(
          tuples(output.axes).map((digits) => [cellOf(output, digits), digits]),
        )
        const others = output.axes
          .map((_, axis) => axis)
          .filter((axis) => !term.outputAxes.includes(axis))
        const once = all.filter(({ y }) =>
          term.outputAxes.every((axis) => digitsOf.get(y)![axis] === 0),
        )
        const eqOthers = (y: number) =>
          others.reduce(
            (product, axis) => mod(product * eqAt(digitsOf.get(y)![axis]!, ofR[axis]!)),
            1n,
          )
        const v = mod(
          once.reduce((sum, { k, y, u }) => sum + eqAt(k, point) * mod(eqOthers(y) * x[u]!), 0n),
        )
        contracted.push(v)
        const scale = mod(power1 * BigInt(node.multiplier))
        e1 += mod(scale * pad(a, kBits)) * v * extend(W, [...atOutputs, ...point])

        // Phase two: variables are the group digits and the input digits of spatial axes.
        const ofA = slicesOf(kSizes, point)
        const groups = term.groupAxes.map(([, axis]) => axis)
        const spatial = term.spatial.flatMap((axis) => axis.input)
        const variables = [...groups, ...spatial]
        const free: BlockDescriptor = {
          space: 'activation',
          offset: 0,
          axes: variables.map((axis) => input.axes[axis]!),
        }
        const inputDigits = new Map(
          tuples(input.axes).map((digits) => [cellOf(input, digits), digits]),
        )
        const kernelSlice = ofA.at(-1)!
        const rows = term.rowAxes.map(([, axis]) => axis)
        const fixed = [...term.contractAxes, ...rows, ...groups]
        const seen = once.filter(({ u }) => fixed.every((axis) => inputDigits.get(u)![axis] === 0))
        const last = 2 ** bitsOf(term.kernel[0] * term.kernel[1])
        const spatialBits = blockBits(input, spatial)
        const spatialWire = new Array<bigint>(2 ** spatialBits).fill(0n)
        for (const { k, y, u } of seen) {
          const digits = inputDigits.get(u)!
          const cell = cellOf(
            free,
            variables.map((axis) => digits[axis]!),
          )
          let e = eqAt(k % last, kernelSlice)
          for (const axis of term.spatial)
            for (const o of axis.output) e = mod(e * eqAt(digitsOf.get(y)![o]!, ofR[o]!))
          spatialWire[cell] = mod(spatialWire[cell]! + e)
        }
        // Group digits, padding included.
        const count = 2 ** blockBits(free)
        const wires = Array.from({ length: count }, (_, i) => {
          let e = spatialWire[i % 2 ** spatialBits]!
          let rest = Math.floor(i / 2 ** spatialBits)
          for (const [at, [o]] of [...term.groupAxes.entries()].reverse()) {
            const size = 2 ** ofR[o]!.length
            e = mod(e * mod(eqAt(rest % size, ofR[o]!) * eqAt(rest % size, ofA[at]!)))
            rest = Math.floor(rest / size)
          }
          return e
        })
        const xs = new Array<bigint>(count).fill(0n)
        for (const [u, digits] of inputDigits) {
          const cell = cellOf(
            free,
            variables.map((axis) => digits[axis]!),
          )
          let e = x[u]!
          term.contractAxes.forEach((axis, i) => {
            e = mod(e * eqAt(digits[axis]!, ofA[term.groupAxes.length + i]!))
          })
          for (const [o, axis] of term.rowAxes) e = mod(e * eqAt(digits[axis]!, ofR[o]!))
          xs[cell] = mod(xs[cell]! + e)
        }
        expect(mod(wires.reduce((sum, e, i) => sum + e * xs[i]!, 0n))).toBe(v)
        const bits = blockBits(free)
        const atB = b.slice(0, bits)
        e2 += mod(power2 * pad(b, bits)) * mod(extend(wires, atB) * extend(xs, atB))
        power2 = mod(power2 * eta)
      }
      // q and rem by §3.1, in the field: what is claimed is linear in them.
      const half = node.shift === 0 ? 0n : power(2n, node.shift - 1)
      const limbs = regions.limbs.map(() => cellsOf(output, () => random(1)[0]!))
      limbs.forEach((limb, l) => {
        cells.write(blockIn(regions.limbs[l]!, output), limb)
      })
      const shifted = invert(power(2n, node.shift))
      const q = cellsOf(output, (digits) => {
        const y = cellOf(output, digits)
        const rem = limbs.reduce((sum, limb, l) => sum + power(2n, key.limbBits * l) * limb[y]!, 0n)
        return mod(acc[y]! * BigInt(node.multiplier) + half - rem) * shifted
      })
      cells.write(blockIn(regions.quotient, output), q)
    }
    power1 = mod(power1 * gamma)
  })

  const claims = affineClaims(key, mod(affineSum), contracted, latent, {
    ...{ r, gamma, a, eta, b },
    e1: mod(e1),
    e2: mod(e2),
  })
  expect(claims.map((claim) => leftSide(cells, claim) === claim.value)).toEqual([true, true, true])
  // A cell of some block changed: some claim no longer holds.
  const region = blockIn(regions.output, key.blocks[2]!)
  cells.groups.first[region.offset]! += 1n
  expect(leftSide(cells, claims[2])).not.toBe(claims[2].value)
})

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

test.each(KEYS)('claims 3, 4 and 6 … hold of the fingerprints that §6.4 defines', (file) => {
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

test.each(KEYS)('the first claim of the lookups is the sum over the cube', (file) => {
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

test.each(['pixels', 'commitment'] as const)(
  'the image claim holds of an image by %s',
  (binding) => {
    const random = randomScalars(9n)
    const [z] = random(1) as [bigint]
    for (const columnBits of [4, 9]) {
      // 5 × 7 × 3: two words a row, the second not full.
      const key: SumcheckDescriptor = {
        ...testKey(columnBits),
        blocks: [
          { space: 'latent', offset: 0, axes: [3] },
          { space: 'activation', offset: 0, axes: [7, 3, 5] },
        ],
        image: {
          ...{ binding, height: 5, width: 7, channels: 3, block: 1 },
          ...{ rowAxes: [2], columnAxes: [0], channelAxes: [1] },
        },
      }
      const block = key.blocks[1]!
      const pixels = Uint8Array.from(random(105), (value) => Number(value % 256n))
      const cells = new Cells(key)
      const image = cellsOf(block, ([w, c, h]) => BigInt(pixels[(h! * 7 + w!) * 3 + c!]!))
      cells.write(blockIn(regionsOf(key).output, block), image)
      const polynomial = pixels.reduce((sum, byte, o) => mod(sum + BigInt(byte) * power(z, o)), 0n)
      const words = Array.from({ length: 10 }, (_, i) => {
        const row = pixels.subarray(21 * Math.floor(i / 2), 21 * Math.floor(i / 2) + 21)
        const bytes = [...row.subarray(16 * (i % 2)), ...new Uint8Array(16)].slice(0, 16)
        return bytes.reduce((word, byte) => word * 256n + BigInt(byte), 0n)
      })
      const packed = words.reduce((sum, word, i) => mod(sum + word * power(z, i)), 0n)
      expect(packPixels(key, pixels, z)).toBe(packed)
      const claim = imageClaim(key, z, binding === 'pixels' ? packed : polynomial)
      expect(leftSide(cells, claim)).toBe(claim.value)
      cells.groups.first[blockIn(regionsOf(key).output, block).offset]! += 1n
      expect(leftSide(cells, claim)).not.toBe(claim.value)
    }
  },
)

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
