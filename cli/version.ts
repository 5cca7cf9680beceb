import { readFileSync } from 'node:fs'

/** The package's version, from `package.json` (beside `dist/` when built, at the root in tests). */
export const toolVersion: string = (() => {
  for (const candidate of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(
        readFileSync(new URL(candidate, import.meta.url), 'utf8'),
      ) as { readonly name?: string; readonly version?: string }
      if (name === 'platemark' && version !== undefined) return version
    } catch {
      // Not at this level.
    }
  }
  return 'unknown'
})()
