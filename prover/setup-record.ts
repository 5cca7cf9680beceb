import type { Field } from '../model-export/json-fields.js'
import type { SetupRecord } from './backend.js'

/**
 * Reads a setup record strictly.
 *
 * @throws {PlatemarkError} naming the field that is wrong.
 */
export function parseSetupRecord(root: Field): SetupRecord {
  root.only(
    'format',
    'version',
    'backend',
    'kind',
    'insecure',
    'note',
    'verifyingKeyHash',
    'ptauSha256',
    'ptauContributions',
    'contributions',
  )
  const ptauSha256 = root.find('ptauSha256')?.hex(32)
  const ptauContributions = root.find('ptauContributions')?.items()
  const contributions = root.find('contributions')?.items()
  return {
    format: root.get('format').oneOf('platemark-setup'),
    version: root.get('version').oneOf(1),
    backend: root.get('backend').text(),
    kind: root.get('kind').oneOf('development', 'ptau'),
    insecure: root.get('insecure').boolean(),
    note: root.get('note').text(),
    verifyingKeyHash: root.get('verifyingKeyHash').hex(32),
    ...(ptauSha256 === undefined ? {} : { ptauSha256 }),
    ...(ptauContributions === undefined
      ? {}
      : { ptauContributions: ptauContributions.map((name) => name.text()) }),
    ...(contributions === undefined
      ? {}
      : { contributions: contributions.map((name) => name.text()) }),
  }
}
