import { readFile } from 'node:fs/promises'
import { fileHashes, pixelHashes } from '../../circuits/image-hashes.js'
import { decodePng } from '../../circuits/png.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { type Register, subcommand } from '../command.js'
import { rows } from '../terminal.js'

/** `hash`: every hash of an image file. */
export const hash: Register = (program, run) => {
  program.addCommand(
    subcommand('hash', 'Print every hash of a PNG: of its pixels and of its file.', [
      'platemark hash image.png',
    ])
      .argument('<png>', 'image file')
      .action((path: string, options: { readonly json?: boolean }) =>
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
          terminal.result({ height, width, channels, ...pixels, ...file }, [
            ...rows([
              ['size', `${height} × ${width} × ${channels}`],
              ['poseidon', `${pixels.poseidon}  (pixels, 31-byte limbs)`],
              ['keccak-256', `${pixels.keccak256}  (pixels)`],
              ['sha-256', `${file.sha256}  (file)`],
              ['ipfs cid', `${file.cid}  (file)`],
            ]),
          ])
          return 0
        }),
      ),
  )
}
