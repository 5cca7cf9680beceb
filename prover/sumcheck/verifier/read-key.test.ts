import { bn254 } from '@noble/curves/bn254.js'
import { bytesToHex, numberToBytesBE } from '@noble/curves/utils.js'
import { readKey } from './read-key.js'
import { Rejection } from './reject.js'
import { testKey } from './test-key.js'

/** Why a value is refused as a key; undefined where it is read. Anything but a rejection is thrown on. */
function reasonAgainst(value: unknown): string | undefined {
  try {
    readKey(value)
    return undefined
  } catch (error) {
    if (error instanceof Rejection) return error.message
    throw error
  }
}

type Loose<T> = T extends readonly (infer Item)[]
  ? Loose<Item>[]
  : T extends object
    ? { -readonly [Name in keyof T]: Loose<T[Name]> }
    : T extends number
      ? number
      : T
type LooseKey = Loose<ReturnType<typeof testKey>>
type Affine = Extract<LooseKey['nodes'][number], { kind: 'affine' }>

const loose = (columnBits = 7, tableBits = 5) =>
  structuredClone(testKey(columnBits, tableBits)) as unknown as LooseKey
const affine = (key: LooseKey, node: number) => key.nodes[node] as Affine
const term = (key: LooseKey, node: number, index = 0) => affine(key, node).terms[index]!

test('keys of every shape are read', () => {
  for (const [columnBits, tableBits] of [
    [2, 5],
    [7, 5],
    [4, 10],
    [12, 5],
    [9, 9],
  ])
    expect(reasonAgainst(loose(columnBits!, tableBits!))).toBeUndefined()
  const committed = loose()
  committed.image.binding = 'commitment'
  expect(reasonAgainst(committed)).toBeUndefined()
})

const refused: readonly (readonly [string, string, (key: LooseKey) => void])[] = [
  ['an older version', 'key: format', (key) => Object.assign(key, { version: 1 })],
  ['a member too many', 'expected members', (key) => Object.assign(key, { more: 1 })],
  ['a member missing', 'expected members', (key) => Reflect.deleteProperty(key, 'copy')],
  ['a fraction', 'found 0.5', (key) => Object.assign(key.table, { output: 0.5 })],
  ['text for a number', 'found 0', (key) => Object.assign(key.table, { output: '0' })],
  ['no model id', 'key: modelId', (key) => Object.assign(key, { modelId: 17 })],
  [
    'an unknown binding',
    'key: image binding',
    (key) => Object.assign(key.image, { binding: 'none' }),
  ],
  ['columns of too few rows', 'found 1', (key) => Object.assign(key, { columnBits: 1 })],

  // Regions.
  [
    'a region off its grid',
    'key: region offset',
    (key) => Object.assign(key.activation, { output: 128 }),
  ],
  [
    'a region past its group',
    'key: region offset',
    (key) => Object.assign(key.activation, { output: 2304 }),
  ],
  [
    'a table past its group',
    'key: region offset',
    (key) => Object.assign(key.table, { output: 640 }),
  ],
  ['columns missing', 'key: region offset', (key) => Object.assign(key.columns, { second: 8 })],
  [
    'q and out in one place',
    'key: regions overlap',
    (key) => Object.assign(key.activation, { output: 256 }),
  ],
  [
    'a limb over q',
    'key: regions overlap',
    (key) => Object.assign(key.activation, { limbs: [256, 512] }),
  ],
  ['copies over out', 'key: regions overlap', (key) => Object.assign(key.copy!, { offset: 32 })],
  [
    'multiplicities over out',
    'key: regions overlap',
    (key) => Object.assign(key.table, { multiplicity: 64 }),
  ],
  [
    'two inverses in one place',
    'key: regions overlap',
    (key) => Object.assign(key.activation, { inverses: [0, 0, 256] }),
  ],
  [
    'the table over inverses',
    'key: regions overlap',
    (key) => Object.assign(key.table, { inverse: 0 }),
  ],
  ['a limb missing', 'key: number of regions', (key) => key.activation.limbs.pop()],
  ['an inverse missing', 'key: number of regions', (key) => key.activation.inverses.pop()],
  ['a commitment missing', 'key: number of commitments', (key) => key.commitments.pop()],
  [
    'a commitment too many',
    'key: number of commitments',
    (key) => key.commitments.push(key.commitments[0]!),
  ],

  // Points.
  [
    'a commitment off the curve',
    'key: commitment',
    (key) => Object.assign(key.commitments, [`0x${'01'.repeat(64)}`]),
  ],
  [
    'τ·G₂ at infinity',
    'key: tauG2',
    (key) => Object.assign(key, { tauG2: `0x${'00'.repeat(128)}` }),
  ],
  [
    'τ·G₂ off the curve',
    'key: tauG2',
    (key) => Object.assign(key, { tauG2: `0x${'01'.repeat(128)}` }),
  ],

  // Blocks and segments.
  [
    'a block off its grid',
    'key: block offset',
    (key) => Object.assign(key.blocks[1]!, { offset: 40 }),
  ],
  [
    'a block past its region',
    'key: block offset',
    (key) => Object.assign(key.blocks[1]!, { offset: 256 }),
  ],
  ['copies without a region', 'key: block offset', (key) => Object.assign(key, { copy: null })],
  [
    'two blocks in one place',
    'key: blocks overlap',
    (key) => Object.assign(key.blocks[5]!, { offset: 16 }),
  ],
  [
    'a block in a larger one',
    'key: blocks overlap',
    (key) => Object.assign(key.blocks[5]!, { offset: 112 }),
  ],
  [
    'a latent block in between',
    'key: first block',
    (key) => Object.assign(key.blocks[2]!, { space: 'latent' }),
  ],
  [
    'no latent block',
    'key: first block',
    (key) => Object.assign(key.blocks[0]!, { space: 'activation' }),
  ],
  ['another latent', 'key: latent block', (key) => Object.assign(key.latent, { dimensions: 4 })],
  ['a latent table of 255', 'key: latent table', (key) => key.latent.table.pop()],
  ['a block without node', 'key: one node a block', (key) => key.blocks.push(key.blocks[1]!)],
  ['an axis of 1', 'found 1', (key) => Object.assign(key.blocks[1]!.axes, [1])],
  [
    'a segment off its grid',
    'key: segment offset',
    (key) => Object.assign(key.segments[1]!, { offset: 6 }),
  ],
  [
    'a segment in the last row',
    'key: segment offset',
    (key) => Object.assign(key.segments[1]!, { offset: 28 }),
  ],
  [
    'two segments in one place',
    'key: segments overlap',
    (key) => Object.assign(key.segments[2]!, { offset: 6 }),
  ],

  // Nodes.
  [
    'a node of another block',
    'key: node output',
    (key) => Object.assign(key.nodes[0]!, { output: 2 }),
  ],
  [
    'an affine node of copies',
    'key: affine block',
    (key) => Object.assign(key.blocks[1]!, { space: 'copy', offset: 0, axes: [3] }),
  ],
  [
    'a copy in activations',
    'key: copy',
    (key) => Object.assign(key.blocks[3]!, { space: 'activation', offset: 240 }),
  ],
  ['a copy of itself', 'key: copy', (key) => Object.assign(key.nodes[2]!, { input: 3 })],
  [
    'an axis copied twice',
    'key: copy axes',
    (key) => Object.assign(key.nodes[2]!, { inputAxes: [2, 0, 0] }),
  ],
  [
    'a copy of fewer elements',
    'key: copy size',
    (key) => Object.assign(key.blocks[3]!.axes, [2, 5]),
  ],
  ['no such table', 'key: table', (key) => Object.assign(affine(key, 0), { table: 3 })],
  ['a limb too many', 'key: limbs', (key) => affine(key, 0).limbs.push(1)],
  ['a shift beyond the limbs', 'key: shift', (key) => Object.assign(affine(key, 0), { shift: 5 })],
  [
    'a limb that is too wide',
    'key: limb segment',
    (key) => Object.assign(affine(key, 0), { limbs: [1, 1] }),
  ],
  [
    'a limb that is too narrow',
    'key: limb segment',
    (key) => Object.assign(affine(key, 0), { limbs: [2, 2] }),
  ],
  [
    'no limb where one is needed',
    'key: limb segment',
    (key) => Object.assign(affine(key, 0), { limbs: [-1, 2] }),
  ],
  [
    'a limb where none is needed',
    'key: limb segment',
    (key) => Object.assign(affine(key, 4), { limbs: [1, -1] }),
  ],
  [
    'a limb that starts at another number',
    'key: limb segment',
    (key) => Object.assign(key.segments[1]!, { first: 1 }),
  ],
  [
    'no such limb segment',
    'key: limb segment',
    (key) => Object.assign(affine(key, 0), { limbs: [7, 2] }),
  ],
  [
    'a bias past the weights',
    'key: bias offset',
    (key) => Object.assign(affine(key, 0).bias!, { offset: 640 }),
  ],
  [
    'a bias in the table',
    'key: bias overlaps',
    (key) => Object.assign(affine(key, 0).bias!, { offset: 512 }),
  ],
  [
    'a bias axis twice',
    'key: bias axes',
    (key) => Object.assign(affine(key, 0).bias!, { axes: [0, 0] }),
  ],

  // Terms.
  [
    'a term that reads its output',
    'key: term input',
    (key) => Object.assign(term(key, 0), { input: 1 }),
  ],
  [
    'an axis without role',
    'key: roles of axes',
    (key) => Object.assign(term(key, 0), { contractAxes: [] }),
  ],
  [
    'an axis with two roles',
    'key: roles of axes',
    (key) => Object.assign(term(key, 0), { contractAxes: [0, 0] }),
  ],
  [
    'an output axis without role',
    'key: roles of axes',
    (key) => Object.assign(term(key, 0), { outputAxes: [2, 0] }),
  ],
  [
    'no such axis',
    'key: roles of axes',
    (key) => Object.assign(term(key, 0), { outputAxes: [2, 0, 3] }),
  ],
  [
    'unlike axes paired',
    'key: paired axes differ',
    (key) => Object.assign(term(key, 3).groupAxes, [[0, 1]]),
  ],
  [
    'no such pair',
    'key: paired axes differ',
    (key) => Object.assign(term(key, 3).groupAxes, [[4, 4]]),
  ],
  [
    'a kernel axis without entry',
    'key: kernel',
    (key) => Object.assign(term(key, 0), { kernel: [1, 2] }),
  ],
  [
    'spatial axes out of order',
    'key: order of spatial axes',
    (key) => term(key, 1).spatial.reverse(),
  ],
  [
    'a kernel axis with two entries',
    'key: order of spatial axes',
    (key) => Object.assign(term(key, 1).spatial[0]!, { kernelAxis: 1 }),
  ],
  ['a stride of 0', 'found 0', (key) => Object.assign(term(key, 1).spatial[0]!, { stride: 0 })],
  [
    'a weight off its grid',
    'key: weight offset',
    (key) => Object.assign(term(key, 0), { weight: { kind: 'constant', offset: 64 } }),
  ],
  [
    'a weight past its group',
    'key: weight offset',
    (key) => Object.assign(term(key, 0), { weight: { kind: 'constant', offset: 640 } }),
  ],
  [
    'a weight in the table',
    'key: weight overlaps',
    (key) => Object.assign(term(key, 0), { weight: { kind: 'constant', offset: 512 } }),
  ],
  [
    'a weight of no kind',
    'key: kind',
    (key) => Object.assign(term(key, 0), { weight: { kind: 'zero', offset: 0 } }),
  ],
  [
    'a tensor that is the output',
    'key: weight block',
    (key) => Object.assign(term(key, 3).weight, { block: 4 }),
  ],
  [
    'a tensor of a later node',
    'key: weight block',
    (key) => Object.assign(term(key, 3).weight, { block: 6 }),
  ],
  [
    'a tensor with a kernel',
    'key: kernel of a tensor',
    (key) => Object.assign(term(key, 5), { weight: { kind: 'tensor', block: 5, axes: [0, 1] } }),
  ],
  [
    'a tensor with axes in another order',
    'key: weight axes',
    (key) => Object.assign(term(key, 4).weight, { axes: [0, 1, 2] }),
  ],
  [
    'a tensor with an axis twice',
    'key: weight axes',
    (key) => Object.assign(term(key, 4).weight, { axes: [2, 0, 2] }),
  ],
  [
    'a tensor with too few axes',
    'key: weight axes',
    (key) => Object.assign(term(key, 4).weight, { axes: [2, 0] }),
  ],
  [
    'a tensor with axes to spare',
    'key: weight axes',
    (key) => Object.assign(term(key, 3), { weight: { kind: 'tensor', block: 2, axes: [0, 1] } }),
  ],

  // Image.
  ['the latent as image', 'key: image block', (key) => Object.assign(key.image, { block: 0 })],
  ['no such image block', 'key: image block', (key) => Object.assign(key.image, { block: 7 })],
  [
    'an image axis twice',
    'key: image axes',
    (key) => Object.assign(key.image, { columnAxes: [2, 2] }),
  ],
  [
    'an image axis left out',
    'key: image axes',
    (key) => Object.assign(key.image, { columnAxes: [2] }),
  ],
  ['an image of another width', 'key: image size', (key) => Object.assign(key.image, { width: 2 })],
]

test.each(refused)('a key with %s is refused', (_, reason, change) => {
  const key = loose()
  change(key)
  expect(reasonAgainst(key)).toContain(reason)
})

test('what is no key at all is refused', () => {
  for (const value of [
    undefined,
    null,
    0,
    1n,
    '',
    'key',
    true,
    [],
    {},
    [{}],
    () => 0,
    Symbol('key'),
  ])
    expect(reasonAgainst(value)).toMatch(/^key: /)
})

test('a point of the twist that is not of order p is refused as τ·G₂', () => {
  const { Fp2 } = bn254.fields
  const { b } = bn254.G2.Point.CURVE()
  let found = 0
  for (let i = 1n; found < 3; i++) {
    const x = Fp2.fromBigTuple([i, 1n])
    let y = Fp2.ZERO
    try {
      y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), b))
    } catch {
      continue
    }
    found++
    const key = loose()
    const text = [x.c1, x.c0, y.c1, y.c0].map((c) => bytesToHex(numberToBytesBE(c, 32)))
    key.tauG2 = `0x${text.join('')}`
    expect(reasonAgainst(key)).toBe('key: tauG2')
  }
})
