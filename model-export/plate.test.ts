import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { randomFrom, randomModel } from '../test/random-model.js'
import { execute } from './execute.js'
import type { FidelityReport } from './fidelity.js'
import type { IntegerModel } from './integer-model.js'
import { verifyBounds } from './intervals.js'
import { field } from './json-fields.js'
import { serializeModel } from './model-file.js'
import { modelSize } from './model-size.js'
import { parseModel } from './parse-model.js'
import { modelId, readPlate, writePlate } from './plate.js'
import { PlatemarkError } from './platemark-error.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'platemark-plate-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const report = (model: IntegerModel): FidelityReport => ({
  format: 'platemark-report',
  version: 1,
  profile: 'test',
  seeds: 1,
  psnr: 50,
  medianPsnr: 50,
  worstPsnr: 50,
  worstPixelDifference: 1,
  ssim: 1,
  ...modelSize(model),
  nodes: [],
})

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })

describe('the files of a model', () => {
  test('read back as they were written', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const model = randomModel(seed)
        const { json, weights } = serializeModel(model)
        const parsed = parseModel(field(JSON.parse(JSON.stringify(json)), 'model.json'), weights)
        expect(parsed).toEqual(model)
        expect(modelId(parsed)).toBe(modelId(model))
      }),
      { numRuns: 20 },
    )
  })

  test('the id covers the arithmetic and not the words', () => {
    const model = randomModel(11)
    const id = modelId(model)
    const words: IntegerModel = {
      ...model,
      name: 'another',
      source: { onnxSha256: `0x${'ff'.repeat(32)}`, profile: 'p', toolVersion: '9' },
      tensors: model.tensors.map((tensor) => ({ ...tensor, name: 'another' })),
      nodes: model.nodes.map((node) => ({ ...node, name: 'another' })),
      tables: model.tables.map((table) => ({ ...table, description: 'another' })),
    }
    expect(modelId(words)).toBe(id)
    const tables = model.tables.map((table) => ({
      ...table,
      values: table.values.map((v) => v + 1),
    }))
    expect(modelId({ ...model, tables })).not.toBe(id)
    expect(modelId({ ...model, image: { ...model.image, range: [0, 2] } })).not.toBe(id)
  })

  test('the id of a known model is known', () => {
    expect(modelId(randomModel(11))).toBe(
      '0x304f8eeaa81f56268f5476fb386f84374c46397abc63fe13cdb4ee28aaecc7c1',
    )
  })

  test('a changed field of model.json is an error or another id', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const model = randomModel(seed)
        const { json, weights } = serializeModel(model)
        const changed: unknown = JSON.parse(JSON.stringify(json))
        const path = mutate(changed, seed)
        // Words are not in the id.
        fc.pre(!/^(name|source)|\.(name|description)$/.test(path))
        // What a file would hold: JSON writes a hole in a list as null.
        const read: unknown = JSON.parse(JSON.stringify(changed))
        expectErrorOrOtherId(read, weights, modelId(model))
      }),
      { numRuns: 120 },
    )
  })

  test('a changed, missing or additional byte of weights.bin is an error', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = randomFrom(seed)
        const { json, weights } = serializeModel(randomModel(seed))
        const at = random.integer(0, weights.length - 1)
        const flipped = weights.slice()
        flipped[at]! ^= 1 << random.integer(0, 7)
        const longer = new Uint8Array(weights.length + 1)
        longer.set(weights)
        for (const bytes of [flipped, weights.slice(0, at), longer, new Uint8Array(0)])
          expect(() => parseModel(field(json, 'model.json'), bytes)).toThrow(PlatemarkError)
      }),
      { numRuns: 30 },
    )
  })

  test('weights that do not fit the shapes are an error, whatever their hash', () => {
    const { weights } = serializeModel(randomModel(11))
    for (const bytes of [weights.slice(4), new Uint8Array([...weights, 0, 0, 0, 0])]) {
      const { json } = serializeModel(randomModel(11))
      const changed = JSON.parse(JSON.stringify(json))
      const other = serializeModel({
        ...randomModel(11),
        nodes: [],
        tables: [{ description: '', first: 0, values: new Int32Array(bytes.slice().buffer) }],
      })
      changed.weights = other.json.weights
      expect(() => parseModel(field(changed, 'model.json'), bytes)).toThrow(/weights\.bin is too/)
    }
  })

  test('errors name file and field', () => {
    const { json, weights } = serializeModel(randomModel(11))
    const changed = JSON.parse(JSON.stringify(json))
    changed.nodes.at(-1).requantize.shift = 99
    expect(() => parseModel(field(changed, 'a/model.json'), weights)).toThrow(
      /a\/model\.json: nodes\[\d+\]\.requantize\.shift.*\n.*an integer from 0 to 51\n.*99/,
    )
  })
})

describe('a plate folder', () => {
  test('is written and read', async () => {
    const model = randomModel(3)
    const path = join(folder, 'a.plate')
    await writePlate(path, model, report(model))
    expect(readdirSync(path).sort()).toEqual(['model.json', 'report.json', 'weights.bin'])
    const plate = await readPlate(path)
    expect(plate).toEqual({ directory: path, model, modelId: modelId(model) })
    expect(JSON.parse(readFileSync(join(path, 'report.json'), 'utf8'))).toEqual(report(model))
  })

  test('replaces a plate, fills an empty folder, and leaves other folders alone', async () => {
    const [a, b] = [randomModel(3), randomModel(4)]
    const path = join(folder, 'a.plate')
    await mkdir(path)
    await writePlate(path, a, report(a))
    await writePlate(path, b, report(b))
    expect((await readPlate(path)).modelId).toBe(modelId(b))
    await writeFile(join(folder, 'precious'), '')
    await expect(writePlate(folder, a, report(a))).rejects.toThrow(PlatemarkError)
    expect(readdirSync(folder).sort()).toEqual(['a.plate', 'precious'])
  })

  test.each(['model.json', 'weights.bin'])('missing or cut %s is an error', async (name) => {
    const model = randomModel(3)
    const path = join(folder, 'a.plate')
    await writePlate(path, model, report(model))
    const file = join(path, name)
    const bytes = readFileSync(file)
    for (const length of [0, 1, bytes.length >> 1, bytes.length - 2]) {
      writeFileSync(file, bytes)
      await truncate(file, length)
      await expect(readPlate(path)).rejects.toThrow(PlatemarkError)
    }
    rmSync(file)
    await expect(readPlate(path)).rejects.toThrow(PlatemarkError)
  })
})

function expectErrorOrOtherId(json: unknown, weights: Uint8Array, id: string): void {
  let model: IntegerModel
  try {
    model = parseModel(field(json, 'model.json'), weights)
  } catch (error) {
    expect(error).toBeInstanceOf(PlatemarkError)
    return
  }
  expect(modelId(model)).not.toBe(id)
  // What was read can be checked and run: it says no or gives pixels, and does nothing else.
  try {
    verifyBounds(model)
    const pixels = execute(model, new Uint8Array(model.latent.dimensions))
    expect(pixels).toHaveLength(model.image.height * model.image.width * model.image.channels)
  } catch (error) {
    expect(error).toBeInstanceOf(PlatemarkError)
  }
}

type Container = Record<string | number, unknown>

/** Changes one value somewhere, and says where. */
function mutate(root: unknown, seed: number): string {
  const random = randomFrom(seed)
  let container = root as Container
  let path = ''
  for (;;) {
    const key = random.pick(Object.keys(container))
    path = path === '' ? key : `${path}.${key}`
    const value = container[key]
    const nested = typeof value === 'object' && value !== null && Object.keys(value).length > 0
    if (nested && random.integer(0, 9) > 0) {
      container = value as Container
      continue
    }
    const before = JSON.stringify(container)
    const replacements = [
      undefined,
      null,
      'text',
      -1,
      0,
      1,
      2,
      3.5,
      1e9,
      2 ** 53,
      true,
      [],
      {},
      ...(typeof value === 'number' ? [value + 1, value - 1, -value, value * 2] : []),
    ]
    do {
      const replacement = random.pick(replacements)
      if (replacement === undefined) delete container[key]
      else container[key] = replacement
    } while (JSON.stringify(container) === before)
    return path
  }
}
