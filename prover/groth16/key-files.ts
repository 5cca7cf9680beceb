import { copyFile, link, readdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { writeDirectoryAtomic } from '../../model-export/atomic-write.js'
import { readJsonFile } from '../../model-export/json-fields.js'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { SetupRecord } from '../backend.js'
import { parseSetupRecord } from '../setup-record.js'
import { plateFiles, requireFile } from './plate-files.js'
import { parseVerifyingKey, verifyingKeyHash } from './verifying-key.js'
import { type ProvingKeySummary, readProvingKey } from './zkey.js'

/**
 * Replaces proving key, verifying key and setup record of a plate together: the backend's folder takes
 * its new content in one step, so that no key is ever without the record that belongs to it.
 *
 * @param make - writes the proving key at the path it is given
 * @param describe - makes the record from what the key says about itself
 * @throws {PlatemarkError} whatever the two throw; then nothing has changed.
 */
export async function replaceKeys(
  plate: Pick<Plate, 'directory'>,
  make: (provingKey: string) => Promise<void>,
  describe: (key: ProvingKeySummary) => SetupRecord,
): Promise<SetupRecord> {
  const files = plateFiles(plate)
  const keys = new Set([files.provingKey, files.verifyingKey, files.setup].map((f) => basename(f)))
  let record: SetupRecord | undefined
  await writeDirectoryAtomic(files.directory, async (folder) => {
    const provingKey = join(folder, basename(files.provingKey))
    await make(provingKey)
    const summary = await readProvingKey(provingKey)
    record = describe(summary)
    await writeFile(join(folder, basename(files.verifyingKey)), toJson(summary.verifyingKey))
    await writeFile(join(folder, basename(files.setup)), toJson(record))
    for (const name of await readdir(files.directory))
      if (!keys.has(name)) await carry(join(files.directory, name), join(folder, name))
  })
  return record!
}

/** Proving key, verifying key and setup record of a plate, after checking that they agree. */
export async function readKeys(
  plate: Pick<Plate, 'directory'>,
): Promise<{ readonly record: SetupRecord; readonly key: ProvingKeySummary }> {
  const files = plateFiles(plate)
  for (const path of [files.provingKey, files.verifyingKey, files.setup])
    requireFile(path, basename(path), 'Run `platemark setup`.')
  const record = parseSetupRecord(await readJsonFile(files.setup, 'setup record'))
  const key = await readProvingKey(files.provingKey)
  const verifyingKey = parseVerifyingKey(
    (await readJsonFile(files.verifyingKey, 'verifying key')).value,
  )
  const hash = verifyingKeyHash(key.verifyingKey)
  const names = key.contributions.map(({ name }) => name)
  const disagreement =
    hash !== record.verifyingKeyHash
      ? [basename(files.setup), record.verifyingKeyHash, hash]
      : hash !== verifyingKeyHash(verifyingKey)
        ? [basename(files.verifyingKey), verifyingKeyHash(verifyingKey), hash]
        : JSON.stringify(names) !== JSON.stringify(record.contributions ?? [])
          ? [basename(files.setup), `contributions ${record.contributions}`, String(names)]
          : key.development !== (record.kind === 'development')
            ? [basename(files.setup), record.kind, key.development ? 'development' : 'ptau']
            : !record.insecure && !key.contributions.some(({ kind }) => kind === 'person')
              ? [basename(files.setup), 'a secure key', 'no contribution but public beacons']
              : undefined
  if (disagreement !== undefined)
    throw new PlatemarkError(`The proving key is not the one that ${disagreement[0]} describes.`, {
      expected: disagreement[1]!,
      found: disagreement[2]!,
      fix: 'Run `platemark setup` again; the files do not belong together.',
    })
  return { record, key }
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/** Circuit files are large and never written in place, so a second name is as good as a copy. */
async function carry(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch {
    await copyFile(from, to)
  }
}
