import { generateImage } from '../../circuits/generate-image.js'
import { fileHashes, pixelHashes } from '../../circuits/image-hashes.js'
import { encodePng } from '../../circuits/png.js'
import { writeFileAtomic } from '../../model-export/atomic-write.js'
import { readPlate } from '../../model-export/plate.js'
import { statementConditions } from '../../prover/statement.js'
import { type Register, seedOption, subcommand } from '../command.js'
import {
  type ConditionOptions,
  chooseConditions,
  withConditionOptions,
} from '../condition-options.js'
import { rows } from '../terminal.js'

type Options = ConditionOptions & {
  readonly seed: bigint
  readonly output: string
  readonly json?: boolean
}

/** `generate`: the image of a seed, without a proof. */
export const generate: Register = (program, run) => {
  program.addCommand(
    withConditionOptions(
      subcommand(
        'generate',
        'Generate the image of a seed by the integer model, without a proof.',
        [
          'platemark generate model.plate/ --seed 42 -o image.png',
          'platemark generate model.plate/ --seed 42 --label 3 -o image.png',
          'platemark generate model.plate/ --seed 42 --condition style=@style.json -o image.png',
        ],
      ),
    )
      .argument('<plate>', 'compiled model')
      .addOption(seedOption())
      .requiredOption('-o, --output <file>', 'PNG to write')
      .action((directory: string, options: Options) =>
        run(options.json === true, async (terminal) => {
          const plate = await readPlate(directory)
          const conditions = chooseConditions(plate.model, options)
          const image = generateImage(plate.model, options.seed, conditions)
          const png = await encodePng(image)
          await writeFileAtomic(options.output, png)
          const hashes = { ...pixelHashes(image), ...fileHashes(png) }
          const { height, width, channels } = image
          terminal.result(
            {
              image: options.output,
              ...statementConditions(conditions),
              height,
              width,
              channels,
              ...hashes,
            },
            [
              ...rows([
                ['image', options.output],
                ['size', `${height} × ${width} × ${channels}`],
                ['poseidon', hashes.poseidon],
                ['keccak-256', hashes.keccak256],
              ]),
            ],
          )
          return 0
        }),
      ),
  )
}
