import type { Hex } from 'viem'
import type { Image } from '../circuits/image-digest.js'
import type { ImageBinding } from '../circuits/sumcheck/descriptor.js'
import type { IntegerModel } from '../model-export/integer-model.js'
import type { Plate } from '../model-export/plate.js'
import type { Progress } from '../model-export/progress.js'
import type { Context, Statement } from './statement.js'
import type { Check } from './verification.js'

/** What a user may decide about a circuit. */
export type CircuitOptions = {
  /** What stands for the image in the statement; by default the backend decides by its size. */
  readonly imageBinding?: ImageBinding
  /** log2 of the rows of a column, for backends that commit to columns; by default the cheapest. */
  readonly columnBits?: number
}

/** Predicted before anyone waits. Seconds are for the machine class the constants were measured on. */
export type Estimate = {
  readonly backend: string
  readonly feasible: boolean
  /** Why not, with numbers; only when not feasible. */
  readonly reason?: string
  /** Backend-specific counts, e.g. `constraints`, `nonzeros`, in the order to print. */
  readonly counts: Readonly<Record<string, number>>
  readonly compileSeconds: number
  readonly setupSeconds: number
  readonly proveSeconds: number
  readonly peakMemoryBytes: number
  readonly provingKeyBytes: number
  readonly proofBytes: number
  /** Gas of `verifyImage` as a whole transaction. */
  readonly gas: number
}

/** Where the keys come from. */
export type SetupSource =
  | { readonly kind: 'development' }
  /** A powers-of-tau file in snarkjs format. */
  | { readonly kind: 'ptau'; readonly path: string }

/** Written as `<backend>/setup.json` next to the keys. */
export type SetupRecord = {
  readonly format: 'platemark-setup'
  readonly version: 1
  readonly backend: string
  readonly kind: 'development' | 'ptau'
  /** True when whoever made the key could forge proofs: development keys, ceremonies without a contribution. */
  readonly insecure: boolean
  /** Why it is insecure or what it rests on; printed wherever the key is used. */
  readonly note: string
  /** keccak256 of the canonical verifying key encoding. */
  readonly verifyingKeyHash: Hex
  /** SHA-256 of the .ptau, when there is one. */
  readonly ptauSha256?: Hex
  /** Names of the contributions to the .ptau in order, when there is one; none: a development file. */
  readonly ptauContributions?: readonly string[]
  /** Names of phase-2 contributions in order, when there is a phase 2. */
  readonly contributions?: readonly string[]
}

export type ProveRequest = {
  readonly seed: bigint
  /** What was chosen besides the seed, for a model that takes conditions. */
  readonly conditions?: Uint8Array
  readonly context: Context
  /** `cpu` (as without), `cuda`, `cuda:<n>` or `auto`, for backends that can use a card. */
  readonly device?: string
}

export type ProveResult = {
  readonly statement: Statement
  readonly proof: Uint8Array
  readonly pixels: Uint8Array
  readonly seconds: number
  readonly peakMemoryBytes: number
  /** What computed it: 'cpu' or a named accelerator. */
  readonly device: string
  /** Why another device than the one asked for computed all of it or a part. */
  readonly notes?: readonly string[]
  /** What took how long and where it was done, in order. */
  readonly phases?: readonly ProvePhase[]
}

export type ProvePhase = {
  readonly name: string
  readonly seconds: number
  readonly device: string
}

/** All that a verifier sees. It needs no model: a bundle carries everything here. */
export type VerifyRequest = {
  /** Parsed content of the key file that plates and bundles carry; unchecked. */
  readonly verifyingKey: unknown
  /** Latent dimensions of the model, one byte each. */
  readonly latentDimensions: number
  readonly statement: Statement
  readonly proof: Uint8Array
  /** Row-major height × width × channels: needed where the image hash is a hash of the pixels. */
  readonly pixels?: Uint8Array
}

export type Verdict =
  | { readonly valid: true }
  /** `reason` names the check that failed. */
  | { readonly valid: false; readonly reason: string }

export type SolidityFile = { readonly path: string; readonly source: string }

export type SolidityOptions = {
  /** Write a verifier for an insecure key; its name and NatSpec say so and it works on local chains only. */
  readonly allowInsecureSetup?: boolean
}

/**
 * A proof system. Adding one touches no other. Every method that reads files throws
 * `PlatemarkError` on anything malformed; `verify` returns a verdict and never throws on a bad proof.
 */
export type Backend = {
  readonly name: string
  /** `bytes4(keccak256(proofSystem))` is the ERC-7992 proof system id. */
  readonly proofSystem: string
  /** The circuit options that `compile` may give it. */
  readonly circuitOptions: readonly (keyof CircuitOptions)[]
  /** The options that a plate was compiled with. */
  readonly compiledOptions: (plate: Pick<Plate, 'directory'>) => Promise<CircuitOptions>
  /** Name of the scheme of `Statement.imageHash` under a parsed key file. */
  readonly imageHashScheme: (verifyingKey: unknown) => string
  /**
   * The `Statement.imageHash` of an image under a parsed key file. `powers` is the path of a powers-of-tau
   * file or of a plate with keys, for schemes that need them; without them those throw `PlatemarkError`.
   */
  readonly imageHash: (image: Image, verifyingKey: unknown, powers?: string) => Promise<Hex>
  /** For one that needs a program which is not part of the toolkit: throws `PlatemarkError` where that is missing. */
  readonly requireProgram?: () => void
  /** File in `<plate>/<name>/` that is the circuit; its keccak256 is the registry's circuit hash. */
  readonly circuitFile: string
  readonly estimate: (model: IntegerModel, options?: CircuitOptions) => Estimate
  /** Writes the circuit into `<plate>/<name>/`. */
  readonly compile: (plate: Plate, progress: Progress, options?: CircuitOptions) => Promise<void>
  /** Writes the keys and `setup.json` into `<plate>/<name>/`. */
  readonly setup: (plate: Plate, source: SetupSource, progress: Progress) => Promise<SetupRecord>
  /** keccak256 of the canonical encoding of a parsed key file; throws `PlatemarkError` for no key. */
  readonly verifyingKeyHash: (verifyingKey: unknown) => Hex
  /**
   * Makes a parsed key file again from the model, and compares: for backends whose keys follow from the
   * model and powers of tau. `powers` as for `imageHash`; by default the plate's own.
   */
  readonly remakeKey?: (plate: Plate, verifyingKey: unknown, powers?: string) => Promise<Check>
  /** Proves, verifies the proof, and only then returns it. */
  readonly prove: (plate: Plate, request: ProveRequest, progress: Progress) => Promise<ProveResult>
  readonly verify: (request: VerifyRequest) => Promise<Verdict>
  /** The verifier contract's sources; the first file holds the contract to deploy. */
  readonly solidity: (plate: Plate, options: SolidityOptions) => Promise<readonly SolidityFile[]>
}
