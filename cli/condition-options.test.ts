import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { choice, styledModel } from '../prover/sumcheck/conditional-models.js'
import {
  type ConditionOptions,
  chooseConditions,
  withConditionOptions,
} from './condition-options.js'
import { type InputOptionValues, inputOptions, withInputOptions } from './input-options.js'

const folder = mkdtempSync(join(tmpdir(), 'platemark-options-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const parse = <T>(add: (command: Command) => Command, ...args: readonly string[]): T =>
  add(new Command().exitOverride()).parse(args, { from: 'user' }).opts() as T

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content)
  return `@${join(folder, name)}`
}

/** A NumPy file of version 1. */
function npy(descr: string, shape: string, data: Uint8Array): Uint8Array {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`
  const header = Buffer.from(`${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`)
  const start = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1')
  start.writeUInt16LE(header.length, 8)
  return Buffer.concat([start, header, data])
}

describe('--input', () => {
  const inputs = (...args: readonly string[]) => {
    const given = args.flatMap((arg) => ['--input', arg])
    return Object.fromEntries(
      inputOptions(parse<InputOptionValues>(withInputOptions, ...given)).inputs ?? [],
    )
  }

  test('says what each input is', () => {
    const data = new Uint8Array(Float32Array.of(1, 2.5).buffer)
    expect(
      inputs('z=latent', 'y=class', 'k=class:10', 'a=vector', 'b=vector:uniform', 'c=vector:-1,2'),
    ).toEqual({
      z: { kind: 'latent' },
      y: { kind: 'label' },
      k: { kind: 'label', classes: 10 },
      a: { kind: 'vector', values: 'normal' },
      b: { kind: 'vector', values: 'uniform' },
      c: { kind: 'vector', values: [-1, 2] },
    })
    expect(
      inputs(
        't=0.5',
        `u=${file('u.json', '[[1, 2], [3, 4]]')}`,
        `v=${file('v.npy', npy('<f4', '(1, 2)', data))}`,
      ),
    ).toEqual({
      t: { kind: 'constant', values: [0.5] },
      u: { kind: 'constant', values: [1, 2, 3, 4] },
      v: { kind: 'constant', values: [1, 2.5] },
    })
  })

  test.each([
    'z',
    '=latent',
    'z=',
    'z=classes',
    'z=class:',
    'z=class:x',
    'z=vectors',
    'z=vector:2,1',
    'z=0.5,',
    'z=one',
    'z=@/no/such/file.json',
    `z=${file('text.json', '"x"')}`,
    `z=${file('short.npy', npy('<f8', '(2,)', new Uint8Array(8)))}`,
    `z=${file('complex.npy', npy('<c8', '(1,)', new Uint8Array(8)))}`,
    `z=${file('nan.json', '[null]')}`,
  ])('%s is refused', (text) => {
    expect(() => inputs(text)).toThrow()
  })

  test('an input twice, and half a loop, are refused', () => {
    expect(() => inputs('z=latent', 'z=class')).toThrow('twice')
    const loop = (...args: readonly string[]) =>
      inputOptions(parse<InputOptionValues>(withInputOptions, ...args)).loop
    expect(loop('--unroll', '3', '--loop', 'a=b')).toEqual({ steps: 3, output: 'a', input: 'b' })
    expect(() => loop('--unroll', '3')).toThrow('--loop')
    expect(() => loop('--loop', 'a=b')).toThrow('--unroll')
    expect(() => loop('--unroll', '0', '--loop', 'a=b')).toThrow('out of range')
  })
})

describe('--label and --condition', () => {
  const model = styledModel()
  const choose = (...args: readonly string[]) =>
    chooseConditions(model, parse<ConditionOptions>(withConditionOptions, ...args))

  test('make the bytes of the conditions', () => {
    const style = ['--condition', 'style=0xc811825a'] as const
    const expected = choice(3, 200, 17, 130, 90)
    expect(choose('--label', '3', ...style)).toEqual(expected)
    expect(choose('--condition', 'label=3', ...style)).toEqual(expected)
    // Bytes 0 to 255 are −2 to 2 in equal steps.
    expect(choose('--label', '4', '--condition', 'style=-2,2,0.01,-1.99')).toEqual(
      choice(4, 0, 255, 128, 1),
    )
    const path = file('style.json', '[2, 2, -2, -2]')
    expect(choose('--label', '0', '--condition', `style=${path}`)).toEqual(
      choice(0, 255, 255, 0, 0),
    )
  })

  test.each([
    [['--label', '3'], /nothing for "style"/],
    [[], /nothing for "label"/],
    [['--label', '3', '--condition', 'stile=1'], /"stile", which it does not take/],
    [['--label', '5', '--condition', 'style=0xc811825a'], /from 0 to 4/],
    [['--label', '3', '--condition', 'label=3'], /twice/],
    [['--label', '3', '--condition', 'style=0xc81182'], /4 bytes in hex/],
    [['--label', '3', '--condition', 'style=1,2,1'], /4 numbers/],
    [['--label', '3', '--condition', 'style=1,2,1,9'], /out of range/],
    [['--label', '03'], /not one/],
    [['--label', '-1'], /not one/],
    [['--condition', 'style'], /not one/],
  ])('%j is refused', (args, message) => {
    expect(() => choose(...args)).toThrow(message)
  })

  test('a model without conditions takes none', () => {
    const { conditions: _, ...plain } = model
    expect(chooseConditions(plain, {})).toEqual(new Uint8Array(0))
    expect(() => chooseConditions(plain, { label: 3 })).toThrow('models with one label')
    expect(() => chooseConditions(plain, { condition: new Map([['x', '1']]) })).toThrow(
      'not those that the model takes',
    )
  })
})
