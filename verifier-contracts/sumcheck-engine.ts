import type { Hex } from 'viem'

/**
 * keccak-256 of the code that `SumcheckVerifier` has on chain when the toolkit compiles it. Generated
 * verifiers take no other engine. `sumcheck-engine.test.ts` says what it is after a change.
 */
export const ENGINE_CODE_HASH: Hex =
  '0x8672d3c34ea84d089672849120ae80bed3da109331ae5cf4dad4075da1dc44c7'
