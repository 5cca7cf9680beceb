import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toBytes } from 'viem'
import { expandSeed } from '../../circuits/seed-expansion.js'
import { writeFileAtomic } from '../../model-export/atomic-write.js'
import { execute } from '../../model-export/execute.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { readJsonFile } from '../../model-export/json-fields.js'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Progress } from '../../model-export/progress.js'
import { withTemporaryFolder } from '../../model-export/temporary-folder.js'
import { type EzklResult, runEzkl } from './ezkl-process.js'
import { EZKL_VERSION } from './installation.js'
import { writeOnnxModel } from './onnx-model.js'
import { plateFiles } from './plate-files.js'

/** Rows that halo2 keeps for blinding; generous. */
const BLINDING_ROWS = 32

/** Widths of the digits into which ezkl cuts what it divides: the first that makes no row idle is taken. */
const DIGIT_BITS = [14, 11] as const

/** Seeds for which the circuit must agree with the executor before anyone relies on it. */
const CHECKED_SEEDS = [0n, 1n, 2n ** 255n + 7n]

/** What of ezkl's settings is read here. */
type Settings = {
  readonly num_rows: number
  readonly total_dynamic_col_size: number
  readonly total_shuffle_col_size: number
  readonly run_args: Readonly<Record<string, unknown>>
}

/**
 * Writes graph, settings and circuit, and checks that ezkl computes the model's exact pixels.
 *
 * @throws {PlatemarkError} where ezkl is missing, cannot take the model, or computes something else.
 */
export async function compileEzkl(plate: Plate, progress: Progress): Promise<void> {
  const files = plateFiles(plate)
  const { model } = plate
  await writeFileAtomic(files.model, writeOnnxModel(model))
  for (const bits of DIGIT_BITS) {
    progress({ step: 'lay out the circuit' })
    const settings = await chooseSettings(files.model, files.settings, runArguments(model, bits))
    if (rowBits(settings, bits) > bits + 1 || bits === DIGIT_BITS.at(-1)) {
      const run_args = { ...settings.run_args, logrows: rowBits(settings, bits) }
      // Without the time of day, so that the same model has the same key.
      const fixed = { ...settings, run_args, timestamp: 0 }
      await writeFileAtomic(files.settings, `${JSON.stringify(fixed)}\n`)
      break
    }
  }
  await runEzkl(
    [
      {
        name: 'compile_circuit',
        arguments: {
          model: files.model,
          compiled_circuit: files.circuit,
          settings_path: files.settings,
        },
      },
    ],
    { version: EZKL_VERSION },
  )
  for (const seed of CHECKED_SEEDS) {
    progress({ step: `compare with the executor, seed ${String(seed).slice(0, 6)}` })
    const latent = expandSeed(seed, model.latent.dimensions)
    await withTemporaryFolder('ezkl', async (folder) => {
      await computeWitness(files.circuit, latent, seed >> 3n, execute(model, latent), folder)
    })
  }
}

/**
 * Writes ezkl's witness of one execution to `witness.json` in the folder. Its pixels must be those of
 * the executor.
 *
 * @throws {PlatemarkError} when they are not.
 */
export async function computeWitness(
  circuit: string,
  latent: Uint8Array,
  context: bigint,
  pixels: Uint8Array,
  folder: string,
): Promise<{ readonly witness: string; readonly result: EzklResult }> {
  const data = join(folder, 'input.json')
  const witness = join(folder, 'witness.json')
  const inputs = [...[...latent].map(BigInt), context].map(littleEndianHex)
  await writeFile(data, JSON.stringify({ input_data: [inputs] }))
  const result = await runEzkl(
    [{ name: 'gen_witness', arguments: { data, model: circuit, output: witness } }],
    { version: EZKL_VERSION },
  )
  const { value } = await readJsonFile(witness, 'witness of ezkl')
  const outputs = (value as { readonly outputs?: readonly (readonly string[])[] }).outputs?.[0]
  const differing = [...pixels].findIndex(
    (pixel, i) => outputs?.[i] !== littleEndianHex(BigInt(pixel)),
  )
  if (differing >= 0 || outputs?.length !== pixels.length)
    throw new PlatemarkError('ezkl does not compute what the model does.', {
      expected: `pixel ${differing} = ${pixels[differing]}, from the integer executor`,
      found: `${outputs?.[differing]}`,
      fix: 'Use another backend for this model.',
    })
  return { witness, result }
}

/** A field element as ezkl writes it: 32 bytes, little-endian. */
export function littleEndianHex(value: bigint): string {
  return Buffer.from(toBytes(value, { size: 32 }))
    .reverse()
    .toString('hex')
}

async function chooseSettings(
  model: string,
  output: string,
  py_run_args: Readonly<Record<string, unknown>>,
): Promise<Settings> {
  await runEzkl([{ name: 'gen_settings', arguments: { model, output, py_run_args } }], {
    version: EZKL_VERSION,
  })
  return (await readJsonFile(output, 'settings of ezkl')).value as Settings
}

/** Public inputs and outputs, weights in fixed columns, all numbers integers. */
function runArguments(model: IntegerModel, bits: number): Readonly<Record<string, unknown>> {
  return {
    input_visibility: 'public',
    output_visibility: 'public',
    param_visibility: 'fixed',
    input_scale: 0,
    param_scale: 0,
    scale_rebase_multiplier: 1,
    lookup_range: [0, 0],
    // With two columns the contract that ezkl writes is too large for a chain (EIP-170).
    num_inner_cols: 1,
    // The inputs are computed by whoever verifies, the outputs come from a table.
    ignore_range_check_inputs_outputs: true,
    decomp_base: 2 ** bits,
    decomp_legs: Math.ceil(dividendBits(model) / bits),
  }
}

/** Bits of the largest number that is divided, without its sign. */
export function dividendBits(model: IntegerModel): number {
  const largest = model.nodes.flatMap((node) => {
    if (node.kind !== 'affine') return []
    const { min, max } = node.accumulator
    return [2 * node.requantize.multiplier * Math.max(Math.abs(min), Math.abs(max)) + 1]
  })
  return Math.ceil(Math.log2(Math.max(2, ...largest) + 1))
}

function rowBits(settings: Settings, bits: number): number {
  const { num_rows, total_dynamic_col_size, total_shuffle_col_size } = settings
  const tables = total_dynamic_col_size + total_shuffle_col_size
  return Math.ceil(Math.log2(Math.max(num_rows, tables, 2 ** bits) + BLINDING_ROWS))
}
