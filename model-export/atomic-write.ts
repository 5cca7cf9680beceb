import { randomBytes } from 'node:crypto'
import { renameSync, rmSync, statSync } from 'node:fs'
import { mkdir, open, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { PlatemarkError } from './platemark-error.js'

/*
 * Everything the toolkit writes appears whole or not at all: it is written to a temporary sibling
 * (same file system, so that rename is atomic), flushed to disk and renamed into place. What was at
 * the target before stays there until that moment. Failures, signals and process.exit() remove the
 * temporary sibling; after SIGKILL or a power cut a hidden `.<name>.<random>.partial` may be left
 * over, which nothing reads.
 */

/** Temporary siblings that exist right now, removed when the process ends early. */
const partials = new Set<string>()

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Writes a file atomically, creating parent folders. A target that is a device or a pipe
 * (`/dev/stdout`) is written directly.
 *
 * @param path - where the file appears
 * @param data - its whole content
 * @throws {PlatemarkError} where the file system refuses (no permission, no space, a folder in the way).
 * @example
 * await writeFileAtomic('report.json', '{}\n')
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  if ((await resolveTarget(path)).kind === 'other')
    return explainFailure(path, () => writeFile(path, data))
  await makeFileAtomic(path, (partial) =>
    explainFailure(path, () => writeFile(partial, data, { flag: 'wx' })),
  )
}

/**
 * Like `writeFileAtomic`, for a file that something else writes: a program, a native function.
 *
 * @param make - writes the file at the temporary path that it is given
 * @throws {PlatemarkError} where the file system refuses; whatever `make` throws.
 * @example
 * await makeFileAtomic('copy.zkey', (partial) => copyFile('key.zkey', partial))
 */
export async function makeFileAtomic(
  path: string,
  make: (partial: string) => Promise<void>,
): Promise<void> {
  const existing = await resolveTarget(path)
  if (existing.kind === 'directory' || existing.kind === 'other')
    throw new PlatemarkError(`Cannot write the file ${path}: something else has that name.`, {
      expected: 'a file name',
      found: existing.kind === 'directory' ? 'a folder' : 'a device or pipe',
      fix: 'Choose another name or remove what is there.',
    })
  const target = existing.path
  await explainFailure(path, () => mkdir(dirname(target), { recursive: true }))
  await withPartial(target, async (partial) => {
    await make(partial)
    await explainFailure(path, async () => {
      const handle = await open(partial, 'r+')
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(partial, target)
      await syncFolder(dirname(target))
    })
  })
}

/**
 * Writes a folder atomically: `fill` gets an empty temporary folder, which takes the target's place
 * when it returns. An existing folder at `path` is replaced as a whole, at the end; when `fill`
 * throws, it is untouched.
 *
 * @param path - where the folder appears
 * @param fill - writes the folder's files into the folder that it is given
 * @throws {PlatemarkError} where the file system refuses; whatever `fill` throws.
 * @example
 * await writeDirectoryAtomic('model.plate', async (folder) => {
 *   await writeFile(join(folder, 'model.json'), '{}\n')
 * })
 */
export async function writeDirectoryAtomic(
  path: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const existing = await resolveTarget(path)
  if (existing.kind === 'file' || existing.kind === 'other')
    throw new PlatemarkError(`Cannot write the folder ${path}: a file has that name.`, {
      expected: 'a folder name',
      found: 'a file',
      fix: 'Choose another name or remove the file.',
    })
  const target = existing.path
  await explainFailure(path, () => mkdir(dirname(target), { recursive: true }))
  await withPartial(target, async (partial) => {
    await explainFailure(path, () => mkdir(partial))
    await fill(partial)
    await explainFailure(path, async () => {
      await syncTree(partial)
      await swapFolders(partial, target)
      await syncFolder(dirname(target))
    })
  })
}

type Target = {
  readonly kind: 'absent' | 'file' | 'directory' | 'other'
  readonly path: string
}

/** Follows links, so that the target of a link is replaced and the link stays. */
async function resolveTarget(path: string): Promise<Target> {
  try {
    const found = await stat(path)
    if (found.isFile()) return { kind: 'file', path: await realpath(path) }
    if (found.isDirectory()) return { kind: 'directory', path: await realpath(path) }
    return { kind: 'other', path }
  } catch {
    return { kind: 'absent', path: resolve(path) }
  }
}

async function withPartial(
  target: string,
  action: (partial: string) => Promise<void>,
): Promise<void> {
  const partial = sibling(target)
  guard(partial)
  try {
    await action(partial)
  } finally {
    try {
      await rm(partial, { recursive: true, force: true })
    } finally {
      release(partial)
    }
  }
}

function sibling(target: string): string {
  return join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.partial`)
}

/** The two renames follow each other synchronously, so that no signal handler runs between them. */
async function swapFolders(partial: string, target: string): Promise<void> {
  const old = sibling(target)
  const hadOld = statSync(target, { throwIfNoEntry: false }) !== undefined
  if (hadOld) {
    renameSync(target, old)
    try {
      renameSync(partial, target)
    } catch (error) {
      renameSync(old, target)
      throw error
    }
    guard(old)
    try {
      await rm(old, { recursive: true, force: true })
    } finally {
      release(old)
    }
  } else renameSync(partial, target)
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await syncTree(path)
    else if (entry.isFile()) {
      const handle = await open(path, 'r+')
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
    }
  }
  await syncFolder(folder)
}

/** Makes the rename itself durable. Not every platform can open a folder; then there is nothing to do. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch {}
}

function guard(partial: string): void {
  if (partials.size === 0) {
    process.on('exit', removePartials)
    for (const signal of SIGNALS) process.on(signal, onSignal)
  }
  partials.add(partial)
}

function release(partial: string): void {
  partials.delete(partial)
  if (partials.size === 0) unhook()
}

function unhook(): void {
  process.off('exit', removePartials)
  for (const signal of SIGNALS) process.off(signal, onSignal)
}

function removePartials(): void {
  for (const partial of partials) rmSync(partial, { recursive: true, force: true })
}

/** Cleans up and lets the signal do what it would have done without us. */
function onSignal(signal: NodeJS.Signals): void {
  removePartials()
  partials.clear()
  unhook()
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
}

async function explainFailure<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (error instanceof PlatemarkError || code === undefined) throw error
    throw new PlatemarkError(`Cannot write ${path}.`, {
      found: error instanceof Error ? error.message : String(error),
      fix: 'Check the path, its permissions and the free space.',
      cause: error,
    })
  }
}
