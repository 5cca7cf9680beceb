import { Command, CommanderError } from 'commander'
import { PlatemarkError } from '../model-export/platemark-error.js'
import type { Register, Runner } from './command.js'
import { audit } from './commands/audit.js'
import { ceremony } from './commands/ceremony.js'
import { compile } from './commands/compile.js'
import { deploy } from './commands/deploy.js'
import { doctor } from './commands/doctor.js'
import { estimate } from './commands/estimate.js'
import { generate } from './commands/generate.js'
import { hash } from './commands/hash.js'
import { inspect } from './commands/inspect.js'
import { mint } from './commands/mint.js'
import { prove } from './commands/prove.js'
import { setup } from './commands/setup.js'
import { srs } from './commands/srs.js'
import { verifier } from './commands/verifier.js'
import { verify } from './commands/verify.js'
import { describeError, openTerminal, toJson } from './terminal.js'
import { toolVersion } from './version.js'

/** In the order in which a user meets them. */
const commands: readonly Register[] = [
  compile,
  inspect,
  estimate,
  setup,
  srs,
  ceremony,
  generate,
  prove,
  verify,
  hash,
  verifier,
  deploy,
  mint,
  audit,
  doctor,
]

export type Output = {
  readonly out: { write: (text: string) => unknown }
  readonly err: { write: (text: string) => unknown; readonly isTTY?: boolean | undefined }
}

/**
 * Runs one command line.
 *
 * @param args - without `node` and the script
 * @returns the exit code: 0 done, 1 the answer is no, 2 wrong use or bad input, 70 a bug of ours
 */
export async function runProgram(args: readonly string[], output: Output): Promise<number> {
  let exitCode = 0
  const json = args.includes('--json')
  const fail = (error: unknown, json: boolean) => {
    const described = describeError(error)
    if (json) output.out.write(`${toJson(described.json)}\n`)
    else output.err.write(`${described.text}\n`)
    exitCode = described.exitCode
  }
  const run: Runner = async (json, action) => {
    const terminal = openTerminal(json, output)
    try {
      exitCode = await action(terminal)
    } catch (error) {
      terminal.close()
      fail(error, json)
    } finally {
      terminal.close()
    }
  }
  const program = new Command('platemark')
    .description(
      'Prove that a generative model made an image from a seed, and mint it on a chain that checks the proof.',
    )
    .version(toolVersion, '-V, --version')
    .addHelpText(
      'before',
      [
        'The way from a model to a token:',
        '  $ platemark compile model.onnx -o model.plate/',
        '  $ platemark setup model.plate/ --dev',
        '  $ platemark prove model.plate/ --seed 42 -o image.provenance.json',
        '  $ platemark verify image.provenance.json --model model.plate/',
        '',
      ].join('\n'),
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 done; 1 the answer is no (invalid proof, other image); 2 wrong use or bad input.',
    )
  for (const register of commands) register(program, run)
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap((it) => it.commands),
  ])
    command.exitOverride().configureOutput({
      writeOut: (text) => output.out.write(text),
      writeErr: (text) => (json ? undefined : output.err.write(text)),
    })
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) fail(error, json)
    else if (error.exitCode !== 0) {
      if (json) fail(wrongUse(error), json)
      exitCode = 2
    }
  }
  return exitCode
}

/** What commander says in words for a person, as an error with parts for a program. */
function wrongUse({ code, message }: CommanderError): PlatemarkError {
  const found = code === 'commander.help' ? 'no command' : message.replace(/^error: /, '')
  return new PlatemarkError('The command line is not understood.', {
    found,
    fix: 'Add --help for options and examples.',
  })
}
