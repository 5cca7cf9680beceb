import { readPlate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { readBundle } from '../../prover/bundle.js'
import { verifyBundle } from '../../prover/provenance.js'
import { verdictOf } from '../../prover/verification.js'
import { verifyInEvm } from '../../prover/verify-in-evm.js'
import { type Register, subcommand } from '../command.js'
import { verificationLines } from '../verification-lines.js'

type Options = {
  readonly model?: string
  readonly image?: string | false
  readonly powers?: string
  readonly evm?: boolean
  readonly json?: boolean
}

/** `verify`: is the bundle's proof valid for its statement and image? */
export const verify: Register = (program, run) => {
  program.addCommand(
    subcommand('verify', 'Verify a bundle: image, hashes and proof. Exit code 1 when invalid.', [
      'platemark verify image.provenance.json',
      'platemark verify image.provenance.json --model model.plate/',
      'platemark verify image.provenance.json --powers powersOfTau28_hez_final_18.ptau',
      'platemark verify image.provenance.json --model model.plate/ --evm   # run the contract, print its gas',
    ])
      .argument('<bundle>', 'provenance bundle')
      .option('--model <plate>', 'compiled model that the proof must be about')
      .option('--image <png>', 'image to check instead of the one beside the bundle')
      .option('--no-image', 'check a bundle whose image you do not have')
      .option(
        '--powers <path>',
        'powers of tau (.ptau file or plate with keys), for a proof about a commitment to the image (default: of --model)',
      )
      .option('--evm', 'also run the generated verifier contract in a local EVM (needs --model)')
      .action((path: string, options: Options) =>
        run(options.json === true, async (terminal) => {
          if (options.evm === true && options.model === undefined)
            throw new PlatemarkError('The contract is generated from the compiled model.', {
              expected: '--model <plate> together with --evm',
              fix: 'Name the compiled model with --model.',
            })
          const bundle = await readBundle(path)
          const plate = options.model === undefined ? undefined : await readPlate(options.model)
          const began = performance.now()
          terminal.progress({ step: 'verifying' })
          const here = await verifyBundle(bundle, path, {
            ...(plate === undefined ? {} : { plate }),
            ...(options.image === undefined ? {} : { imagePath: options.image }),
            ...(options.powers === undefined ? {} : { powers: options.powers }),
          })
          const seconds = (performance.now() - began) / 1000
          const evm =
            plate === undefined || options.evm !== true
              ? undefined
              : await verifyInEvm(
                  bundle,
                  path,
                  plate,
                  typeof options.image === 'string' ? { imagePath: options.image } : {},
                  terminal.progress,
                )
          const verification = evm === undefined ? here : verdictOf([...here.checks, evm.check])
          if (options.model === undefined)
            terminal.remark(
              'note: without --model, the verifying key and the model id are the bundle’s own word.',
            )
          if (bundle.setup.insecure) terminal.remark(`warning: ${bundle.setup.note}`)
          terminal.result(
            {
              valid: verification.valid,
              reason: verification.reason ?? null,
              seconds,
              insecure: bundle.setup.insecure,
              modelChecked: options.model !== undefined,
              statement: bundle.statement,
              checks: verification.checks,
              ...(evm === undefined ? {} : { gas: evm.gas, codeBytes: evm.codeBytes }),
            },
            verificationLines(verification),
          )
          return verification.valid ? 0 : 1
        }),
      ),
  )
}
