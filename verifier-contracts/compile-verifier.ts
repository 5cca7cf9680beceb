import type { SolidityFile } from '../prover/backend.js'
import {
  type CompiledContract,
  compilePackageContract,
  compileSolidity,
} from './compile-solidity.js'

/** The contracts that verify the proofs of one model. */
export type CompiledVerifier = {
  readonly verifier: CompiledContract
  /**
   * What the verifier runs on, for proof systems in which that is the same for all models: deployed once
   * a chain, its address is the verifier's constructor argument.
   */
  readonly engine?: CompiledContract
}

/**
 * Compiles a generated verifier, and the engine where its constructor asks for one.
 *
 * @param files - as `Backend.solidity` writes them
 * @throws {PlatemarkError} as {@link compileSolidity}.
 * @example
 * const { verifier, engine } = await compileVerifier(await backend.solidity(plate, {}))
 */
export async function compileVerifier(files: readonly SolidityFile[]): Promise<CompiledVerifier> {
  const verifier = await compileSolidity(files)
  return takesEngine(verifier)
    ? { verifier, engine: await compilePackageContract('SumcheckVerifier') }
    : { verifier }
}

function takesEngine({ abi }: CompiledContract): boolean {
  return abi.some(
    (item) => item.type === 'constructor' && item.inputs.some(({ name }) => name === 'engine'),
  )
}
