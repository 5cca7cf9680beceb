import type { Hex } from 'viem'

/**
 * keccak-256 of the code that `SumcheckVerifier` has on chain when the toolkit compiles it. Generated
 * verifiers take no other engine. `sumcheck-engine.test.ts` says what it is after a change.
 */
export const ENGINE_CODE_HASH: Hex =
  '0x8c4d8a8634255b3663b6a3bd905830d1a54a70cf1213fa580fa7134b97c95181'
