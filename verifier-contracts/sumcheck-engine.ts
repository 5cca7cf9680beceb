import type { Hex } from 'viem'

/**
 * keccak-256 of the code that `SumcheckVerifier` has on chain when the toolkit compiles it. Generated
 * verifiers take no other engine. `sumcheck-engine.test.ts` says what it is after a change.
 */
export const ENGINE_CODE_HASH: Hex =
  '0x2b59f74b5b3c0abe7fd69a732869d3b7c40184e571209c0c891ea339736957be'
