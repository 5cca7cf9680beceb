import { readdirSync, readFileSync } from 'node:fs'

/** Resident bytes of a process and all that it started; 0 where the system does not tell (only Linux does). */
export function residentTree(root: number): number {
  const processes = listProcesses()
  const wanted = descendants(root, processes)
  return processes
    .filter(({ pid }) => wanted.has(pid))
    .reduce((sum, { residentBytes }) => sum + residentBytes, 0)
}

/** Ends a process and all that it started. */
export function killTree(root: number): void {
  for (const pid of descendants(root, listProcesses()))
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
}

type Process = { readonly pid: number; readonly parent: number; readonly residentBytes: number }

function listProcesses(): readonly Process[] {
  let names: readonly string[] = []
  try {
    names = readdirSync('/proc')
  } catch {
    // Not Linux.
  }
  return names
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8')
        const number = (key: string) =>
          Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
        return [
          { pid: Number(name), parent: number('PPid'), residentBytes: number('VmRSS') * 1024 },
        ]
      } catch {
        return []
      }
    })
}

function descendants(root: number, processes: readonly Process[]): ReadonlySet<number> {
  const found = new Set([root])
  // A child may stand before its parent, so until nothing is added.
  for (let size = 0; size < found.size; ) {
    size = found.size
    for (const { pid, parent } of processes) if (found.has(parent)) found.add(pid)
  }
  return found
}
