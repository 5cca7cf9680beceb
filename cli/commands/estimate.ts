import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { quantizeOnnx } from '../../model-export/compile-model.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { readPlate } from '../../model-export/plate.js'
import type { Progress } from '../../model-export/progress.js'
import type { Backend, CircuitOptions } from '../../prover/backend.js'
import { backends, findBackend } from '../../prover/backends.js'
import { type Register, subcommand } from '../command.js'
import {
  circuitOptions,
  compileOptions,
  type ModelOptions,
  NO_BACKEND,
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
        const models = existsSync(join(path, 'model.json'))
          ? await plateModels(path, options)
          : await onnxModels(path, options, terminal.progress)
        const estimates = models.map(({ backend, model, compiled }) =>
          backend.estimate(model, { ...compiled, ...circuitOptions(options, backend) }),
        )
        terminal.result(
          estimates.length === 1 ? { ...estimates[0] } : { estimates },
          estimates.flatMap(estimateLines),
        )
        return estimates.some(({ feasible }) => feasible) ? 0 : 1
      }),
    ),
  )
}

type Candidate = {
  readonly backend: Backend
  readonly model: IntegerModel
  /** What it was compiled with, if it was. */
  readonly compiled?: CircuitOptions
}

/** A compiled model for the backends that it was compiled for, or all when it was for none. */
async function plateModels(path: string, options: ModelOptions): Promise<readonly Candidate[]> {
  const plate = await readPlate(path)
  const { model } = plate
  const compiled = backends.filter(({ name }) => existsSync(join(path, name)))
  return Promise.all(
    wanted(options, compiled).map(async (backend) =>
      compiled.includes(backend)
        ? { backend, model, compiled: await backend.compiledOptions(plate) }
        : { backend, model },
    ),
  )
}

/** An ONNX file as each backend would have it. */
async function onnxModels(
  path: string,
  options: ModelOptions,
  progress: Progress,
): Promise<readonly Candidate[]> {
  const { name, bytes } = await readModelFile(path, options)
  return wanted(options, []).map((backend) => ({
    backend,
    model: quantizeOnnx(bytes, name, compileOptions(options, backend), progress),
  }))
}

function wanted({ backend }: ModelOptions, preferred: readonly Backend[]): readonly Backend[] {
  if (backend !== undefined && backend !== NO_BACKEND) return [findBackend(backend)]
  return preferred.length > 0 ? preferred : backends
}
