import type { ProvePhase } from '../backend.js'
import { loadNative } from '../native.js'

/** The native functions, typed; see `prover/native/src/sumcheck/bindings.rs`. */
export type SumcheckNative = {
  readonly sumcheckDevelopmentPowers: (columnBits: number) => Promise<NativePowers>
  /** Of a file whose points are checked elsewhere; as many powers as there are, at most 2^columnBits. */
  readonly sumcheckPtauPowers: (path: string, columnBits: number) => Promise<NativePowers>
  /** 64 bytes a column of 2^columnBits integers. */
  readonly sumcheckCommit: (
    powers: Buffer,
    columnBits: number,
    cells: Float64Array,
  ) => Promise<Buffer>
  /** Σ pixel_o · τ^o · G₁, 64 bytes. */
  readonly sumcheckImageCommitment: (powers: Buffer, pixels: Buffer) => Promise<Buffer>
  readonly sumcheckProve: (
    input: NativeProveInput,
    onPhase?: (name: string) => void,
  ) => Promise<{
    readonly proof: Buffer
    /** Row-major height × width × channels. */
    readonly pixels: Buffer
    /** In order, each with the device that did it. */
    readonly phases: readonly ProvePhase[]
    /** The device that made the proof. */
    readonly device: string
    /** Why another device than the one asked for made it or a part of it. */
    readonly notes: readonly string[]
  }>
  /** Whether points are added with AVX-512 IFMA. */
  readonly sumcheckHasVectorUnits: () => boolean
  /** The cards of this machine, each compared with the CPU: a few seconds. */
  readonly sumcheckCards: () => Promise<NativeCards>
  /** Null when valid, else the reason. */
  readonly sumcheckVerify: (input: NativeVerifyInput) => Promise<string | null>
}

export type NativePowers = {
  /** τ^i·G₁, 64 bytes each. */
  readonly powers: Buffer
  /** 128 bytes. */
  readonly tauG2: Buffer
}

export type NativeProveInput = {
  /** Canonical JSON of the verifying key. */
  readonly key: string
  readonly powers: Buffer
  /** All columns of the key group. */
  readonly keyCells: Float64Array
  /** All columns of the first group, multiplicities zero; without them the model is executed there. */
  readonly first?: Int32Array
  readonly seed: Buffer
  readonly context: Buffer
  /** With `first` only. */
  readonly pixels?: Buffer
  readonly latent: Buffer
  /** What was chosen besides the seed, where the key has conditions. */
  readonly conditions?: Buffer
  /** A row of the table region that is counted once too often: for tests of what verifiers reject. */
  readonly forgedRow?: number
  /** One of the six values of the opening to lie about: likewise. */
  readonly forgedValue?: number
  /** False: prove whatever is given, and do not verify. */
  readonly checked: boolean
  /** `cpu` (as without), `cuda`, `cuda:<n>` or `auto`. */
  readonly device?: string
}

export type NativeCards = {
  /** CUDA version of the driver. */
  readonly driver?: string
  /** Why there is no driver or no list, if so. */
  readonly problem?: string
  readonly cards: readonly {
    /** `cuda:0`, `cuda:1`, … */
    readonly device: string
    readonly name: string
    /** In bytes. */
    readonly memory: number
    /** Seconds that the comparison with the CPU took. */
    readonly selfTest?: number
    /** Why the card is not used, if so. */
    readonly problem?: string
  }[]
}

export type NativeVerifyInput = {
  readonly key: string
  readonly seed: Buffer
  readonly context: Buffer
  /** The pixels, or the image hash where the key binds images by commitment. */
  readonly image: Buffer
  readonly latent: Buffer
  /** What was chosen besides the seed, where the key has conditions. */
  readonly conditions?: Buffer
  readonly proof: Buffer
}

/** Whether this machine proves with AVX-512 IFMA; false as well where the addon is not built. */
export function hasVectorUnits(): boolean {
  try {
    return sumcheckNative().sumcheckHasVectorUnits()
  } catch {
    return false
  }
}

/** The addon's functions for this backend. */
export function sumcheckNative(): SumcheckNative {
  return loadNative() as unknown as SumcheckNative
}
