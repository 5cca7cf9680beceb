import { type Address, keccak256 } from 'viem'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { type Bundle, readBundle } from '../../prover/bundle.js'
import { bindsPixels, onChainImage } from '../../prover/on-chain-image.js'
import { connectWithKey } from '../../verifier-contracts/connect.js'
import { mint as mintToken } from '../../verifier-contracts/mint.js'
import { address, type Register, subcommand } from '../command.js'
import { statementRows } from '../condition-lines.js'
import { readPrivateKey } from '../private-key.js'
import { rows } from '../terminal.js'

type Options = {
  readonly rpc: string
  readonly keyFile?: string
  readonly contract?: Address
  readonly image?: string
  readonly keepPixels?: boolean
  readonly allowInsecureSetup?: boolean
  readonly json?: boolean
}

/** `mint`: the token of a bundle, to the recipient that the proof was made for. */
export const mint: Register = (program, run) => {
  program.addCommand(
    subcommand('mint', 'Mint the token of a bundle to the recipient that it was proven for.', [
      'PLATEMARK_PRIVATE_KEY=0x… platemark mint image.provenance.json --rpc http://127.0.0.1:8545',
      'platemark mint image.provenance.json --rpc https://… --key-file key --keep-pixels   # picture on chain',
    ])
      .argument('<bundle>', 'provenance bundle, proven for this chain, contract and recipient')
      .requiredOption('--rpc <url>', 'node of the chain')
      .option('--key-file <file>', 'file with the private key (default: PLATEMARK_PRIVATE_KEY)')
      .option('--contract <address>', 'NFT contract (default: the one in the bundle)', address)
      .option('--image <png>', 'image instead of the one beside the bundle')
      .option(
        '--keep-pixels',
        'keep the proven pixels on chain, about 200 gas a byte: tokenURI then holds the picture itself',
      )
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
          const image = await provenImage(bundle, path, options)
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
            ...(statement.conditions === undefined ? {} : { conditions: statement.conditions }),
            image,
            keepPixels: options.keepPixels === true,
            proof: new Uint8Array(Buffer.from(bundle.proof.slice(2), 'hex')),
            insecure: bundle.setup.insecure,
            allowInsecureSetup: options.allowInsecureSetup === true,
          })
          if (bundle.setup.insecure) terminal.remark(`warning: ${bundle.setup.note}`)
          terminal.result(
            { ...minted, contract, recipient: statement.context.recipient },
            rows([
              ['token', minted.tokenId],
              ...statementRows(statement),
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

/** What the contract is given for the image; its refusal of another one would say less. */
async function provenImage(bundle: Bundle, path: string, options: Options): Promise<`0x${string}`> {
  if (options.keepPixels === true && !bindsPixels(bundle))
    throw new PlatemarkError('There are no pixels to keep.', {
      expected: 'a proof about pixels',
      found:
        'a proof about a hash from which no contract can tell whether pixels are the proven ones',
      fix: 'Mint without --keep-pixels, or compile the model with --backend sumcheck --image-binding pixels.',
    })
  const image = await onChainImage(bundle, path, options.image)
  if (bindsPixels(bundle) && keccak256(image) !== bundle.statement.imageHash)
    throw new PlatemarkError('The image is not the one that was proven.', {
      expected: `pixels with keccak-256 ${bundle.statement.imageHash}`,
      found: keccak256(image),
      fix: 'Name the right file with --image.',
    })
  return image
}
