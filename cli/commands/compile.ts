import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeDirectoryAtomic } from '../../model-export/atomic-write.js'
import { compileModel } from '../../model-export/compile-model.js'
import type { ImageInfo } from '../../model-export/integer-model.js'
import { modelId, writePlate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { type Register, subcommand } from '../command.js'
import {
  chooseBackend,
  circuitOptions,
  compileOptions,
  type ModelOptions,
  readModelFile,
  withModelOptions,
} from '../compile-options.js'
import { conditionRows, conditionsJson } from '../condition-lines.js'
import { refuseInfeasible } from '../estimate-lines.js'
import { fidelityRows, fidelityWarning } from '../fidelity-lines.js'
import { rows } from '../terminal.js'

type Options = ModelOptions & { readonly output: string; readonly json?: boolean }

/** `compile`: ONNX to a compiled model. */
export const compile: Register = (program, run) => {
  program.addCommand(
    withModelOptions(
      subcommand(
        'compile',
        'Compile an ONNX generator to an exact integer model and its circuit.',
        [
          'platemark compile model.onnx -o model.plate/',
          'platemark compile model.onnx -o model.plate/ --latent uniform --image-binding commitment',
          'platemark compile model.onnx -o model.plate/ --psnr 45',
          'platemark compile model.onnx -o model.plate/ --input z=latent --input y=class --input t=0.5',
        ],
      )
        .argument('<onnx>', 'ONNX file of the generator')
        .requiredOption('-o, --output <folder>', 'folder of the compiled model, <name>.plate/'),
    ).action((path: string, options: Options) =>
      run(options.json === true, async (terminal) => {
        refuseForeignFolder(options.output)
        const { name, bytes } = await readModelFile(path, options)
        const { progress } = terminal
        const backend = chooseBackend(options)
        backend?.requireProgram?.()
        const circuit = circuitOptions(options, backend)
        const compiled = await compileModel(bytes, name, compileOptions(options, backend), progress)
        const { model, report } = compiled
        const estimate = backend?.estimate(model, circuit)
        if (estimate !== undefined) refuseInfeasible(estimate)
        const id = modelId(model)
        const warning = fidelityWarning(report, options)
        if (warning !== undefined) terminal.remark(warning)
        await writeDirectoryAtomic(options.output, async (directory) => {
          await writePlate(directory, model, report)
          await backend?.compile({ directory, model, modelId: id }, progress, circuit)
        })
        terminal.result(
          {
            plate: options.output,
            modelId: id,
            backend: backend?.name ?? null,
            ...conditionsJson(model),
            image: model.image,
            ...report,
            estimate,
          },
          rows([
            ['compiled model', options.output],
            ['backend', backend?.name ?? 'none'],
            ['model id', id],
            ...conditionRows(model),
            ['image', describeImage(model.image)],
            ['parameters', report.parameters],
            ['activations', report.activations],
            ['MACs', report.macs],
            ...fidelityRows(report),
            ...Object.entries(estimate?.counts ?? {}),
          ]),
        )
        return 0
      }),
    ),
  )
}

/** The output folder is replaced as a whole, so it must be ours, empty or new. */
function refuseForeignFolder(path: string): void {
  if (!existsSync(path) || existsSync(join(path, 'model.json'))) return
  let entries: readonly string[]
  try {
    entries = readdirSync(path)
  } catch {
    entries = ['a file']
  }
  if (entries.length === 0) return
  throw new PlatemarkError('The output folder holds something else.', {
    expected: 'a new or empty folder, or a compiled model to replace',
    found: `${path} with ${entries.slice(0, 3).join(', ')}${entries.length > 3 ? ', …' : ''}`,
    fix: 'Choose another folder, for example -o model.plate/',
  })
}

/** What the output was taken for: the user may know better. */
function describeImage({ height, width, channels, range }: ImageInfo): string {
  return `${height} × ${width} × ${channels}, ${range[0]} is black and ${range[1]} white (else: --size, --layout, --range)`
}
