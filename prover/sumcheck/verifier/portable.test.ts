import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Everything that a file imports at run time, itself and its imports included. */
async function importsOf(path: string, seen: Map<string, readonly string[]>): Promise<void> {
  if (seen.has(path)) return
  const source = await readFile(path, 'utf8')
  const imports = [...source.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gms)].map(
    (match) => match[1]!,
  )
  seen.set(path, imports)
  for (const name of imports)
    if (name.startsWith('.'))
      await importsOf(join(dirname(path), name.replace(/\.js$/, '.ts')), seen)
}

test('the verifier imports nothing but itself and portable cryptography, so it runs in a browser', async () => {
  const seen = new Map<string, readonly string[]>()
  await importsOf(new URL('./verify.ts', import.meta.url).pathname, seen)
  const packages = new Set([...seen.values()].flat().filter((name) => !name.startsWith('.')))
  expect(seen.size).toBeGreaterThan(5)
  for (const name of packages) expect(name).toMatch(/^(@noble\/|canonicalize$)/)
  // Nothing of the prover either: it is written from docs/protocol.md alone.
  for (const path of seen.keys())
    expect(path).toMatch(/prover\/sumcheck\/verifier\/|circuits\/|model-export\//)
})
