import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The folder of this package's package.json. Solidity sources and the compiler adapter lie below it,
 * at the same place for the TypeScript sources and for the compiled `dist/`.
 *
 * @throws when the package was taken apart.
 * @example
 * join(packageRoot(), 'verifier-contracts/src/PlatemarkNFT.sol')
 */
export function packageRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === 'platemark')
      return folder
    if (folder === dirname(folder)) throw new Error('package.json of platemark not found')
  }
}
