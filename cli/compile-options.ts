import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import type { ImageBinding } from '../circuits/sumcheck/descriptor.js'
import type { CompileOptions } from '../model-export/compile-model.js'
import type { FlatSize } from '../model-export/image-output.js'
import { readOnnxFile } from '../model-export/onnx/read-onnx-file.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { Backend, CircuitOptions } from '../prover/backend.js'
import { backends, findBackend } from '../prover/backends.js'
import { count } from './command.js'
import { type InputOptionValues, inputOptions, withInputOptions } from './input-options.js'
import { toolVersion } from './version.js'

/** The backend option that compiles the integer model and no circuit. */
export const NO_BACKEND = 'none'

/** Backends that pay for every bit. */
const COMPACT_BACKENDS: readonly (string | undefined)[] = ['groth16', 'ezkl']

/** What `compile` and `estimate` have in common on the command line. */
export type ModelOptions = InputOptionValues & {
  /** Absent: the first. */
  readonly backend?: string
  readonly imageBinding?: ImageBinding
  readonly columnBits?: number
  readonly profile?: 'compact' | 'balanced' | 'fidelity'
  readonly latent: 'normal' | 'uniform'
  readonly range?: readonly [number, number]
  readonly layout?: 'CHW' | 'HWC'
  readonly size?: FlatSize
  readonly anyOutput?: boolean
  readonly psnr?: number
  readonly weightBits?: number
  readonly activationBits?: number
  readonly name?: string
}

/** Adds the options that decide what integer model an ONNX file becomes. */
export function withModelOptions(command: Command): Command {
  return withInputOptions(command)
    .addOption(
      new Option(
        '--backend <name>',
        'proof system; none compiles the integer model only (default: sumcheck)',
      ).choices([...backends.map((backend) => backend.name), NO_BACKEND]),
    )
    .addOption(
      new Option(
        '--image-binding <kind>',
        'what a sumcheck proof binds: pixels, which a chain can keep, or a commitment to them, for which it sees 32 bytes (default: pixels up to 64 × 64 × 3)',
      ).choices(['pixels', 'commitment']),
    )
    .option(
      '--column-bits <n>',
      'log2 of the length of sumcheck columns: longer ones verify cheaper and prove slower (default: by the model)',
      count('--column-bits', 4, 24),
    )
    .addOption(
      new Option(
        '--profile <name>',
        'bits against fidelity (default: compact for groth16 and ezkl, else fidelity)',
      ).choices(['compact', 'balanced', 'fidelity']),
    )
    .addOption(
      new Option('--latent <distribution>', 'what the model was trained to take')
        .choices(['normal', 'uniform'])
        .default('normal'),
    )
    .addOption(
      new Option('--range <low,high>', 'output range of the model (default: detected)').argParser(
        parseRange,
      ),
    )
    .addOption(
      new Option('--layout <axes>', 'order of the output axes (default: detected)').choices([
        'CHW',
        'HWC',
      ]),
    )
    .addOption(
      new Option(
        '--size <height>x<width>x<channels>',
        'size of the image where the output has one axis (default: a grey square)',
      ).argParser(parseSize),
    )
    .option(
      '--any-output',
      'take an output that is no image for one: its rows as rows of grey pixels, the range that calibration saw from black to white',
    )
    .option(
      '--psnr <dB>',
      'how close images must be to the float model: the median of 256 so close, the worst at most 5 dB less, at the least cost (default: 45, and what the profile aims at)',
      parsePsnr,
    )
    .option('--weight-bits <n>', 'bits of a weight', count('--weight-bits', 2, 16))
    .option('--activation-bits <n>', 'bits of an activation', count('--activation-bits', 2, 16))
    .option('--name <name>', 'name of the model (default: the file name)')
}

/** The backend that was asked for, by default the first; undefined for `none`. */
export function chooseBackend({ backend }: ModelOptions): Backend | undefined {
  if (backend === NO_BACKEND) return undefined
  return backend === undefined ? backends[0] : findBackend(backend)
}

/**
 * What the user decided about the circuit.
 *
 * @throws {PlatemarkError} for an option that the backend does not have.
 */
export function circuitOptions(
  { imageBinding, columnBits }: ModelOptions,
  backend: Backend | undefined,
): CircuitOptions {
  const options = {
    ...(imageBinding === undefined ? {} : { imageBinding }),
    ...(columnBits === undefined ? {} : { columnBits }),
  }
  const given = Object.keys(options) as (keyof CircuitOptions)[]
  const known = backend?.circuitOptions ?? []
  if (given.every((name) => known.includes(name))) return options
  throw new PlatemarkError('This backend has no such option.', {
    expected: '--image-binding and --column-bits with --backend sumcheck only',
    found: `--backend ${backend?.name ?? NO_BACKEND}`,
  })
}

/** Options for the compiler; only what was given, so that its defaults stay its own. */
export function compileOptions(
  options: ModelOptions,
  backend: Backend | undefined,
): CompileOptions {
  const { range, layout, size, anyOutput, psnr, weightBits, activationBits } = options
  return {
    toolVersion,
    latent: options.latent,
    profile: options.profile ?? (COMPACT_BACKENDS.includes(backend?.name) ? 'compact' : 'fidelity'),
    ...inputOptions(options),
    ...(range === undefined ? {} : { outputRange: range }),
    ...(layout === undefined ? {} : { layout }),
    ...(size === undefined ? {} : { size }),
    ...(anyOutput === undefined ? {} : { anyOutput }),
    ...(psnr === undefined ? {} : { targetPsnr: psnr }),
    ...(weightBits === undefined ? {} : { weightBits }),
    ...(activationBits === undefined ? {} : { activationBits }),
  }
}

/** Reads the ONNX file and the name under which the model is compiled. */
export async function readModelFile(
  path: string,
  options: ModelOptions,
): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
  const bytes = await readOnnxFile(path)
  return { name: options.name ?? basename(path).replace(/\.onnx$/, ''), bytes }
}

function parseRange(text: string): readonly [number, number] {
  const [low, high, ...rest] = text
    .split(',')
    .map((part) => (part.trim() === '' ? NaN : Number(part)))
  if (low === undefined || high === undefined || rest.length > 0 || !(low < high))
    throw new PlatemarkError('The output range is not one.', {
      expected: 'two numbers like -1,1 or 0,255, the lower first',
      found: JSON.stringify(text.slice(0, 40)),
    })
  return [low, high]
}

function parsePsnr(text: string): number {
  const psnr = text.trim() === '' ? NaN : Number(text)
  if (psnr >= 20 && psnr <= 58) return psnr
  throw new PlatemarkError('The wanted PSNR is not one.', {
    expected: 'decibels from 20 to 58, like 45',
    found: JSON.stringify(text.slice(0, 40)),
  })
}

function parseSize(text: string): FlatSize {
  const [, height, width, channels = '1'] = /^(\d{1,5})x(\d{1,5})(?:x([134]))?$/.exec(text) ?? []
  if (height !== undefined && width !== undefined)
    return [Number(height), Number(width), Number(channels)]
  throw new PlatemarkError('The image size is not one.', {
    expected: 'height, width and channels like 32x32x3',
    found: JSON.stringify(text.slice(0, 40)),
  })
}
