import type { Address } from 'viem'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { readBundle } from '../../prover/bundle.js'
import { connectWithKey } from '../../verifier-contracts/connect.js'
import { mint as mintToken } from '../../verifier-contracts/mint.js'
import { address, type Register, subcommand } from '../command.js'
import { readPrivateKey } from '../private-key.js'
import { rows } from '../terminal.js'

type Options = {
  readonly rpc: string
  readonly keyFile?: string
  readonly contract?: Address
  readonly allowInsecureSetup?: boolean
  readonly json?: boolean
}

/** `mint`: the token of a bundle, to the recipient that the proof was made for. */
export const mint: Register = (program, run) => {
  program.addCommand(
    subcommand('mint', 'Mint the token of a bundle to the recipient that it was proven for.', [
      'PLATEMARK_PRIVATE_KEY=0x… platemark mint image.provenance.json --rpc http://127.0.0.1:8545',
    ])
      .argument('<bundle>', 'provenance bundle, proven for this chain, contract and recipient')
      .requiredOption('--rpc <url>', 'node of the chain')
      .option('--key-file <file>', 'file with the private key (default: PLATEMARK_PRIVATE_KEY)')
      .option('--contract <address>', 'NFT contract (default: the one in the bundle)', address)
      .option('--allow-insecure-setup', 'mint with a development key on a chain that is not local')
      .action((path: string, options: Options) =>
        run(options.json === true, async (terminal) => {
          const bundle = await readBundle(path)
          const { statement } = bundle
          const { contract, chainId } = statement.context
          if (chainId === 0n || (options.contract ?? contract) !== contract)
            throw new PlatemarkError('The proof was made for another context.', {
              expected: `a proof for contract ${options.contract ?? '0x…'} on its chain`,
              found:
                chainId === 0n ? 'a proof for no chain' : `contract ${contract}, chain ${chainId}`,
              fix: 'Prove again with --chain-id, --contract and --recipient.',
            })
          const chain = await connectWithKey({
            rpcUrl: options.rpc,
            privateKey: await readPrivateKey(options.keyFile),
            chainId,
          })
          terminal.progress({ step: 'minting' })
          const minted = await mintToken(chain, {
            collection: contract,
            recipient: statement.context.recipient,
            modelId: statement.modelId,
            seed: statement.seed,
            image: statement.imageHash,
            proof: new Uint8Array(Buffer.from(bundle.proof.slice(2), 'hex')),
            insecure: bundle.setup.insecure,
            allowInsecureSetup: options.allowInsecureSetup === true,
          })
          if (bundle.setup.insecure) terminal.remark(`warning: ${bundle.setup.note}`)
          terminal.result(
            { ...minted, contract, recipient: statement.context.recipient },
            rows([
              ['token', minted.tokenId],
              ['contract', contract],
              ['owner', statement.context.recipient],
              ['transaction', minted.transactionHash],
              ['gas', minted.gas],
            ]),
          )
          return 0
        }),
      ),
  )
}
