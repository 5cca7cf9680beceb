import type { Address } from 'viem'
import { readPlate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { ProvePhase } from '../../prover/backend.js'
import { writeProvenance } from '../../prover/provenance.js'
import { type Context, LOCAL_CONTEXT } from '../../prover/statement.js'
import { address, chainId, device, type Register, seedOption, subcommand } from '../command.js'
import { statementRows } from '../condition-lines.js'
import {
  type ConditionOptions,
  chooseConditions,
  withConditionOptions,
} from '../condition-options.js'
import { plateBackend } from '../plate-backend.js'
import { bytes, rows } from '../terminal.js'
import { toolVersion } from '../version.js'

type Options = ConditionOptions & {
  readonly seed: bigint
  readonly output: string
  readonly chainId?: bigint
  readonly contract?: Address
  readonly recipient?: Address
  readonly backend?: string
  readonly device?: string
  readonly json?: boolean
}

/** `prove`: image, proof and bundle of a seed. */
export const prove: Register = (program, run) => {
  program.addCommand(
    withConditionOptions(
      subcommand('prove', 'Prove that a seed generates an image; write the bundle and the PNG.', [
        'platemark prove model.plate/ --seed 42 -o image.provenance.json',
        'platemark prove model.plate/ --seed 42 --label 3 -o image.provenance.json',
        'platemark prove model.plate/ --seed 42 --chain-id 1 --contract 0x… --recipient 0x… -o image.provenance.json',
      ]),
    )
      .argument('<plate>', 'compiled model with keys')
      .addOption(seedOption())
      .requiredOption('-o, --output <file>', 'bundle to write, <name>.provenance.json')
      .option('--chain-id <id>', 'chain on which the proof may be used', chainId)
      .option('--contract <address>', 'NFT contract in which it may be used', address)
      .option('--recipient <address>', 'account that may receive the token', address)
      .option('--backend <name>', 'proof system, when the plate has several')
      .option(
        '--device <name>',
        'what proves: cpu, cuda or cuda:<n> for an NVIDIA card, auto for a card that passes the self-test (default: cpu)',
        device,
      )
      .action((directory: string, options: Options) =>
        run(options.json === true, async (terminal) => {
          const context = contextOf(options)
          const plate = await readPlate(directory)
          const backend = await plateBackend(directory, options.backend)
          if (options.device?.startsWith('cuda') && backend.name !== 'sumcheck')
            throw new PlatemarkError('This backend cannot use a card.', {
              expected: '--device cpu or auto',
              found: `--device ${options.device} with the backend ${backend.name}`,
            })
          const result = await writeProvenance(
            plate,
            backend,
            {
              seed: options.seed,
              conditions: chooseConditions(plate.model, options),
              context,
              ...(options.device === undefined ? {} : { device: options.device }),
            },
            options.output,
            toolVersion,
            terminal.progress,
          )
          const { proved, bundle } = result
          for (const note of proved.notes ?? []) terminal.remark(`warning: ${note}`)
          if (bundle.setup.insecure) terminal.remark(`warning: ${bundle.setup.note}`)
          terminal.result(
            {
              bundle: result.bundlePath,
              image: result.imagePath,
              statement: bundle.statement,
              seconds: proved.seconds,
              peakMemoryBytes: proved.peakMemoryBytes,
              proofBytes: proved.proof.length,
              device: proved.device,
              phases: proved.phases,
              notes: proved.notes,
              insecure: bundle.setup.insecure,
            },
            rows([
              ['bundle', result.bundlePath],
              ['image', result.imagePath],
              ...statementRows(bundle.statement),
              ['image digest', bundle.statement.imageHash],
              ['proof', `${proved.proof.length} bytes, ${backend.proofSystem}`],
              ['time', `${proved.seconds.toFixed(1)} s on ${proved.device}`],
              ...phaseRows(proved.phases ?? []),
              ['peak memory', bytes(proved.peakMemoryBytes)],
            ]),
          )
          return 0
        }),
      ),
  )
}

/** One row a phase, where it was done only where that is not the same for all. */
function phaseRows(phases: readonly ProvePhase[]): (readonly [string, string])[] {
  const everywhere = phases.every(({ device }) => device === phases[0]!.device)
  return phases.map(({ name, seconds, device }) => [
    `  ${name}`,
    `${seconds.toFixed(seconds < 1 ? 2 : 1)} s${everywhere ? '' : ` on ${device}`}`,
  ])
}

/** A chain context is all three parts or none: a half-bound proof would mislead its owner. */
function contextOf({ chainId: id, contract, recipient }: Options): Context {
  if (id === undefined && contract === undefined && recipient === undefined) return LOCAL_CONTEXT
  if (id === undefined || contract === undefined || recipient === undefined)
    throw new PlatemarkError('The context is incomplete.', {
      expected: '--chain-id, --contract and --recipient together, or none of them',
      found: [
        ...(id === undefined ? [] : ['--chain-id']),
        ...(contract === undefined ? [] : ['--contract']),
        ...(recipient === undefined ? [] : ['--recipient']),
      ].join(' and '),
      fix: 'Give the missing ones; without any, the proof is bound to no chain.',
    })
  return { chainId: id, contract, recipient }
}
