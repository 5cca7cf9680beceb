import { readFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { readPlate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { SetupRecord } from '../../prover/backend.js'
import {
  beacon,
  contribute,
  contributeToFile,
  importContribution,
  verifyCeremony,
} from '../../prover/groth16/ceremony.js'
import { count, type Register, type Runner, subcommand, subcommandGroup } from '../command.js'
import { rows, type Terminal } from '../terminal.js'

/**
 * `ceremony`: phase 2 of a groth16 setup. The coordinator runs `setup --ptau`, sends the key file
 * around, imports what comes back, closes with a beacon, and anyone verifies.
 */
export const ceremony: Register = (program, run) => {
  const group = subcommandGroup(
    'ceremony',
    'Run phase 2 of a groth16 setup: contribute, close, verify.',
    [
      'platemark setup model.plate/ --ptau powers.ptau   # begins it',
      'platemark ceremony contribute model.plate/ --name Ada',
      'platemark ceremony beacon model.plate/ --hash 0x… --name "block 23000000"',
      'platemark ceremony verify model.plate/ --ptau powers.ptau',
    ],
  )
  addContribute(group, run)
  addImport(group, run)
  addBeacon(group, run)
  addVerify(group, run)
  program.addCommand(group)
}

function addContribute(group: Command, run: Runner): void {
  type Options = {
    readonly name: string
    readonly entropyFile?: string
    readonly in?: string
    readonly out?: string
    readonly json?: boolean
  }
  group.addCommand(
    subcommand('contribute', 'Add your randomness to the key, and forget it.', [
      'platemark ceremony contribute model.plate/ --name Ada',
      'platemark ceremony contribute --in from-coordinator.zkey --out to-coordinator.zkey --name Ada',
    ])
      .argument('[plate]', 'compiled model; without it, --in and --out')
      .requiredOption('--name <name>', 'who contributes; becomes part of the key')
      .option('--entropy-file <file>', 'more randomness, mixed with the operating system’s')
      .option('--in <zkey>', 'key file from the coordinator')
      .option('--out <zkey>', 'key file to send back')
      .action((directory: string | undefined, options: Options) =>
        run(options.json === true, async (terminal) => {
          const { in: input, out: output, name } = options
          const contribution = { name, ...(await entropy(options.entropyFile)) }
          const byFile = input !== undefined && output !== undefined
          if (
            byFile === (directory !== undefined) ||
            (input === undefined) !== (output === undefined)
          )
            throw new PlatemarkError('Say what to contribute to.', {
              expected: 'either a compiled model, or --in and --out',
              fix: 'Contributors who were sent a key file use --in and --out.',
            })
          if (directory !== undefined) {
            const plate = await readPlate(directory)
            show(await contribute(plate, contribution, terminal.progress), terminal)
          } else if (byFile) {
            const all = await contributeToFile(input, output, contribution, terminal.progress)
            terminal.result({ output, contributions: all }, [
              `${output}: ${all.length} contributions`,
            ])
          }
          return 0
        }),
      ),
  )
}

function addImport(group: Command, run: Runner): void {
  group.addCommand(
    subcommand('import', 'Take a contributor’s key file over, after checking it.', [
      'platemark ceremony import model.plate/ from-ada.zkey --ptau powers.ptau',
    ])
      .argument('<plate>', 'compiled model')
      .argument('<zkey>', 'key file that came back')
      .requiredOption('--ptau <file>', 'the powers of tau of the setup')
      .action((directory: string, file: string, options: { ptau: string; json?: boolean }) =>
        run(options.json === true, async (terminal) => {
          const plate = await readPlate(directory)
          show(await importContribution(plate, file, options.ptau, terminal.progress), terminal)
          return 0
        }),
      ),
  )
}

function addBeacon(group: Command, run: Runner): void {
  type Options = {
    readonly hash: string
    readonly iterations: number
    readonly name: string
    readonly json?: boolean
  }
  group.addCommand(
    subcommand('beacon', 'Close the ceremony with public randomness.', [
      'platemark ceremony beacon model.plate/ --hash 0x… --name "block 23000000"',
    ])
      .argument('<plate>', 'compiled model')
      .requiredOption('--hash <hex>', 'randomness nobody could know before the last contribution')
      .addOption(
        new Option('--iterations <n>', 'the hash is iterated 2^n times')
          .argParser(count('--iterations', 10, 32))
          .default(10),
      )
      .requiredOption('--name <name>', 'where the randomness is from')
      .action((directory: string, options: Options) =>
        run(options.json === true, async (terminal) => {
          const { iterations, name } = options
          const hash = options.hash as `0x${string}`
          const plate = await readPlate(directory)
          show(await beacon(plate, { hash, iterations, name }, terminal.progress), terminal)
          return 0
        }),
      ),
  )
}

function addVerify(group: Command, run: Runner): void {
  group.addCommand(
    subcommand('verify', 'Check every contribution against circuit and powers of tau.', [
      'platemark ceremony verify model.plate/ --ptau powers.ptau',
    ])
      .argument('<plate>', 'compiled model')
      .requiredOption('--ptau <file>', 'the powers of tau of the setup')
      .action((directory: string, options: { ptau: string; json?: boolean }) =>
        run(options.json === true, async (terminal) => {
          const plate = await readPlate(directory)
          const verdict = await verifyCeremony(plate, options.ptau, terminal.progress)
          terminal.result(
            { ...verdict },
            verdict.valid
              ? [
                  ...verdict.contributions.map(({ kind, name }) => `✓ ${kind}  ${name}`),
                  'the key is what circuit, powers of tau and contributions make',
                ]
              : [`INVALID: ${verdict.reason}`],
          )
          return verdict.valid ? 0 : 1
        }),
      ),
  )
}

async function entropy(file: string | undefined): Promise<{ readonly entropy?: string }> {
  if (file === undefined) return {}
  const content = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new PlatemarkError('The entropy file could not be read.', { found: cause.message, cause })
  })
  return { entropy: content.toString('base64') }
}

function show(record: SetupRecord, terminal: Terminal): void {
  if (record.insecure) terminal.remark(`warning: ${record.note}`)
  terminal.result(
    { ...record },
    rows([
      ['verifying key', record.verifyingKeyHash],
      ['contributions', (record.contributions ?? []).join(', ') || 'none'],
      ['secure', record.insecure ? 'no' : 'if one contributor was honest'],
    ]),
  )
}
