import { readPlate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { auditBundle } from '../../prover/audit.js'
import { auditToken } from '../../prover/audit-token.js'
import { readBundle } from '../../prover/bundle.js'
import { address, type Register, subcommand, tokenNumber } from '../command.js'
import { verificationLines } from '../verification-lines.js'

type Options = {
  readonly model: string
  readonly image?: string | false
  readonly powers?: string
  readonly rpc?: string
  readonly token?: bigint
  readonly contract?: `0x${string}`
  readonly json?: boolean
}

/** `audit`: check everything again from weights and seed, and a token against the chain. */
export const audit: Register = (program, run) => {
  program.addCommand(
    subcommand(
      'audit',
      'Regenerate the image, recompute every hash, verify the proof, and compare a token with the chain.',
      [
        'platemark audit image.provenance.json --model model.plate/',
        'platemark audit image.provenance.json --model model.plate/ --rpc http://127.0.0.1:8545 --token 1234',
      ],
    )
      .argument('<bundle>', 'provenance bundle')
      .requiredOption('--model <plate>', 'compiled model')
      .option('--image <png>', 'image to check instead of the one beside the bundle')
      .option('--no-image', 'check a bundle whose image you do not have')
      .option(
        '--powers <path>',
        'powers of tau (.ptau file or plate with keys) to make the verifying key again (default: of --model)',
      )
      .option('--rpc <url>', 'node of the chain that holds the token')
      .option('--token <id>', 'token id (default: of the bundle’s model and seed)', tokenNumber)
      .option('--contract <address>', 'NFT contract; by default the one in the bundle', address)
      .action((path: string, options: Options) =>
        run(options.json === true, async (terminal) => {
          if (options.rpc === undefined && (options.token ?? options.contract) !== undefined)
            throw new PlatemarkError('A token needs a chain.', {
              expected: '--rpc <url> together with --token or --contract',
              fix: 'Add --rpc with the URL of a node.',
            })
          const bundle = await readBundle(path)
          const plate = await readPlate(options.model)
          const extra =
            options.rpc === undefined
              ? []
              : await auditToken(bundle, plate, {
                  rpcUrl: options.rpc,
                  ...(options.token === undefined ? {} : { tokenId: options.token }),
                  ...(options.contract === undefined ? {} : { contract: options.contract }),
                })
          const audited = await auditBundle(
            bundle,
            path,
            plate,
            {
              extra,
              ...(options.image === undefined ? {} : { imagePath: options.image }),
              ...(options.powers === undefined ? {} : { powers: options.powers }),
            },
            terminal.progress,
          )
          if (bundle.setup.insecure) terminal.remark(`warning: ${bundle.setup.note}`)
          terminal.result(
            {
              valid: audited.valid,
              reason: audited.reason ?? null,
              insecure: bundle.setup.insecure,
              checks: audited.checks,
            },
            verificationLines(audited),
          )
          return audited.valid ? 0 : 1
        }),
      ),
  )
}
