import { PlatemarkError } from '../model-export/platemark-error.js'

/** Chain ids of local development chains: anvil and Hardhat, Ganache and geth's developer mode. */
export const LOCAL_CHAIN_IDS: readonly bigint[] = [31337n, 1337n]

/**
 * Keeps keys under which proofs can be forged away from chains where it matters.
 *
 * @param options.insecure - `SetupRecord.insecure`
 * @param options.allowInsecureSetup - the caller's explicit wish
 * @throws {PlatemarkError} on a chain that is not local, unless allowed by name.
 * @example
 * refuseInsecureSetup({ chainId: 1n, insecure: true }) // throws
 */
export function refuseInsecureSetup(options: {
  readonly chainId: bigint
  readonly insecure: boolean
  readonly allowInsecureSetup?: boolean
}): void {
  const { chainId, insecure, allowInsecureSetup = false } = options
  if (!insecure || allowInsecureSetup || LOCAL_CHAIN_IDS.includes(chainId)) return
  throw new PlatemarkError('An insecure setup does not belong on this chain.', {
    expected: `a local chain (id ${LOCAL_CHAIN_IDS.join(' or ')}) or a key from a ceremony`,
    found: `chain id ${chainId}`,
    fix: 'Run `platemark setup --ptau` and `platemark ceremony contribute`, or force it with allowInsecureSetup (--allow-insecure-setup).',
  })
}
