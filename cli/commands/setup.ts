import { readPlate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { SetupSource } from '../../prover/backend.js'
import { type Register, subcommand } from '../command.js'
import { plateBackend } from '../plate-backend.js'
import { rows } from '../terminal.js'

type Options = {
  readonly dev?: boolean
  readonly ptau?: string
  readonly backend?: string
  readonly json?: boolean
}

const WHERE_POWERS_ARE = `
Powers of tau: the ceremony of the Ethereum community, prepared for phase 2, one file a power:
  https://storage.googleapis.com/zkevm/ptau/powersOfTau28_hez_final_<power>.ptau
\`platemark estimate\` names the power that a model needs. Every point is checked here; that nobody
knows the secret is not, so compare the file's BLAKE2b hash (b2sum) with the one in snarkjs' README.
With groth16 go on with \`platemark ceremony contribute\`: the key is insecure before that.`

/** `setup`: the keys of a compiled model. */
export const setup: Register = (program, run) => {
  program.addCommand(
    subcommand('setup', 'Make the proving and verifying key of a compiled model.', [
      'platemark setup model.plate/ --dev',
      'platemark setup model.plate/ --ptau powersOfTau28_hez_final_18.ptau',
    ])
      .argument('<plate>', 'compiled model')
      .option('--dev', 'a development key: insecure, whoever made it could forge proofs')
      .option('--ptau <file>', 'powers of tau of a public ceremony, in snarkjs format')
      .option('--backend <name>', 'proof system, when the plate has several')
      .addHelpText('after', WHERE_POWERS_ARE)
      .action((directory: string, options: Options) =>
        run(options.json === true, async (terminal) => {
          const source = sourceOf(options)
          const plate = await readPlate(directory)
          const backend = await plateBackend(directory, options.backend)
          const record = await backend.setup(plate, source, terminal.progress)
          if (record.insecure) terminal.remark(`warning: ${record.note}`)
          terminal.result(
            { ...record },
            rows([
              ['backend', record.backend],
              ['kind', record.kind],
              ['verifying key', record.verifyingKeyHash],
              ['secure', record.insecure ? 'no' : 'as the ceremony'],
            ]),
          )
          return 0
        }),
      ),
  )
}

function sourceOf({ dev, ptau }: Options): SetupSource {
  if ((dev === true) === (ptau !== undefined))
    throw new PlatemarkError('Say where the keys come from.', {
      expected: 'exactly one of --dev and --ptau <file>',
      found: dev === true ? 'both' : 'neither',
      fix: 'Use --dev to try things out on a local chain, --ptau for anything real.',
    })
  return ptau === undefined ? { kind: 'development' } : { kind: 'ptau', path: ptau }
}
