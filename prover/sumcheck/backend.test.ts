import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { IntegerTensor } from '../../model-export/integer-model.js'
import type { Plate } from '../../model-export/plate.js'
import { silent } from '../../model-export/progress.js'
import type { VerifyRequest } from '../backend.js'
import { developmentPowersOfTau } from '../native.js'
import { LOCAL_CONTEXT } from '../statement.js'
import { sumcheck } from './backend.js'
import { randomModel } from './random-model.js'

let plate: Plate

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sumcheck-'))
  plate = { directory, model: randomModel(3), modelId: `0x${'33'.repeat(32)}` }
  await sumcheck.compile(plate, silent)
})

afterAll(() => rm(plate.directory, { recursive: true, force: true }))

const prove = () => sumcheck.prove(plate, { seed: 42n, context: LOCAL_CONTEXT }, silent)
const key = async () =>
  JSON.parse(await readFile(join(plate.directory, 'sumcheck/verifying-key.json'), 'utf8')) as object

test('proving without keys names the command that makes them', async () => {
  await expect(prove()).rejects.toThrow('Run platemark setup.')
})

test('a development setup proves, and the proof verifies for its statement only', async () => {
  const record = await sumcheck.setup(plate, { kind: 'development' }, silent)
  expect(record).toMatchObject({ insecure: true, kind: 'development', backend: 'sumcheck' })
  const proved = await prove()
  const request = {
    verifyingKey: await key(),
    latentDimensions: plate.model.latent.dimensions,
    statement: proved.statement,
    proof: proved.proof,
    pixels: proved.pixels,
  }
  expect(sumcheck.verifyingKeyHash(request.verifyingKey)).toBe(record.verifyingKeyHash)
  expect(await sumcheck.verify(request)).toEqual({ valid: true })
  expect(proved.proof.length).toBe(sumcheck.estimate(plate.model).proofBytes)

  const { pixels: _, ...blind } = request
  const { statement } = request
  const recipient = '0x00000000000000000000000000000000000000aa'
  const lies: readonly VerifyRequest[] = [
    { ...request, pixels: request.pixels.map((p, i) => (i === 0 ? p ^ 1 : p)) },
    { ...request, statement: { ...statement, seed: 43n } },
    { ...request, statement: { ...statement, modelId: `0x${'44'.repeat(32)}` } },
    { ...request, statement: { ...statement, context: { ...statement.context, recipient } } },
    { ...request, statement: { ...statement, context: { ...statement.context, chainId: 1n } } },
    { ...request, latentDimensions: request.latentDimensions + 1 },
    { ...request, proof: request.proof.slice(32) },
    { ...request, verifyingKey: {} },
    { ...request, verifyingKey: null },
  ]
  for (const lie of lies) expect(await sumcheck.verify(lie)).toMatchObject({ valid: false })
  expect(await sumcheck.verify(blind)).toMatchObject({ valid: false })
})

test('an image by commitment: proven without its pixels, compared with powers of tau', async () => {
  await sumcheck.compile(plate, silent, { imageBinding: 'commitment' })
  await expect(prove()).rejects.toThrow('belongs to another model')
  await sumcheck.setup(plate, { kind: 'development' }, silent)
  const { statement, proof, pixels } = await prove()
  const verifyingKey = await key()
  const request = {
    verifyingKey,
    latentDimensions: plate.model.latent.dimensions,
    statement,
    proof,
  }
  expect(sumcheck.imageHashScheme(verifyingKey)).toBe('kzg-bn254-v1')
  expect(await sumcheck.verify(request)).toEqual({ valid: true })
  const image = { ...plate.model.image, pixels }
  const { directory } = plate
  expect(await sumcheck.imageHash(image, verifyingKey, directory)).toBe(statement.imageHash)
  await expect(sumcheck.imageHash(image, verifyingKey)).rejects.toThrow('cannot be compared')
  const file = join(directory, 'other.ptau')
  await developmentPowersOfTau(file, 10, silent)
  await expect(sumcheck.imageHash(image, verifyingKey, file)).rejects.toThrow('not those of the')
  const lie = { ...statement, imageHash: `0x01${'00'.repeat(31)}` } as const
  expect(await sumcheck.verify({ ...request, statement: lie })).toMatchObject({ valid: false })
})

test('a key is made again from the model: that of other weights is found', async () => {
  const verifyingKey = await key()
  expect(await sumcheck.remakeKey!(plate, verifyingKey)).toMatchObject({ result: 'passed' })
  const { nodes } = plate.model
  const changed = nodes.map((node) =>
    node.kind === 'rearrange' || node.terms[0]!.kind !== 'gemm'
      ? node
      : { ...node, terms: [{ ...node.terms[0]!, weight: plusOne(node.terms[0]!.weight) }] },
  )
  const other = { ...plate, model: { ...plate.model, nodes: changed } }
  expect(await sumcheck.remakeKey!(other, verifyingKey)).toMatchObject({ result: 'failed' })
  const bare = { ...plate, directory: join(plate.directory, 'none') }
  expect(await sumcheck.remakeKey!(bare, verifyingKey)).toMatchObject({ result: 'skipped' })
})

const plusOne = (weight: IntegerTensor): IntegerTensor => ({
  ...weight,
  data: weight.data.map((value) => value + 1),
})

test('powers of tau from a file prove; too few are refused', async () => {
  const file = join(plate.directory, 'powers.ptau')
  await developmentPowersOfTau(file, 4, silent)
  await expect(sumcheck.setup(plate, { kind: 'ptau', path: file }, silent)).rejects.toThrow(
    'too few powers',
  )
  const { columnBits } = (await key()) as { columnBits: number }
  await developmentPowersOfTau(file, columnBits, silent)
  const record = await sumcheck.setup(plate, { kind: 'ptau', path: file }, silent)
  expect(record).toMatchObject({ insecure: true, kind: 'ptau' })
  const proved = await prove()
  const verdict = await sumcheck.verify({
    verifyingKey: await key(),
    latentDimensions: plate.model.latent.dimensions,
    statement: proved.statement,
    proof: proved.proof,
    pixels: proved.pixels,
  })
  expect(verdict).toEqual({ valid: true })
})
