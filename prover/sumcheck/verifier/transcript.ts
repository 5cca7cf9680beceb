import { bytesToNumberBE, concatBytes } from '@noble/curves/utils.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { mod } from './scalar-field.js'

/** Fiat–Shamir, `docs/protocol.md` §5. */
export class Transcript {
  #state = keccak_256(new TextEncoder().encode('platemark.sumcheck.v2'))

  /** Absorbs a message and draws challenges. */
  step(message: Uint8Array, count = 1): bigint[] {
    const drawn: bigint[] = []
    this.#state = keccak_256(concatBytes(this.#state, message))
    drawn.push(mod(bytesToNumberBE(this.#state)))
    while (drawn.length < count) {
      this.#state = keccak_256(this.#state)
      drawn.push(mod(bytesToNumberBE(this.#state)))
    }
    return drawn
  }

  one(message: Uint8Array): bigint {
    return this.step(message)[0]!
  }
}
