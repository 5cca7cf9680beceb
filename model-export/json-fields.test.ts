import { field, printable } from './json-fields.js'

test.each([
  ['an escape sequence', 'a\x1b[2Kb'],
  ['a carriage return', 'a\rb'],
  ['a line', 'a\nb'],
  ['a C1 control', 'a\u009b2Kb'],
  ['a change of direction', 'a\u202eb'],
])('%s is not shown and not accepted as plain text', (_, text) => {
  expect(printable(text)).toMatch(/^a\ufffd.*b$/)
  expect(() => field(text, 'f').plain()).toThrow('f is not what it should be')
})

test('ordinary text in any script is plain', () => {
  for (const text of ['', 'Sprites №1', '花 🎨 ñ', 'x'.repeat(1000)])
    expect(field(text, 'f').plain()).toBe(text)
  expect(() => field('x'.repeat(1001), 'f').plain()).toThrow()
})
