import { PlatemarkError } from '../../model-export/platemark-error.js'
import { locatePackage, type ProcessOptions, type ProcessResult, runNode } from './node-process.js'

/**
 * Runs one snarkjs command in a process of its own. As a library snarkjs leaves worker threads that
 * keep a program alive; its command line ends by itself.
 *
 * @throws {PlatemarkError} with its output when the command fails.
 * @example
 * await runSnarkjs(['groth16', 'prove', zkey, wtns, proof, publicSignals])
 */
export async function runSnarkjs(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const result = await trySnarkjs(args, options)
  if (result.exitCode !== 0)
    throw new PlatemarkError(`snarkjs ${args.slice(0, 2).join(' ')} failed.`, {
      found: result.output.trim().slice(-2000),
      fix: 'A file that it was given may be broken: make the keys again with platemark setup.',
    })
  return result
}

/** As `runSnarkjs`, for commands whose exit code is an answer. */
export function trySnarkjs(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  return runNode(locatePackage('snarkjs').bin, args, options)
}
