import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { withTemporaryFolder } from '../../model-export/temporary-folder.js'
import { tryEzkl } from './ezkl-process.js'
import { EZKL_VERSION } from './installation.js'

/** The Solidity verifier that ezkl writes for a key. */
export type Halo2Verifier = {
  /** One contract, `Halo2Verifier`. */
  readonly source: string
  /** The only length of a proof that it accepts. */
  readonly proofBytes: number
}

/**
 * Lets ezkl write its Solidity verifier of a key. It then looks for a compiler to make the ABI, which it
 * would download and we do not need: its complaint about that is passed over.
 *
 * @param paths - halo2's verifying key, ezkl's settings, and powers in halo2's format
 * @throws {PlatemarkError} where it writes none, or none that says how long a proof is.
 */
export async function readHalo2Verifier(paths: {
  readonly verifyingKey: string
  readonly settings: string
  readonly srs: string
}): Promise<Halo2Verifier> {
  return withTemporaryFolder('ezkl', async (folder) => {
    const path = join(folder, 'Halo2Verifier.sol')
    const result = await tryEzkl(
      [
        {
          name: 'create_evm_verifier',
          arguments: {
            vk_path: paths.verifyingKey,
            settings_path: paths.settings,
            sol_code_path: path,
            abi_path: join(folder, 'abi.json'),
            srs_path: paths.srs,
          },
        },
      ],
      { version: EZKL_VERSION },
    )
    const source = existsSync(path) ? await readFile(path, 'utf8') : ''
    const length = /eq\((0x[0-9a-f]+), proof\.length\)/.exec(source)?.[1]
    if (length === undefined)
      throw new PlatemarkError('ezkl wrote no verifier contract.', {
        expected: `the contract that ezkl ${EZKL_VERSION} writes`,
        found: 'failure' in result ? result.failure : 'another text',
      })
    return { source, proofBytes: Number(length) }
  })
}
