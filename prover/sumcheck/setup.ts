import { bytesToHex } from '@noble/hashes/utils.js'
import { writeFileAtomic } from '../../model-export/atomic-write.js'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Progress } from '../../model-export/progress.js'
import type { SetupRecord, SetupSource } from '../backend.js'
import { checkPowersOfTau } from '../native.js'
import { keyText, makeKey } from './key.js'
import { sumcheckNative } from './native.js'
import { BACKEND, plateFiles } from './plate-files.js'
import { readLayout } from './read-layout.js'
import { keyDigest } from './verifier/verify.js'

/**
 * Commits to the weights and tables under powers of tau and writes key and record. There is no
 * ceremony per model: a public powers-of-tau file is the whole trust.
 *
 * @throws {PlatemarkError} when the plate is not compiled, or the powers are malformed or too few.
 */
export async function setupSumcheck(
  plate: Plate,
  source: SetupSource,
  progress: Progress,
): Promise<SetupRecord> {
  const files = plateFiles(plate)
  progress({ step: 'lay out the model' })
  const layout = await readLayout(plate)
  const { columnBits } = layout.descriptor
  const { powers, tauG2, origin } = await obtainPowers(source, columnBits, progress)
  progress({ step: 'commit to weights and tables' })
  const key = await makeKey(layout, powers, tauG2)
  const record: SetupRecord = {
    format: 'platemark-setup',
    version: 1,
    backend: BACKEND,
    ...origin,
    verifyingKeyHash: `0x${bytesToHex(keyDigest(key))}`,
  }
  await writeFileAtomic(files.powers, powers)
  await writeFileAtomic(files.verifyingKey, `${keyText(key)}\n`)
  await writeFileAtomic(files.setup, `${JSON.stringify(record, undefined, 2)}\n`)
  return record
}

type Origin = Omit<SetupRecord, 'format' | 'version' | 'backend' | 'verifyingKeyHash'>

async function obtainPowers(
  source: SetupSource,
  columnBits: number,
  progress: Progress,
): Promise<{ readonly powers: Buffer; readonly tauG2: Buffer; readonly origin: Origin }> {
  const native = sumcheckNative()
  if (source.kind === 'development') {
    progress({ step: 'development powers of tau' })
    return {
      ...(await native.sumcheckDevelopmentPowers(columnBits)),
      origin: {
        kind: 'development',
        insecure: true,
        note: 'Development powers of tau: whoever ran the setup could forge proofs. For trials on a local chain only.',
      },
    }
  }
  const summary = await checkPowersOfTau(source.path, progress)
  if (summary.power < columnBits)
    throw new PlatemarkError('There are too few powers of tau for this model.', {
      expected: `power ${columnBits} or more`,
      found: `power ${summary.power}`,
      fix: `Use a file of power ${columnBits}.`,
    })
  const insecure = summary.contributions.length === 0
  return {
    ...(await native.sumcheckPtauPowers(source.path, columnBits)),
    origin: {
      kind: 'ptau',
      insecure,
      note: insecure
        ? 'The powers of tau have no contributions: whoever made that file could forge proofs. For trials on a local chain only.'
        : `Sound if at least one of ${summary.contributions.length} contributors to the powers of tau forgot their secret.`,
      ptauSha256: summary.sha256,
      ptauContributions: summary.contributions,
    },
  }
}
