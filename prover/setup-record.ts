import type { Field } from '../model-export/json-fields.js'
import type { SetupRecord } from './backend.js'

/** Backends that rest on powers of tau alone: their setups have no phase 2 and so no names of it. */
const UNIVERSAL_BACKENDS: readonly string[] = ['sumcheck', 'ezkl']

/**
 * Reads a setup record strictly. A record says what its key rests on; one that calls a key secure
 * although nobody has contributed, by the record's own word, is refused.
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
  const kind = root.get('kind').oneOf('development', 'ptau')
  const insecure = root.get('insecure').boolean()
  const backend = root.get('backend').plain()
  const phases = UNIVERSAL_BACKENDS.includes(backend)
    ? [ptauContributions]
    : [ptauContributions, contributions]
  const people = phases.every((names) => (names?.length ?? 0) > 0)
  if (!insecure && (kind === 'development' || ptauSha256 === undefined || !people))
    root
      .get('insecure')
      .fail('true for a development key, and for powers of tau or a phase 2 without contributions')
  return {
    format: root.get('format').oneOf('platemark-setup'),
    version: root.get('version').oneOf(1),
    backend,
    kind,
    insecure,
    note: root.get('note').plain(),
    verifyingKeyHash: root.get('verifyingKeyHash').hex(32),
    ...(ptauSha256 === undefined ? {} : { ptauSha256 }),
    ...(ptauContributions === undefined
      ? {}
      : { ptauContributions: ptauContributions.map((name) => name.plain()) }),
    ...(contributions === undefined
      ? {}
      : { contributions: contributions.map((name) => name.plain()) }),
  }
}
