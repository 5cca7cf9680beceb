import type { Hex } from 'viem'
import type { IntegerModel } from '../model-export/integer-model.js'
import type { Plate } from '../model-export/plate.js'
import type { Progress } from '../model-export/progress.js'
import type { Context, Statement } from './statement.js'

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
  readonly context: Context
}

export type ProveResult = {
  readonly statement: Statement
  readonly proof: Uint8Array
  readonly pixels: Uint8Array
  readonly seconds: number
  readonly peakMemoryBytes: number
  /** What computed it: 'cpu' or a named accelerator. */
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
  /** The image's pixels, row-major height × width × channels: for backends that bind the pixels themselves. */
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
  /** Name of the scheme of `Statement.imageHash`. */
  readonly imageHashScheme: string
  /** Whether `solidity` writes a contract that verifies this backend's proofs. */
  readonly onChain: boolean
  /** It needs a program that is not part of the toolkit: chosen only when asked for by name. */
  readonly external?: true
  /** File in `<plate>/<name>/` that is the circuit; its keccak256 is the registry's circuit hash. */
  readonly circuitFile: string
  readonly estimate: (model: IntegerModel) => Estimate
  /** Writes the circuit into `<plate>/<name>/`. */
  readonly compile: (plate: Plate, progress: Progress) => Promise<void>
  /** Writes the keys and `setup.json` into `<plate>/<name>/`. */
  readonly setup: (plate: Plate, source: SetupSource, progress: Progress) => Promise<SetupRecord>
  /** keccak256 of the canonical encoding of a parsed key file; throws `PlatemarkError` for no key. */
  readonly verifyingKeyHash: (verifyingKey: unknown) => Hex
  /** Proves, verifies the proof, and only then returns it. */
  readonly prove: (plate: Plate, request: ProveRequest, progress: Progress) => Promise<ProveResult>
  readonly verify: (request: VerifyRequest) => Promise<Verdict>
  /** The verifier contract's sources; the first file holds the contract to deploy. */
  readonly solidity: (plate: Plate, options: SolidityOptions) => Promise<readonly SolidityFile[]>
}
