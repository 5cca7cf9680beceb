import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sampleModel } from '../../circuits/circom/sample-model.js'
import { expandSeed } from '../../circuits/seed-expansion.js'
import { execute } from '../../model-export/execute.js'
import { modelId, type Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { silent } from '../../model-export/progress.js'
import type { ProveResult } from '../backend.js'
import type { Context } from '../statement.js'
import { groth16 } from './backend.js'
import { decodeProof, type Groth16Proof, publicSignals } from './encoding.js'
import { plateFiles } from './plate-files.js'
import { verifyWithSnarkjs } from './snarkjs-files.js'
import { parseVerifyingKey } from './verifying-key.js'

const model = sampleModel(4, [
  {
    shape: [2, 2, 3],
    terms: (draw) => [{ kind: 'gemm', input: 0, rows: 1, weight: draw([12, 4], 60) }],
    activation: { kind: 'sigmoid', scale: 40 },
    shift: 7,
  },
])
const context: Context = {
  chainId: 31337n,
  contract: '0x00000000000000000000000000000000000000aa',
  recipient: '0x00000000000000000000000000000000000000bb',
}

describe('groth16 backend', () => {
  let plate: Plate
  let result: ProveResult
  let verifyingKey: unknown
  const files = () => plateFiles(plate)

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'platemark-backend-'))
    plate = { directory, model, modelId: modelId(model) }
    await groth16.compile(plate, silent)
    await groth16.setup(plate, { kind: 'development' }, silent)
    result = await groth16.prove(plate, { seed: 42n, context }, silent)
    verifyingKey = JSON.parse(await readFile(files().verifyingKey, 'utf8'))
  }, 120_000)
  afterAll(() => rm(plate.directory, { recursive: true, force: true }))

  const verify = (changes: Partial<ProveResult['statement']> = {}) =>
    groth16.verify({
      verifyingKey,
      latentDimensions: model.latent.dimensions,
      statement: { ...result.statement, ...changes },
      proof: result.proof,
    })

  test('proves the executor’s image', async () => {
    expect(result.pixels).toEqual(execute(model, expandSeed(42n, model.latent.dimensions)))
    expect(result.proof).toHaveLength(256)
    expect(result.peakMemoryBytes).toBeGreaterThan(50e6)
    expect(await verify()).toEqual({ valid: true })
  })

  test.each([
    { seed: 43n },
    { modelId: `0x${'11'.repeat(32)}` as const },
    { imageHash: `0x${'11'.repeat(32)}` as const },
    { context: { ...context, recipient: context.contract } },
  ])('rejects the proof for %j', async (change) => {
    expect(await verify(change)).toMatchObject({ valid: false })
  })

  test('snarkjs verifies the same proof', async () => {
    const signals = publicSignals(result.statement, model.latent.dimensions) as readonly bigint[]
    const key = parseVerifyingKey(verifyingKey)
    const proof = decodeProof(result.proof) as Groth16Proof
    expect(await verifyWithSnarkjs(key, signals, proof)).toBe(true)
    expect(await verifyWithSnarkjs(key, [...signals.slice(0, -1), 1n], proof)).toBe(false)
  }, 30_000)

  test('compiling the same model again keeps the keys', async () => {
    const before = await stat(files().provingKey)
    await groth16.compile(plate, silent)
    expect((await stat(files().provingKey)).mtimeMs).toBe(before.mtimeMs)
  })

  test('writes a verifier, but for an insecure key only when told to', async () => {
    await expect(groth16.solidity(plate, {})).rejects.toThrow(PlatemarkError)
    const [file] = await groth16.solidity(plate, { allowInsecureSetup: true })
    expect(file?.source).toContain('contract ')
  })

  test('says which step is missing', async () => {
    const empty = { ...plate, directory: join(plate.directory, 'none') }
    await expect(groth16.prove(empty, { seed: 1n, context }, silent)).rejects.toThrow(
      'The circuit is missing.',
    )
  })

  test('refuses a circuit of another model before proving', async () => {
    const other = { ...plate, model: { ...model, latent: otherLatent() } }
    await expect(groth16.prove(other, { seed: 1n, context }, silent)).rejects.toThrow(
      'The circuit does not compute what the model does.',
    )
  })

  test('refuses a broken circuit file', async () => {
    const wasm = await readFile(files().wasm)
    await writeFile(files().wasm, wasm.subarray(0, 1000))
    try {
      await expect(groth16.prove(plate, { seed: 1n, context }, silent)).rejects.toThrow(
        'The circuit file cannot be loaded.',
      )
    } finally {
      await writeFile(files().wasm, wasm)
    }
  })
})

/** The same model with other values for the latent bytes. */
function otherLatent() {
  return { ...model.latent, table: model.latent.table.map((value) => value >> 1) }
}
