import { copyFile } from 'node:fs/promises'
import { Option } from 'commander'
import { makeFileAtomic } from '../../model-export/atomic-write.js'
import {
  checkPowersOfTau,
  developmentPowersOfTau,
  type PowersOfTauSummary,
} from '../../prover/native.js'
import { count, type Register, subcommand, subcommandGroup } from '../command.js'
import { bytes, rows, type Terminal } from '../terminal.js'

/** `srs`: powers of tau, the only setup of the sumcheck backend and phase 1 of groth16. */
export const srs: Register = (program, run) => {
  const parent = subcommandGroup(
    'srs',
    'Check, keep or make powers of tau (structured reference string).',
    [
      'platemark srs inspect powersOfTau28_hez_final_18.ptau',
      'platemark srs import powersOfTau28_hez_final_18.ptau -o powers.ptau',
      'platemark srs dev --power 17 -o dev.ptau',
    ],
  )
  parent.addCommand(
    subcommand('inspect', 'Check every point of a .ptau file and show what it is.', [
      'platemark srs inspect powersOfTau28_hez_final_18.ptau',
    ])
      .argument('<ptau>', 'powers of tau in snarkjs format')
      .action((path: string, options: { readonly json?: boolean }) =>
        run(options.json === true, async (terminal) => {
          show(await checkPowersOfTau(path, terminal.progress), terminal)
          return 0
        }),
      ),
  )
  parent.addCommand(
    subcommand('import', 'Check a .ptau file of a public ceremony and keep a copy.', [
      'platemark srs import powersOfTau28_hez_final_18.ptau -o powers.ptau',
    ])
      .argument('<ptau>', 'powers of tau in snarkjs format')
      .requiredOption('-o, --output <file>', 'file to keep it in')
      .action((path: string, options: { readonly output: string; readonly json?: boolean }) =>
        run(options.json === true, async (terminal) => {
          // The copy is what is checked, so that a file that changes meanwhile is not kept unchecked.
          let summary: PowersOfTauSummary | undefined
          await makeFileAtomic(options.output, async (partial) => {
            await copyFile(path, partial)
            summary = await checkPowersOfTau(partial, terminal.progress)
          })
          if (summary !== undefined) show(summary, terminal)
          return 0
        }),
      ),
  )
  parent.addCommand(
    subcommand('dev', 'Make powers of tau for trials and rehearsals: insecure, and marked so.', [
      'platemark srs dev --power 17 -o dev.ptau',
      'platemark setup model.plate/ --ptau dev.ptau',
    ])
      .addOption(
        new Option('--power <n>', 'for circuits of up to 2^n rows')
          .argParser(count('--power', 1, 22))
          .makeOptionMandatory(),
      )
      .requiredOption('-o, --output <file>', 'file to write')
      .action((options: { power: number; output: string; json?: boolean }) =>
        run(options.json === true, async (terminal) => {
          await makeFileAtomic(options.output, (partial) =>
            developmentPowersOfTau(partial, options.power, terminal.progress),
          )
          terminal.remark('warning: development powers: whoever made them can forge proofs.')
          terminal.result({ ptau: options.output, power: options.power, insecure: true }, [
            options.output,
          ])
          return 0
        }),
      ),
  )
  program.addCommand(parent)
}

function show(summary: PowersOfTauSummary, terminal: Terminal): void {
  const insecure = summary.contributions.length === 0
  if (insecure)
    terminal.remark('warning: nobody has contributed: whoever made it can forge proofs.')
  terminal.result({ ...summary, insecure }, [
    ...rows([
      ['power', summary.power],
      ['power of the ceremony', summary.ceremonyPower],
      ['contributions', summary.contributions.length],
      ['size', bytes(summary.bytes)],
      ['SHA-256', summary.sha256],
      ['BLAKE2b', summary.blake2b],
    ]),
    'Compare the hash with the one that the ceremony published.',
  ])
}
