import { existsSync } from 'node:fs'
import { pixelHashes } from '../../circuits/image-hashes.js'
import { readJsonFile } from '../../model-export/json-fields.js'
import type { Plate } from '../../model-export/plate.js'
import { generateGroth16Verifier } from '../../verifier-contracts/generate-groth16-verifier.js'
import type { Backend, SolidityFile, SolidityOptions } from '../backend.js'
import { parseSetupRecord } from '../setup-record.js'
import { compileGroth16 } from './compile.js'
import { estimateGroth16 } from './estimate.js'
import { readKeys } from './key-files.js'
import { BACKEND, plateFiles, requireFile } from './plate-files.js'
import { proveGroth16 } from './prove.js'
import { setupGroth16 } from './setup.js'
import { verifyGroth16 } from './verify.js'
import { checkVerifyingKeyForExport, parseVerifyingKey, verifyingKeyHash } from './verifying-key.js'

/**
 * Groth16 over BN254: a circom circuit with the weights as constants, proven by snarkjs. Proofs of 256
 * bytes, about 240,000 gas; a setup for every model, and models of up to about a million constraints.
 */
export const groth16: Backend = {
  name: BACKEND,
  proofSystem: 'groth16-bn254-v1',
  circuitOptions: [],
  compiledOptions: async () => ({}),
  imageHashScheme: () => 'poseidon',
  imageHash: async (image) => pixelHashes(image).poseidon,
  circuitFile: 'circuit.r1cs',
  estimate: estimateGroth16,
  compile: compileGroth16,
  setup: setupGroth16,
  verifyingKeyHash: (key) => verifyingKeyHash(parseVerifyingKey(key)),
  prove: proveGroth16,
  verify: async (request) => verifyGroth16(request),
  solidity: generateSolidity,
}

async function generateSolidity(
  plate: Plate,
  options: SolidityOptions,
): Promise<readonly SolidityFile[]> {
  const files = plateFiles(plate)
  requireFile(files.verifyingKey, 'verifying key', 'Run platemark setup.')
  requireFile(files.setup, 'setup record', 'Run platemark setup.')
  const verifyingKey = parseVerifyingKey(
    (await readJsonFile(files.verifyingKey, 'verifying key')).value,
  )
  const record = parseSetupRecord(await readJsonFile(files.setup, 'setup record'))
  // Where the proving key is at hand, it says itself who contributed to it.
  if (existsSync(files.provingKey)) await readKeys(plate)
  checkVerifyingKeyForExport(verifyingKey, record)
  return generateGroth16Verifier({
    name: plate.model.name,
    modelId: plate.modelId,
    latentDimensions: plate.model.latent.dimensions,
    verifyingKey,
    verifyingKeyHash: record.verifyingKeyHash,
    insecure: record.insecure,
    note: record.note,
    toolVersion: plate.model.source.toolVersion,
    ...options,
  })
}
