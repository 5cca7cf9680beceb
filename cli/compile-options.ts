import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { type CompileOptions, quantizeOnnx } from '../model-export/compile-model.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { Progress } from '../model-export/progress.js'
import type { Backend } from '../prover/backend.js'
import { backends, findBackend } from '../prover/backends.js'
import { count } from './command.js'
import { toolVersion } from './version.js'

/** The backend option that compiles the integer model and no circuit. */
export const NO_BACKEND = 'none'

/** Backends that pay for every bit. */
const COMPACT_BACKENDS: readonly (string | undefined)[] = ['groth16', 'ezkl']

/** What `compile` and `estimate` have in common on the command line. */
export type ModelOptions = {
  /** Absent: chosen by size, see `chooseBackend`. */
  readonly backend?: string
  readonly profile?: 'compact' | 'balanced' | 'fidelity'
  readonly latent: 'normal' | 'uniform'
  readonly range?: readonly [number, number]
  readonly layout?: 'CHW' | 'HWC'
  readonly weightBits?: number
  readonly activationBits?: number
  readonly name?: string
}

/** Adds the options that decide what integer model an ONNX file becomes. */
export function withModelOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--backend <name>',
        'proof system; none compiles the integer model only (default: groth16, which chains verify, for models that it can do, else sumcheck)',
      ).choices([...backends.map((backend) => backend.name), NO_BACKEND]),
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
    .option('--weight-bits <n>', 'bits of a weight', count('--weight-bits', 2, 16))
    .option('--activation-bits <n>', 'bits of an activation', count('--activation-bits', 2, 16))
    .option('--name <name>', 'name of the model (default: the file name)')
}

/**
 * The backend that was asked for; undefined for `none`. When none was named: the first that can do the
 * model, those that a chain can verify before the others.
 *
 * @throws {PlatemarkError} as the compiler, and when no backend can do the model.
 */
export function chooseBackend(
  onnx: Uint8Array,
  name: string,
  options: ModelOptions,
  progress: Progress,
): Backend | undefined {
  if (options.backend === NO_BACKEND) return undefined
  if (options.backend !== undefined) return findBackend(options.backend)
  const reasons: string[] = []
  const candidates = backends.filter(({ external }) => external !== true)
  for (const backend of candidates.sort((a, b) => Number(b.onChain) - Number(a.onChain))) {
    const model = quantizeOnnx(onnx, name, compileOptions(options, backend), progress)
    const { feasible, reason } = backend.estimate(model)
    if (feasible) return backend
    reasons.push(`${backend.name}: ${reason ?? 'not feasible'}`)
  }
  throw new PlatemarkError('The model is too large for every backend.', {
    found: reasons.join(' '),
    fix: 'Use a smaller model, or --backend none to generate without proofs.',
  })
}

/** Options for the compiler; only what was given, so that its defaults stay its own. */
export function compileOptions(
  options: ModelOptions,
  backend: Backend | undefined,
): CompileOptions {
  const { range, layout, weightBits, activationBits } = options
  return {
    toolVersion,
    latent: options.latent,
    profile: options.profile ?? (COMPACT_BACKENDS.includes(backend?.name) ? 'compact' : 'fidelity'),
    ...(range === undefined ? {} : { outputRange: range }),
    ...(layout === undefined ? {} : { layout }),
    ...(weightBits === undefined ? {} : { weightBits }),
    ...(activationBits === undefined ? {} : { activationBits }),
  }
}

/** Reads the ONNX file and the name under which the model is compiled. */
export async function readModelFile(
  path: string,
  options: ModelOptions,
): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new PlatemarkError('The model could not be read.', {
      expected: 'an ONNX file',
      found: cause.message,
      cause,
    })
  })
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
