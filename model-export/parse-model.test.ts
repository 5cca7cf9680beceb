import { productModel } from '../circuits/circom/sample-model.js'
import { randomModel } from '../test/random-model.js'
import { field } from './json-fields.js'
import { serializeModel } from './model-file.js'
import { parseModel } from './parse-model.js'

test('a small file cannot demand gigabytes: the tensors’ elements are bounded in all', () => {
  const { json, weights } = serializeModel(randomModel(1))
  const [latent] = json.tensors as readonly Record<string, unknown>[]
  const huge = Array.from({ length: 9 }, () => ({ ...latent, shape: [4096, 4096] }))
  const hostile = { ...json, tensors: [latent, ...huge] }
  expect(() => parseModel(field(hostile, 'model.json'), weights)).toThrow(
    'at most 134217728 elements in all',
  )
})

type Product = { [name: string]: unknown; sizes: number[]; inputAxes: number[] }

describe('a product of two tensors', () => {
  const model = productModel()
  const { json, weights } = serializeModel(model)

  /** Reads the model with its first product changed. */
  const read = (change: (product: Product) => void) => {
    const copy = JSON.parse(JSON.stringify(json))
    const node = copy.nodes.find(
      ({ terms }: { terms?: Product[] }) => terms?.[0]?.kind === 'einsum',
    )
    change(node.terms[0])
    return parseModel(field(copy, 'model.json'), weights)
  }

  test('is read as it was written', () => {
    expect(read(() => {})).toEqual(model)
  })

  const changes: readonly (readonly [string, (product: Product) => void, RegExp])[] = [
    ['an operand that comes later', (p) => Object.assign(p, { operand: 2 }), /operand/],
    ['no operand', (p) => Object.assign(p, { operand: undefined }), /operand/],
    ['a label twice in a tensor', (p) => Object.assign(p, { inputAxes: [0, 0] }), /at most once/],
    ['a label of one tensor only', (p) => p.sizes.push(1), /two of input, operand and output/],
    ['a label without a size', (p) => Object.assign(p, { inputAxes: [0, 3] }), /inputAxes/],
    ['a size of 0', (p) => Object.assign(p, { sizes: [3, 0, 3] }), /sizes/],
    ['axes of another size', (p) => Object.assign(p, { sizes: [3, 2, 3] }), /12 elements/],
    ['an output of another size', (p) => Object.assign(p, { sizes: [2, 6, 2] }), /9 elements/],
    ['too many labels', (p) => p.sizes.push(...new Array<number>(20).fill(1)), /at most 16/],
    ['a weight', (p) => Object.assign(p, { weight: { shape: [1] } }), /weight/],
  ]
  test.each(changes)('with %s is refused', (_, change, message) => {
    expect(() => read(change)).toThrow(message)
  })
})
