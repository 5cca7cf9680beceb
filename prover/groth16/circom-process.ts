import { readFile, realpath, writeFile } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { withTemporaryFolder } from '../../model-export/temporary-folder.js'
import { locatePackage, runNode } from './node-process.js'

/** What circom makes of one source. */
export type CompiledCircom = {
  readonly r1cs: Uint8Array
  readonly wasm: Uint8Array
  /** Text of the `.sym` file: `label,wire,component,name` a line. */
  readonly symbols: string
  readonly seconds: number
  readonly peakMemoryBytes: number
}

/**
 * Compiles circom source to constraints and a witness generator, in a process of its own, with
 * circomlib on the library path.
 *
 * `--O1` and not `--O2`: the full simplification substitutes the dense rows of the linear layers into
 * each other, which costs far more than the constraints that it saves. `--sanity_check 0`: the witness
 * generator need not test its own constraints, as every proof is verified.
 *
 * @throws {PlatemarkError} with the compiler's message when it refuses the source.
 * @example
 * const { r1cs } = await compileCircom(generateCircom(plate.model).source)
 */
export async function compileCircom(
  source: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<CompiledCircom> {
  const compiler = locatePackage('circom2')
  const libraries = await realpath(dirname(locatePackage('circomlib').directory))
  return withTemporaryFolder('circom', async (directory) => {
    const input = join(directory, 'circuit.circom')
    await writeFile(input, source)
    if (parse(input).root !== parse(libraries).root)
      throw new PlatemarkError('The compiler cannot reach its files.', {
        expected: 'the package and the temporary directory on one drive',
        found: `${libraries} and ${directory}`,
        fix: 'Set TMPDIR (TEMP) to a directory on the drive of the package.',
      })
    // The compiler sees the file system through paths relative to its working directory.
    const result = await runNode(
      compiler.bin,
      [
        input,
        '--r1cs',
        '--wasm',
        '--sym',
        '--O1',
        '--sanity_check',
        '0',
        '-o',
        directory,
        '-l',
        '.',
      ],
      { ...options, directory: libraries },
    )
    if (result.exitCode !== 0)
      throw new PlatemarkError('circom refused the circuit.', {
        found: result.output.trim().slice(-2000),
        fix: 'This is a bug of the generator; keep the plate folder and report it.',
      })
    return {
      r1cs: await readFile(join(directory, 'circuit.r1cs')),
      wasm: await readFile(join(directory, 'circuit_js', 'circuit.wasm')),
      symbols: await readFile(join(directory, 'circuit.sym'), 'utf8'),
      seconds: result.seconds,
      peakMemoryBytes: result.peakMemoryBytes,
    }
  })
}
