import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { PlatemarkError } from '../../model-export/platemark-error.js'

/** The native functions, typed; see `prover/native/src/sumcheck/bindings.rs`. */
export type SumcheckNative = {
  readonly sumcheckDevelopmentPowers: (
    columnBits: number,
  ) => Promise<{ readonly powers: Buffer; readonly tauG2: Buffer }>
  readonly sumcheckCommit: (
    powers: Buffer,
    columnBits: number,
    cells: Float64Array,
  ) => Promise<Buffer>
  readonly sumcheckProve: (input: NativeProveInput) => Promise<{
    readonly proof: Buffer
    readonly phases: readonly { readonly name: string; readonly seconds: number }[]
  }>
  /** Null when valid, else the reason. */
  readonly sumcheckVerify: (input: NativeVerifyInput) => Promise<string | null>
}

export type NativeProveInput = {
  /** Canonical JSON of the verifying key. */
  readonly key: string
  readonly powers: Buffer
  readonly table: Int32Array
  readonly weight: Float64Array
  readonly activation: Int32Array
  readonly copy: Int32Array
  readonly seed: Buffer
  readonly context: Buffer
  readonly pixels: Buffer
  readonly latent: Buffer
  readonly checked: boolean
}

export type NativeVerifyInput = {
  readonly key: string
  readonly seed: Buffer
  readonly context: Buffer
  readonly pixels: Buffer
  readonly latent: Buffer
  readonly proof: Buffer
}

let loaded: SumcheckNative | undefined

/** Loads the addon once; sources and `dist` both find the one file beside the crate. */
export function sumcheckNative(): SumcheckNative {
  if (loaded !== undefined) return loaded
  for (const up of ['../native/', '../../../prover/native/']) {
    const path = fileURLToPath(new URL(`${up}platemark.node`, import.meta.url))
    if (!existsSync(path)) continue
    loaded = createRequire(import.meta.url)(path) as SumcheckNative
    return loaded
  }
  throw new PlatemarkError('The native addon is missing.', {
    expected: 'prover/native/platemark.node',
    fix: 'Run: npm run build',
  })
}
