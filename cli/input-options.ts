import { type Command, Option } from 'commander'
import type { VectorValues } from '../model-export/float-model.js'
import type {
  InputChoice,
  InputChoices,
  InputOptions,
  LoopChoice,
} from '../model-export/input-choice.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { count } from './command.js'
import { isNumberFile, parseNumbers, readNumbers } from './number-list.js'

/** What `compile` and `estimate` are told about the inputs of an ONNX file. */
export type InputOptionValues = {
  readonly input?: InputChoices
  readonly unroll?: number
  readonly loop?: Omit<LoopChoice, 'steps'>
}

/** Adds `--input`, `--unroll` and `--loop`. */
export function withInputOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--input <name=what>',
        'what an input is: latent, noise (a latent that each call of a loop draws anew), class[:number], vector[:normal|uniform|low,high], or numbers (also @file.json, @file.npy) that it always has; once an input (default: detected)',
      ).argParser(addInput),
    )
    .option(
      '--unroll <n>',
      'a model that is called n times, as a sampler of few steps is; constants may have numbers for each step (needs --loop)',
      count('--unroll', 1, 64),
    )
    .addOption(
      new Option(
        '--loop <output=input>',
        'the output that is the input of the next call (needs --unroll)',
      ).argParser(parseLoop),
    )
}

function parseLoop(text: string): Omit<LoopChoice, 'steps'> {
  const [, output, input] = /^([^=]+)=([^=]+)$/.exec(text) ?? []
  if (output !== undefined && input !== undefined) return { output, input }
  throw new PlatemarkError('The loop is not one.', {
    expected: 'output=input, for example --loop denoised=noisy',
    found: JSON.stringify(text.slice(0, 60)),
  })
}

/**
 * What the options say of the inputs; only what was given.
 *
 * @throws {PlatemarkError} where only one of `--unroll` and `--loop` is given.
 */
export function inputOptions({ input, unroll, loop }: InputOptionValues): InputOptions {
  if ((unroll === undefined) !== (loop === undefined))
    throw new PlatemarkError('A loop needs --unroll and --loop.', {
      expected: '--unroll 4 --loop denoised=noisy',
      found: unroll === undefined ? '--loop alone' : '--unroll alone',
    })
  return {
    ...(input === undefined ? {} : { inputs: input }),
    ...(unroll === undefined || loop === undefined ? {} : { loop: { steps: unroll, ...loop } }),
  }
}

function addInput(text: string, before?: InputChoices): InputChoices {
  const [, name, what] = /^([^=]+)=(.+)$/s.exec(text) ?? []
  if (name === undefined || what === undefined) throw wrongInput(text)
  if (before?.has(name))
    throw new PlatemarkError('An input is named twice.', { found: `--input ${name}=…` })
  return new Map([...(before ?? []), [name, parseChoice(text, what)]])
}

function parseChoice(text: string, what: string): InputChoice {
  if (what === 'latent') return { kind: 'latent' }
  if (what === 'noise') return { kind: 'latent', eachStep: true }
  const [, classes] = /^class(?::(\d{1,6}))?$/.exec(what) ?? []
  if (what.startsWith('class')) {
    if (what !== 'class' && classes === undefined) throw wrongInput(text)
    return { kind: 'label', ...(classes === undefined ? {} : { classes: Number(classes) }) }
  }
  if (what.startsWith('vector')) {
    const [, range] = /^vector(?::(.+))?$/.exec(what) ?? []
    if (what !== 'vector' && range === undefined) throw wrongInput(text)
    return { kind: 'vector', values: parseValues(text, range ?? 'normal') }
  }
  if (isNumberFile(what)) return { kind: 'constant', values: readNumbers(what) }
  const values = parseNumbers(what)
  if (values === undefined) throw wrongInput(text)
  return { kind: 'constant', values }
}

function parseValues(text: string, range: string): VectorValues {
  if (range === 'normal' || range === 'uniform') return range
  const [low, high, ...rest] = parseNumbers(range) ?? []
  if (low === undefined || high === undefined || rest.length > 0 || !(low < high))
    throw wrongInput(text)
  return [low, high]
}

function wrongInput(text: string): PlatemarkError {
  return new PlatemarkError('The choice for an input is not one.', {
    expected:
      'name=latent, name=noise, name=class, name=class:10, name=vector, name=vector:-1,1, name=0.5 or name=@file.npy',
    found: JSON.stringify(text.slice(0, 60)),
  })
}
