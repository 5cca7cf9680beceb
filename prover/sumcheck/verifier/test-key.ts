import { bytesToHex, numberToBytesBE } from '@noble/curves/utils.js'
import type { SumcheckDescriptor } from '../../../circuits/sumcheck/descriptor.js'
import { G2_BASE } from './read-points.js'

/** A key file's content, as read from JSON. */
export type KeyFile = SumcheckDescriptor & {
  readonly commitments: readonly string[]
  readonly tauG2: string
}

/**
 * A key with every kind of term: dense, strided and transposed convolutions, groups, a copy, and products
 * with activations, copies and the latent as weights. Its columns hold no more than zeros (τ = 1).
 */
export function testKey(columnBits: number, tableBits = 5): KeyFile {
  const spatial = { stride: 1, dilation: 1, pad: 0, transposed: false }
  const affine = { kind: 'affine', table: 0, limbs: [1, 2], multiplier: 3, shift: 3 } as const
  const term = { outputAxes: [], rowAxes: [], groupAxes: [], contractAxes: [], spatial: [] }
  const constant = (offset: number) => ({ kind: 'constant', offset }) as const
  const tensor = (block: number, axes: number[]) => ({ kind: 'tensor', block, axes }) as const
  const nodes: SumcheckDescriptor['nodes'] = [
    {
      ...affine,
      output: 1,
      bias: { offset: 128, axes: [0] },
      terms: [
        {
          ...term,
          input: 0,
          weight: constant(0),
          outputAxes: [2, 0, 1],
          contractAxes: [0],
          kernel: [1, 1],
        },
      ],
    },
    {
      ...affine,
      output: 2,
      multiplier: 5,
      bias: { offset: 136, axes: [2, 0] },
      terms: [
        {
          ...term,
          input: 1,
          weight: constant(256),
          outputAxes: [0],
          contractAxes: [0],
          kernel: [3, 2],
          spatial: [
            { ...spatial, output: [1], input: [1], kernelAxis: 0, stride: 2, pad: 1 },
            { ...spatial, output: [2], input: [2], kernelAxis: 1 },
          ],
        },
      ],
    },
    { kind: 'copy', output: 3, input: 2, inputAxes: [2, 0, 1] },
    {
      ...affine,
      output: 4,
      bias: null,
      terms: [
        {
          ...term,
          input: 3,
          weight: tensor(3, [1, 0]),
          groupAxes: [
            [1, 1],
            [0, 0],
          ],
          kernel: [1, 1],
        },
      ],
    },
    {
      ...affine,
      output: 5,
      shift: 0,
      limbs: [-1, -1],
      bias: null,
      terms: [
        {
          ...term,
          input: 1,
          weight: tensor(1, [2, 0, 1]),
          outputAxes: [0],
          rowAxes: [[1, 2]],
          contractAxes: [0, 1],
          kernel: [1, 1],
        },
        {
          ...term,
          input: 0,
          weight: tensor(0, [0]),
          outputAxes: [0],
          rowAxes: [[1, 0]],
          kernel: [1, 1],
        },
      ],
    },
    {
      ...affine,
      output: 6,
      table: 1,
      shift: 2,
      limbs: [1, -1],
      bias: { offset: 144, axes: [] },
      terms: [
        {
          ...term,
          input: 2,
          weight: constant(320),
          groupAxes: [[0, 0]],
          kernel: [2, 2],
          spatial: [
            {
              ...spatial,
              output: [1],
              input: [1],
              kernelAxis: 0,
              stride: 2,
              pad: 1,
              transposed: true,
            },
            {
              ...spatial,
              output: [2, 3],
              input: [2],
              kernelAxis: 1,
              stride: 2,
              transposed: true,
            },
          ],
        },
      ],
    },
  ]
  const columns = (cells: number) => Math.ceil(cells / 2 ** columnBits)
  const rows = 2 ** tableBits
  const table = Math.max(512, rows)
  const keyColumns = columns(table + rows)
  const zero = `0x${'00'.repeat(64)}`
  const { x, y } = G2_BASE.toAffine()
  const tauG2 = [x.c1, x.c0, y.c1, y.c0].map((c) => bytesToHex(numberToBytesBE(c, 32))).join('')
  return {
    format: 'platemark-sumcheck-key',
    version: 2,
    modelId: `0x${'11'.repeat(32)}`,
    columnBits,
    limbBits: 2,
    limbs: 2,
    columns: { first: columns(2048 + rows), second: columns(1024 + rows), key: keyColumns },
    activation: { bits: 8, quotient: 256, output: 0, limbs: [768, 512], inverses: [0, 512, 256] },
    copy: { bits: 5, offset: 1024 },
    table: { bits: tableBits, multiplicity: 2048, inverse: 1024, output: table },
    latent: { dimensions: 3, table: Array.from({ length: 256 }, (_, i) => i - 128) },
    image: {
      binding: 'pixels',
      height: 3,
      width: 4,
      channels: 3,
      block: 6,
      rowAxes: [1],
      columnAxes: [2, 3],
      channelAxes: [0],
    },
    blocks: [
      { space: 'latent', offset: 0, axes: [3] },
      { space: 'activation', offset: 32, axes: [2, 3, 3] },
      { space: 'activation', offset: 16, axes: [3, 2, 2] },
      { space: 'copy', offset: 16, axes: [2, 6] },
      { space: 'activation', offset: 128, axes: [2, 6] },
      { space: 'activation', offset: 0, axes: [3, 3] },
      { space: 'activation', offset: 64, axes: [3, 3, 2, 2] },
    ],
    nodes,
    segments: [
      { offset: 8, bits: 3, first: -5 },
      { offset: 4, bits: 2, first: 0 },
      { offset: 2, bits: 1, first: 0 },
    ],
    commitments: Array.from({ length: keyColumns }, () => zero),
    tauG2: `0x${tauG2}`,
  }
}

/** Regions larger than a column, larger than a table, parts of a column, as large as the table. */
export const KEYS: readonly (readonly [string, KeyFile])[] = [
  ['regions of two columns', testKey(7)],
  ['a table that is larger than the activations', testKey(4, 10)],
  ['one column a group', testKey(12)],
  ['regions in parts of a column', testKey(9, 9)],
]
