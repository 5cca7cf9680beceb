import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { quantizeOnnx } from '../../model-export/compile-model.js'
import { readPlate } from '../../model-export/plate.js'
import { backends } from '../../prover/backends.js'
import { type Register, subcommand } from '../command.js'
import {
  chosenBackend,
  compileOptions,
  type ModelOptions,
  readModelFile,
  withModelOptions,
} from '../compile-options.js'
import { estimateLines } from '../estimate-lines.js'

type Options = ModelOptions & { readonly json?: boolean }

/** `estimate`: what compiling, setup, proving and verifying will cost. */
export const estimate: Register = (program, run) => {
  program.addCommand(
    withModelOptions(
      subcommand('estimate', 'Predict size, memory, time and gas before anyone waits.', [
        'platemark estimate model.onnx',
        'platemark estimate model.plate/',
      ]).argument('<path>', 'ONNX file or compiled model'),
    ).action((path: string, options: Options) =>
      run(options.json === true, async (terminal) => {
        const model = existsSync(join(path, 'model.json'))
          ? (await readPlate(path)).model
          : await quantize(path, options, terminal.progress)
        const backend = chosenBackend(options)
        const estimates = (backend === undefined ? backends : [backend]).map((it) =>
          it.estimate(model),
        )
        terminal.result(
          estimates.length === 1 ? { ...estimates[0] } : { estimates },
          estimates.flatMap(estimateLines),
        )
        return estimates.every(({ feasible }) => feasible) ? 0 : 1
      }),
    ),
  )
}

async function quantize(
  path: string,
  options: ModelOptions,
  progress: Parameters<typeof quantizeOnnx>[3],
) {
  const { name, bytes } = await readModelFile(path, options)
  return quantizeOnnx(bytes, name, compileOptions(options), progress)
}
