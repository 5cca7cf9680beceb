import { join } from 'node:path'
import { writeFileAtomic } from '../../model-export/atomic-write.js'
import { readPlate } from '../../model-export/plate.js'
import { type Register, subcommand } from '../command.js'
import { plateBackend } from '../plate-backend.js'

type Options = {
  readonly output: string
  readonly backend?: string
  readonly allowInsecureSetup?: boolean
  readonly json?: boolean
}

/** `verifier`: the Solidity sources of a compiled model's verifier. */
export const verifier: Register = (program, run) => {
  program.addCommand(
    subcommand('verifier', 'Write the Solidity verifier of a compiled model.', [
      'platemark verifier model.plate/ -o contracts/',
      'platemark verifier model.plate/ -o contracts/ --allow-insecure-setup   # local chains only',
    ])
      .argument('<plate>', 'compiled model with keys')
      .requiredOption('-o, --output <folder>', 'folder for the sources')
      .option(
        '--allow-insecure-setup',
        'write a verifier for a development key: its name says so and it works on local chains only',
      )
      .option('--backend <name>', 'proof system, when the plate has several')
      .action((directory: string, options: Options) =>
        run(options.json === true, async (terminal) => {
          const plate = await readPlate(directory)
          const backend = await plateBackend(directory, options.backend)
          const files = await backend.solidity(plate, {
            allowInsecureSetup: options.allowInsecureSetup === true,
          })
          for (const { path, source } of files)
            await writeFileAtomic(join(options.output, path), source)
          if (backend.name === 'sumcheck')
            terminal.remark(
              'note: this contract runs on the engine SumcheckVerifier, whose address its constructor takes; platemark deploy deploys both.',
            )
          const paths = files.map(({ path }) => join(options.output, path))
          terminal.result({ files: paths }, paths)
          return 0
        }),
      ),
  )
}
