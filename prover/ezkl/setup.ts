import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFileAtomic, writeFileAtomic } from '../../model-export/atomic-write.js'
import { readJsonFile } from '../../model-export/json-fields.js'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { Progress } from '../../model-export/progress.js'
import { withTemporaryFolder } from '../../model-export/temporary-folder.js'
import type { SetupRecord, SetupSource } from '../backend.js'
import { checkPowersOfTau, developmentPowersOfTau } from '../native.js'
import { runEzkl } from './ezkl-process.js'
import { readVerifierPowers, writeHalo2Srs } from './halo2-srs.js'
import { readHalo2Verifier } from './halo2-verifier.js'
import { EZKL_VERSION } from './installation.js'
import { BACKEND, plateFiles, requireFile } from './plate-files.js'
import { type EzklKey, keyHash, serializeKey } from './verifying-key.js'

/**
 * Makes halo2's keys under powers of tau: universal, so a public powers-of-tau file is the whole trust.
 *
 * @throws {PlatemarkError} when the plate is not compiled, ezkl is missing or runs out of memory, or the
 * powers are malformed, too few or not prepared for phase 2.
 */
export async function setupEzkl(
  plate: Plate,
  source: SetupSource,
  progress: Progress,
): Promise<SetupRecord> {
  const files = plateFiles(plate)
  for (const [path, what] of [
    [files.circuit, 'circuit'],
    [files.settings, 'settings file'],
  ] as const)
    requireFile(path, what, 'Run platemark compile with --backend ezkl.')
  const settings = await readJsonFile(files.settings, 'settings of ezkl')
  const rowBits = settings.get('run_args').get('logrows').integer(1, 28)
  return withTemporaryFolder('ezkl', async (folder) => {
    const { ptau, origin } = await obtainPowers(source, rowBits, folder, progress)
    progress({ step: 'powers of tau for halo2' })
    await writeHalo2Srs(ptau, rowBits, files.srs)
    progress({ step: 'make the keys' })
    const halo2Key = join(folder, 'vk')
    await makeFileAtomic(files.provingKey, async (partial) => {
      const paths = {
        model: files.circuit,
        vk_path: halo2Key,
        pk_path: partial,
        srs_path: files.srs,
      }
      await runEzkl([{ name: 'setup', arguments: paths }], { version: EZKL_VERSION })
    })
    const halo2 = await readHalo2Verifier({
      verifyingKey: halo2Key,
      settings: files.settings,
      srs: files.srs,
    })
    const key: EzklKey = {
      modelId: plate.modelId,
      release: EZKL_VERSION,
      proofBytes: halo2.proofBytes,
      settings: settings.value,
      verifyingKey: await readFile(halo2Key),
      powers: await readVerifierPowers(files.srs),
    }
    const record: SetupRecord = {
      format: 'platemark-setup',
      version: 1,
      backend: BACKEND,
      ...origin,
      verifyingKeyHash: keyHash(key),
    }
    await writeFileAtomic(files.verifyingKey, `${JSON.stringify(serializeKey(key))}\n`)
    await writeFileAtomic(files.setup, `${JSON.stringify(record, undefined, 2)}\n`)
    return record
  })
}

type Origin = Omit<SetupRecord, 'format' | 'version' | 'backend' | 'verifyingKeyHash'>

async function obtainPowers(
  source: SetupSource,
  rowBits: number,
  folder: string,
  progress: Progress,
): Promise<{ readonly ptau: string; readonly origin: Origin }> {
  if (source.kind === 'development') {
    const ptau = join(folder, 'development.ptau')
    await developmentPowersOfTau(ptau, rowBits, progress)
    return {
      ptau,
      origin: {
        kind: 'development',
        insecure: true,
        note: 'Development powers of tau: whoever ran the setup could forge proofs. For trials on a local chain only.',
      },
    }
  }
  const summary = await checkPowersOfTau(source.path, progress)
  if (summary.power < rowBits || !summary.prepared)
    throw new PlatemarkError('The powers of tau do not suffice for this circuit.', {
      expected: `power ${rowBits} or more, prepared for phase 2`,
      found: `power ${summary.power}, ${summary.prepared ? '' : 'not '}prepared`,
      fix: `Use a prepared file of power ${rowBits}.`,
    })
  const insecure = summary.contributions.length === 0
  return {
    ptau: source.path,
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
