import fc from 'fast-check'
import { solidityComment, solidityIdentifier } from './solidity-text.js'

test('identifiers are PascalCase', () => {
  expect(solidityIdentifier('sunrises decoder-v2')).toBe('SunrisesDecoderV2')
  expect(solidityIdentifier('mnist_gan.onnx')).toBe('MnistGanOnnx')
  expect(solidityIdentifier('Éclair à la crème')).toBe('EclairALaCreme')
  expect(solidityIdentifier('16x16')).toBe('Model16x16')
  expect(solidityIdentifier('')).toBe('Model')
  expect(solidityIdentifier('模型')).toBe('Model')
})

test('whatever the text, an identifier is one word of ASCII letters and digits', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      expect(solidityIdentifier(text)).toMatch(/^[A-Z][A-Za-z0-9]{0,63}$/)
    }),
  )
})

test.each([
  ['*/ contract Evil {} /*', 'contract Evil'],
  ['a\ncontract Evil {}', 'a contract Evil'],
  ['a\r\u2028\u2029\u0085b', 'a b'],
  ['@inheritdoc Evil', 'inheritdoc Evil'],
  ['"; selfdestruct(x); "', '; selfdestruct(x);'],
  ['back\\slash', 'back slash'],
  ['\u202e txet', 'txet'],
])('a comment made of %j is harmless', (text, comment) => {
  expect(solidityComment(text)).toBe(comment)
})

test('whatever the text, a comment is one line without quotes, tags or comment marks', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      expect(solidityComment(text)).toMatch(/^[A-Za-z0-9 .,:;()+=#'_-]{0,200}$/)
    }),
  )
})
