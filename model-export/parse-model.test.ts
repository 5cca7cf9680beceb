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
