import type { Address } from 'viem'
import { writeFileAtomic } from '../../model-export/atomic-write.js'
import { readJsonFile } from '../../model-export/json-fields.js'
import { readPlate } from '../../model-export/plate.js'
import { circuitHash } from '../../prover/circuit-hash.js'
import { parseSetupRecord } from '../../prover/setup-record.js'
import { connectWithKey } from '../../verifier-contracts/connect.js'
import { deployCollection } from '../../verifier-contracts/deploy.js'
import { LOCAL_CHAIN_IDS, refuseInsecureSetup } from '../../verifier-contracts/insecure-setup.js'
import { address, chainId, type Register, subcommand } from '../command.js'
import { plateBackend } from '../plate-backend.js'
import { readPrivateKey } from '../private-key.js'
import { rows, toJson } from '../terminal.js'

type Options = {
  readonly rpc: string
  readonly chainId?: bigint
  readonly keyFile?: string
  readonly name?: string
  readonly symbol: string
  readonly description?: string
  readonly imageBase?: string
  readonly registry?: Address
  readonly engine?: Address
  readonly output?: string
  readonly backend?: string
  readonly allowInsecureSetup?: boolean
  readonly json?: boolean
}

/** `deploy`: verifier, registry and NFT contract of a compiled model. */
export const deploy: Register = (program, run) => {
  program.addCommand(
    subcommand('deploy', 'Deploy verifier, registry and NFT contract of a compiled model.', [
      'PLATEMARK_PRIVATE_KEY=0x… platemark deploy model.plate/ --rpc http://127.0.0.1:8545',
      'platemark deploy model.plate/ --rpc https://… --chain-id 1 --key-file key --name Sprites --symbol SPR',
      'platemark deploy another.plate/ --rpc https://… --engine 0x… --registry 0x…   # share what is there',
    ])
      .argument('<plate>', 'compiled model with keys')
      .requiredOption('--rpc <url>', 'node of the chain')
      .option('--chain-id <id>', 'refuse any other chain', chainId)
      .option('--key-file <file>', 'file with the private key (default: PLATEMARK_PRIVATE_KEY)')
      .option('--name <name>', 'name of the collection (default: the model’s)')
      .option('--symbol <symbol>', 'symbol of the collection', 'PLATE')
      .option('--description <text>', 'description in the metadata')
      .option('--image-base <uri>', 'pictures are at <uri><modelId>/<seed>.png')
      .option('--registry <address>', 'existing registry to use', address)
      .option('--engine <address>', 'existing engine for the verifier to run on', address)
      .option('-o, --output <file>', 'also write the addresses to this JSON file')
      .option('--allow-insecure-setup', 'deploy a development key to a chain that is not local')
      .option('--backend <name>', 'proof system, when the plate has several')
      .action((directory: string, options: Options) =>
        run(options.json === true, async (terminal) => {
          const plate = await readPlate(directory)
          const backend = await plateBackend(directory, options.backend)
          const record = parseSetupRecord(
            await readJsonFile(`${directory}/${backend.name}/setup.json`, 'setup record'),
          )
          const chain = await connectWithKey({
            rpcUrl: options.rpc,
            privateKey: await readPrivateKey(options.keyFile),
            ...(options.chainId === undefined ? {} : { chainId: options.chainId }),
          })
          const { insecure } = record
          const allowInsecureSetup = options.allowInsecureSetup === true
          refuseInsecureSetup({ chainId: chain.chainId, insecure, allowInsecureSetup })
          const local = LOCAL_CHAIN_IDS.includes(chain.chainId)
          const verifierFiles = await backend.solidity(plate, {
            allowInsecureSetup: allowInsecureSetup || local,
          })
          const { description, imageBase, registry, engine } = options
          const deployed = await deployCollection(
            chain,
            {
              verifierFiles,
              modelId: plate.modelId,
              circuitHash: await circuitHash(plate, backend),
              insecure,
              allowInsecureSetup,
              ...(registry === undefined ? {} : { registry }),
              ...(engine === undefined ? {} : { engine }),
              collection: {
                name: options.name ?? plate.model.name,
                symbol: options.symbol,
                ...(description === undefined ? {} : { description }),
                ...(imageBase === undefined ? {} : { imageBaseUri: imageBase }),
              },
            },
            terminal.progress,
          )
          if (insecure) terminal.remark(`warning: ${record.note}`)
          if (options.output !== undefined)
            await writeFileAtomic(options.output, `${toJson(deployed)}\n`)
          terminal.result(
            { ...deployed, insecure },
            rows([
              ['chain', deployed.chainId],
              ...(deployed.engine === undefined ? [] : [present('engine', deployed.engine)]),
              ['verifier', `${deployed.verifier.address}  ${deployed.verifier.gas} gas`],
              present('registry', deployed.registry),
              ['model in registry', deployed.registration.registryId],
              ['collection', `${deployed.collection.address}  ${deployed.collection.gas} gas`],
              ['total gas', deployed.totalGas],
            ]),
          )
          return 0
        }),
      ),
  )
}

/** A row for a contract that may have been there before. */
function present(
  name: string,
  { address: at, gas }: { readonly address: Address; readonly gas?: bigint },
): readonly [string, string] {
  return [name, `${at}  ${gas === undefined ? 'was there' : `${gas} gas`}`]
}
