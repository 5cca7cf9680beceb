import { readFile } from 'node:fs/promises'
import type { Hex } from 'viem'
import type { Image } from '../../circuits/image-digest.js'
import { fileHashes, pixelHashes } from '../../circuits/image-hashes.js'
import { decodePng } from '../../circuits/png.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { commitmentHash } from '../../prover/sumcheck/image-hash.js'
import { readPowers } from '../../prover/sumcheck/powers.js'
import { type Register, subcommand } from '../command.js'
import { rows } from '../terminal.js'

/** `hash`: every hash of an image file. */
export const hash: Register = (program, run) => {
  program.addCommand(
    subcommand('hash', 'Print every hash of a PNG: of its pixels and of its file.', [
      'platemark hash image.png',
      'platemark hash image.png --powers model.plate/',
    ])
      .argument('<png>', 'image file')
      .option(
        '--powers <path>',
        'also the hash of a commitment to the pixels under these powers of tau (.ptau file or plate with keys)',
      )
      .action((path: string, options: { readonly powers?: string; readonly json?: boolean }) =>
        run(options.json === true, async (terminal) => {
          const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
            throw new PlatemarkError('The image could not be read.', {
              expected: 'a PNG file',
              found: cause.message,
              cause,
            })
          })
          const image = await decodePng(bytes)
          const { height, width, channels } = image
          const pixels = pixelHashes(image)
          const file = fileHashes(bytes)
          const commitment =
            options.powers === undefined
              ? {}
              : { commitment: await commitmentHashUnder(options.powers, image) }
          terminal.result({ height, width, channels, ...pixels, ...commitment, ...file }, [
            ...rows([
              ['size', `${height} × ${width} × ${channels}`],
              ['poseidon', `${pixels.poseidon}  (pixels, 31-byte limbs)`],
              ['keccak-256', `${pixels.keccak256}  (pixels)`],
              ...Object.entries(commitment).map(
                ([name, value]) => [name, `${value}  (pixels, under these powers)`] as const,
              ),
              ['sha-256', `${file.sha256}  (file)`],
              ['ipfs cid', `${file.cid}  (file)`],
            ]),
          ])
          return 0
        }),
      ),
  )
}

async function commitmentHashUnder(path: string, image: Image): Promise<Hex> {
  const { powers } = await readPowers(path, image.pixels.length)
  return commitmentHash(image, powers)
}
