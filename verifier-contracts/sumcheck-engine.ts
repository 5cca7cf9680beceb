import type { Hex } from 'viem'

/**
 * keccak-256 of the code that `SumcheckVerifier` has on chain when the toolkit compiles it. Generated
 * verifiers take no other engine. `sumcheck-engine.test.ts` says what it is after a change.
 */
export const ENGINE_CODE_HASH: Hex =
  '0x099350b82b9c6ab6c3fc34832475c9656cc8abf42d6567dfd78b4e1b419a722a'
