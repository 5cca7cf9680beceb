import { readFile } from 'node:fs/promises'
import { readR1csHeader } from '../../circuits/r1cs.js'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Progress } from '../../model-export/progress.js'
import type { SetupRecord, SetupSource } from '../backend.js'
import { checkPowersOfTau, developmentSetup, type PowersOfTauSummary } from '../native.js'
import { replaceKeys } from './key-files.js'
import { BACKEND, plateFiles, requireFile } from './plate-files.js'
import { runSnarkjs } from './snarkjs-process.js'
import { verifyingKeyHash } from './verifying-key.js'
import type { ProvingKeySummary } from './zkey.js'

/**
 * Makes the keys of a compiled plate: proving key, verifying key and setup record, all or none.
 *
 * A development setup takes seconds and is insecure for ever. One from powers of tau begins a
 * ceremony: its key is insecure, and refused by verifiers, until `contribute` has been called.
 *
 * @throws {PlatemarkError} when the circuit is not compiled, or the powers of tau are malformed, too few
 *   or not prepared for phase 2.
 * @example
 * const { note } = await setupGroth16(plate, { kind: 'development' }, silent)
 */
export async function setupGroth16(
  plate: Pick<Plate, 'directory'>,
  source: SetupSource,
  progress: Progress,
): Promise<SetupRecord> {
  const files = plateFiles(plate)
  requireFile(files.r1cs, 'circuit', 'Run `platemark compile` with --backend groth16.')
  if (source.kind === 'development')
    return replaceKeys(
      plate,
      async (provingKey) => {
        await developmentSetup(files.r1cs, provingKey, progress)
      },
      describeDevelopmentSetup,
    )

  const powers = await checkPowersOfTau(source.path, progress)
  await requirePowers(files.r1cs, powers)
  return replaceKeys(
    plate,
    async (provingKey) => {
      progress({ step: 'proving key from powers of tau' })
      await runSnarkjs(['groth16', 'setup', files.r1cs, source.path, provingKey])
    },
    (key) => describeCeremony(key, powers.sha256, powers.contributions),
  )
}

function describeDevelopmentSetup(key: ProvingKeySummary): SetupRecord {
  return {
    format: 'platemark-setup',
    version: 1,
    backend: BACKEND,
    kind: 'development',
    insecure: true,
    note: 'Development key: whoever ran the setup could forge proofs. For trials on a local chain only.',
    verifyingKeyHash: verifyingKeyHash(key.verifyingKey),
  }
}

/**
 * The record of a key from a ceremony in its present state.
 *
 * @param key - what the proving key says
 * @param ptauSha256 - of the powers of tau that it was made from
 * @param ptauContributions - names in the powers of tau
 */
export function describeCeremony(
  key: ProvingKeySummary,
  ptauSha256: SetupRecord['verifyingKeyHash'],
  ptauContributions: readonly string[],
): SetupRecord {
  const contributions = key.contributions.map(({ name }) => name)
  // A beacon is public: on its own it hides nothing.
  const people = key.contributions.filter(({ kind }) => kind === 'person').length
  const flaw =
    ptauContributions.length === 0
      ? 'The powers of tau have no contributions: whoever made that file could forge proofs. For trials on a local chain only.'
      : people === 0
        ? 'Unfinished ceremony: nobody has contributed to phase 2, so anyone could forge proofs. Run platemark ceremony contribute.'
        : undefined
  return {
    format: 'platemark-setup',
    version: 1,
    backend: BACKEND,
    kind: 'ptau',
    insecure: flaw !== undefined,
    note:
      flaw ??
      `Sound if at least one of ${ptauContributions.length} contributors to the powers of tau and one of ${people} to phase 2 forgot their secret.`,
    verifyingKeyHash: verifyingKeyHash(key.verifyingKey),
    ptauSha256,
    ptauContributions,
    contributions,
  }
}

async function requirePowers(r1cs: string, powers: PowersOfTauSummary): Promise<void> {
  if (!powers.prepared)
    throw new PlatemarkError('The powers of tau are not prepared for phase 2.', {
      expected: 'a file with sections 12 to 15',
      found: 'a file without them',
      fix: 'Download the prepared file of the ceremony, or run `snarkjs powersoftau prepare phase2`.',
    })
  const { constraints, publicOutputs, publicInputs } = readR1csHeader(await readFile(r1cs))
  const rows = constraints + publicOutputs + publicInputs + 1
  const needed = Math.max(1, Math.ceil(Math.log2(rows)))
  if (powers.power < needed)
    throw new PlatemarkError('There are too few powers of tau for this circuit.', {
      expected: `power ${needed} or more, for ${rows} rows`,
      found: `power ${powers.power}`,
      fix: `Use a file of power ${needed}.`,
    })
}
