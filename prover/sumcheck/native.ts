import { loadNative } from '../native.js'

/** The native functions, typed; see `prover/native/src/sumcheck/bindings.rs`. */
export type SumcheckNative = {
  readonly sumcheckDevelopmentPowers: (
    columnBits: number,
  ) => Promise<{ readonly powers: Buffer; readonly tauG2: Buffer }>
  /** Of a file that `checkPowersOfTau` accepted. */
  readonly sumcheckPtauPowers: (
    path: string,
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
  /** A table row that is counted once too often: for tests of what verifiers reject. */
  readonly forgedRow?: number
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

/** The addon's functions for this backend. */
export function sumcheckNative(): SumcheckNative {
  return loadNative() as unknown as SumcheckNative
}
