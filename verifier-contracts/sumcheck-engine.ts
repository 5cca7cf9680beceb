import type { Hex } from 'viem'

/**
 * keccak-256 of the code that `SumcheckVerifier` has on chain when the toolkit compiles it. Generated
 * verifiers take no other engine. `sumcheck-engine.test.ts` says what it is after a change.
 */
export const ENGINE_CODE_HASH: Hex =
  '0x3f1f5dcfb5cb575b006893d5e5655c54f49614100c3df1481d31b842b01cc4f7'
