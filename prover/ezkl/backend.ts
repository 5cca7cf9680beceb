import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keccak256 } from 'viem'
import { readJsonFile } from '../../model-export/json-fields.js'
import type { Plate } from '../../model-export/plate.js'
import { withTemporaryFolder } from '../../model-export/temporary-folder.js'
import { generateEzklVerifier } from '../../verifier-contracts/generate-ezkl-verifier.js'
import type { Backend, SolidityFile, SolidityOptions } from '../backend.js'
import { parseSetupRecord } from '../setup-record.js'
import { compileEzkl } from './circuit.js'
import { estimateEzkl } from './estimate.js'
import { encodeVerifierPowers } from './halo2-srs.js'
import { readHalo2Verifier } from './halo2-verifier.js'
import { requirePython } from './installation.js'
import { BACKEND, plateFiles, requireFile } from './plate-files.js'
import { proveEzkl } from './prove.js'
import { setupEzkl } from './setup.js'
import { verifyEzkl } from './verify.js'
import { keyHash, parseKey } from './verifying-key.js'

/**
 * Halo2 with KZG through ezkl, a program that the user installs (`installation.ts`): the same integer
 * model, the same pixels and the same statement as the other backends, proven by another prover.
 */
export const ezkl: Backend = {
  name: BACKEND,
  proofSystem: 'ezkl-halo2-bn254-v1',
  circuitOptions: [],
  compiledOptions: async () => ({}),
  imageHashScheme: () => 'keccak256',
  imageHash: async ({ pixels }) => keccak256(pixels),
  circuitFile: 'model.onnx',
  requireProgram: requirePython,
  estimate: estimateEzkl,
  compile: compileEzkl,
  setup: setupEzkl,
  verifyingKeyHash: (verifyingKey) => keyHash(parseKey(verifyingKey)),
  prove: proveEzkl,
  verify: verifyEzkl,
  solidity: generateSolidity,
}

async function generateSolidity(
  plate: Plate,
  options: SolidityOptions,
): Promise<readonly SolidityFile[]> {
  const files = plateFiles(plate)
  requireFile(files.verifyingKey, 'verifying key', 'Run platemark setup.')
  requireFile(files.setup, 'setup record', 'Run platemark setup.')
  const key = parseKey((await readJsonFile(files.verifyingKey, 'verifying key')).value)
  const record = parseSetupRecord(await readJsonFile(files.setup, 'setup record'))
  const halo2 = await withTemporaryFolder('ezkl', async (folder) => {
    const file = (name: string) => join(folder, name)
    await writeFile(file('vk'), key.verifyingKey)
    await writeFile(file('settings.json'), JSON.stringify(key.settings))
    await writeFile(file('powers.srs'), encodeVerifierPowers(key.powers))
    return readHalo2Verifier({
      verifyingKey: file('vk'),
      settings: file('settings.json'),
      srs: file('powers.srs'),
    })
  })
  const { height, width, channels } = plate.model.image
  return generateEzklVerifier({
    name: plate.model.name,
    modelId: plate.modelId,
    latentDimensions: plate.model.latent.dimensions,
    pixels: height * width * channels,
    proofBytes: key.proofBytes,
    halo2Source: halo2.source,
    verifyingKeyHash: record.verifyingKeyHash,
    insecure: record.insecure,
    note: record.note,
    toolVersion: plate.model.source.toolVersion,
    ...options,
  })
}
