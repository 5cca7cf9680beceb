import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sampleModel } from '../../circuits/circom/sample-model.js'
import type { AffineNode, IntegerModel } from '../../model-export/integer-model.js'
import { modelId, type Plate } from '../../model-export/plate.js'
import { silent } from '../../model-export/progress.js'
import { developmentPowersOfTau } from '../native.js'
import { groth16 } from './backend.js'
import { plateFiles } from './plate-files.js'
import { makeSamplePlate, type SamplePlate } from './sample-circuit.js'
import { setupGroth16 } from './setup.js'
import { runSnarkjs } from './snarkjs-process.js'
import { verifyingKeyHash } from './verifying-key.js'
import { readProvingKey } from './zkey.js'

/* Plates that somebody else wrote, with claims that do not follow from their content. */

const model = sampleModel(4, [
  {
    shape: [2, 2, 3],
    terms: (draw) => [{ kind: 'gemm', input: 0, rows: 1, weight: draw([12, 4], 60) }],
    activation: { kind: 'sigmoid', scale: 40 },
    shift: 7,
  },
])

test('no circuit is made for bounds that do not hold: outside them it would be another model', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'platemark-hostile-'))
  const node = model.nodes[0] as AffineNode
  const { multiplier, shift } = node.requantize
  const quotient = (acc: number) => Math.floor((acc * multiplier + 2 ** (shift - 1)) / 2 ** shift)
  const accumulator = { min: -100, max: 100 }
  const narrow: IntegerModel = {
    ...model,
    nodes: [
      {
        ...node,
        accumulator,
        quotient: { min: quotient(accumulator.min), max: quotient(accumulator.max) },
      },
    ],
  }
  const plate: Plate = { directory, model: narrow, modelId: modelId(narrow) }
  await expect(groth16.compile(plate, silent)).rejects.toThrow('claims bounds that do not hold')
  expect(existsSync(plateFiles(plate).directory)).toBe(false)
  await rm(directory, { recursive: true })
})

describe('a setup record', () => {
  let sample: SamplePlate
  beforeAll(async () => {
    sample = await makeSamplePlate()
    await setupGroth16(sample, { kind: 'development' }, silent)
  }, 60_000)
  afterAll(() => sample.remove())

  test('that calls a key secure which only a public beacon has touched makes no verifier', async () => {
    const { directory } = sample
    const files = plateFiles(sample)
    const powers = join(directory, 'powers.ptau')
    await developmentPowersOfTau(powers, 3, silent)
    await setupGroth16(sample, { kind: 'ptau', path: powers }, silent)
    const closed = join(directory, 'closed.zkey')
    const hash = '01'.repeat(32)
    await runSnarkjs(['zkey', 'beacon', files.provingKey, closed, hash, '10', '-n=beacon'])
    await copyFile(closed, files.provingKey)
    const { verifyingKey } = await readProvingKey(closed)
    const record = JSON.parse(await readFile(files.setup, 'utf8'))
    const lie = {
      ...record,
      insecure: false,
      verifyingKeyHash: verifyingKeyHash(verifyingKey),
      ptauContributions: ['Ada'],
      contributions: ['beacon'],
    }
    await writeFile(files.setup, JSON.stringify(lie))
    await writeFile(files.verifyingKey, JSON.stringify(verifyingKey))
    const plate = { directory, model, modelId: modelId(model) }
    await expect(groth16.solidity(plate, {})).rejects.toThrow(
      'The proving key is not the one that setup.json describes.',
    )
    await setupGroth16(sample, { kind: 'development' }, silent)
  })

  test('that calls a development key a ceremony’s makes no verifier', async () => {
    const { directory } = sample
    const { setup } = plateFiles(sample)
    const record = JSON.parse(await readFile(setup, 'utf8'))
    const lie = {
      ...record,
      kind: 'ptau',
      insecure: false,
      ptauSha256: `0x${'11'.repeat(32)}`,
      ptauContributions: ['Ada'],
      contributions: ['Grace'],
    }
    await writeFile(setup, JSON.stringify(lie))
    const plate = { directory, model, modelId: modelId(model) }
    await expect(groth16.solidity(plate, {})).rejects.toThrow(
      'The proving key is not the one that setup.json describes.',
    )
  })
})
