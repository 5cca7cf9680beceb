import { execute, trace } from '../../model-export/execute.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { compileCircom } from '../../prover/groth16/circom-process.js'
import { randomModel } from '../../test/random-model.js'
import { SCALAR_FIELD } from '../field.js'
import { poseidonDigest } from '../image-digest.js'
import { toLimbs } from '../limbs.js'
import { findViolation, holds, readConstraints, readR1csHeader } from '../r1cs.js'
import { expandSeed } from '../seed-expansion.js'
import {
  alterWitness,
  loadWitnessCalculator,
  type Witness,
  type WitnessCalculator,
  witnessValue,
} from '../witness.js'
import { planCircuit } from './circuit-plan.js'
import { generateCircom, pixelWire } from './generate.js'
import { everyShapeModel, productModel } from './sample-model.js'
import { symbolWires } from './symbols.js'

const model = everyShapeModel()
const CONTEXT = 123456789n

type Prepared = {
  readonly model: IntegerModel
  readonly calculator: WitnessCalculator
  readonly r1cs: Uint8Array
  readonly symbols: string
}

async function prepare(integerModel: IntegerModel): Promise<Prepared> {
  const { source } = generateCircom(integerModel)
  const { wasm, r1cs, symbols } = await compileCircom(source)
  return { model: integerModel, calculator: await loadWitnessCalculator(wasm), r1cs, symbols }
}

function witnessOf({ calculator }: Prepared, latent: Uint8Array): Witness {
  return calculator.calculate({ latentLimb: toLimbs(latent), context: [CONTEXT] })
}

function digestOf({ image }: IntegerModel, pixels: Uint8Array): bigint {
  const { height, width, channels } = image
  return poseidonDigest({ height, width, channels, pixels })
}

describe('generateCircom', () => {
  let prepared: Prepared
  beforeAll(async () => {
    prepared = await prepare(model)
  })

  test('predicts the constraints exactly', () => {
    const { plan } = generateCircom(model)
    expect(readR1csHeader(prepared.r1cs)).toMatchObject({
      constraints: plan.counts.constraints,
      publicOutputs: 1,
      publicInputs: 3,
      privateInputs: 0,
    })
  })

  test('agrees for extreme latents', () => {
    for (const byte of [0, 1, 127, 128, 254, 255]) {
      const latent = new Uint8Array(model.latent.dimensions).fill(byte)
      expect(witnessValue(witnessOf(prepared, latent), 1)).toBe(
        digestOf(model, execute(model, latent)),
      )
    }
  })

  test('every tensor of the circuit is the executor’s', () => {
    const wires = symbolWires(prepared.symbols, (name) => /^main\.x\d+\[/.test(name))
    const latent = expandSeed(42n, model.latent.dimensions)
    const { tensors } = trace(model, latent)
    const witness = witnessOf(prepared, latent)
    let compared = 0
    for (const [name, wire] of wires) {
      const [, tensor, element] = /^main\.x(\d+)\[(\d+)\]$/.exec(name)!
      const expected = BigInt(tensors[Number(tensor)]![Number(element)]!)
      expect(witnessValue(witness, wire)).toBe((expected + SCALAR_FIELD) % SCALAR_FIELD)
      compared++
    }
    expect(compared).toBeGreaterThan(100)
  })

  describe('a lying prover', () => {
    const latent = expandSeed(5n, model.latent.dimensions)
    let witness: Witness
    let violates: (changes: ReadonlyMap<number, bigint>) => boolean
    let wires: ReadonlyMap<string, number>

    beforeAll(() => {
      const constraints = readConstraints(prepared.r1cs)
      witness = witnessOf(prepared, latent)
      wires = symbolWires(prepared.symbols, () => true)
      violates = (changes) =>
        findViolation(constraints, alterWitness(witness, changes)) !== undefined
    })

    test('the honest witness satisfies everything', () => {
      expect(violates(new Map())).toBe(false)
    })

    test('cannot change the value of any wire but the context and its square', () => {
      const constraints = readConstraints(prepared.r1cs)
      const byWire = new Map<number, number[]>()
      constraints.forEach(({ a, b, c }, i) => {
        for (const [wire] of [...a, ...b, ...c]) byWire.set(wire, [...(byWire.get(wire) ?? []), i])
      })
      // `inverse` is the one wire that may be anything, when nothing is saturated.
      const names = new Map([...wires].map(([name, wire]) => [wire, name]))
      for (let wire = 1; wire < witness.size; wire++) {
        const value = witnessValue(witness, wire)
        for (const other of [value === 0n ? 1n : 0n, (value + 1n) % SCALAR_FIELD]) {
          const values = (at: number) => (at === wire ? other : witnessValue(witness, at))
          if (other === value || !byWire.get(wire)?.every((i) => holds(constraints[i]!, values)))
            continue
          expect(names.get(wire)).toMatch(/\.inverse$/)
        }
      }
    })

    test('cannot bind the proof to another context', () => {
      const context = wires.get('main.context')!
      const square = wires.get('main.contextSquare')!
      expect(violates(new Map([[context, CONTEXT + 1n]]))).toBe(true)
      expect(violates(new Map([[context, SCALAR_FIELD - CONTEXT]]))).toBe(false)
      expect(violates(new Map([[square, 1n]]))).toBe(true)
    })

    test('cannot carry a byte of the limb over to the next', () => {
      const low = wires.get('main.latent.byte[30]')!
      const high = wires.get('main.latent.byte[29]')!
      const value = (wire: number) => witnessValue(witness, wire)
      const changes = new Map([
        [low, value(low) + 256n],
        [high, value(high) - 1n],
      ])
      expect(violates(changes)).toBe(true)
    })

    test('cannot put another pixel with another digest', () => {
      const { plan } = generateCircom(model)
      const pixel = pixelWire(plan, 0)
      const pixels = execute(model, latent)
      pixels[0]! ^= 1
      const changes = new Map([
        [pixel, BigInt(pixels[0]!)],
        [1, digestOf(model, pixels)],
      ])
      expect(violates(changes)).toBe(true)
    })
  })
})

describe('generateCircom of products of activations', () => {
  const products = productModel()
  let prepared: Prepared
  beforeAll(async () => {
    prepared = await prepare(products)
  })

  test('predicts the constraints exactly', () => {
    const { plan } = generateCircom(products)
    expect(readR1csHeader(prepared.r1cs).constraints).toBe(plan.counts.constraints)
  })

  test('the witness is the trace, and no product can be another', () => {
    const constraints = readConstraints(prepared.r1cs)
    const latent = expandSeed(3n, products.latent.dimensions)
    const witness = witnessOf(prepared, latent)
    expect(witnessValue(witness, 1)).toBe(digestOf(products, execute(products, latent)))
    expect(findViolation(constraints, witness)).toBeUndefined()
    const wires = symbolWires(prepared.symbols, (name) => /\.product\d+\[/.test(name))
    expect(wires.size).toBe(9 * 4 + 9)
    for (const wire of new Set(wires.values())) {
      const changed = alterWitness(witness, new Map([[wire, witnessValue(witness, wire) + 1n]]))
      expect(findViolation(constraints, changed)).toBeDefined()
    }
  })
})

describe('generateCircom on random models', () => {
  test.each([1, 3])('seed %i: the witness is the trace', async (seed) => {
    const random = randomModel(seed)
    const prepared = await prepare(random)
    const constraints = readConstraints(prepared.r1cs)
    for (let s = 0n; s < 12n; s++) {
      const latent = expandSeed(s, random.latent.dimensions)
      const witness = witnessOf(prepared, latent)
      expect(witnessValue(witness, 1)).toBe(digestOf(random, execute(random, latent)))
      if (s === 0n) expect(findViolation(constraints, witness)).toBeUndefined()
    }
  })

  test('refuses bounds that do not hold, as the range checks rest on them', () => {
    const nodes = model.nodes.map((node, i) =>
      node.kind === 'affine' && i === 0
        ? { ...node, accumulator: { min: node.accumulator.min, max: node.accumulator.max - 1000 } }
        : node,
    )
    expect(() => generateCircom({ ...model, nodes })).toThrow('bounds that do not hold')
  })

  test('refuses a last table with values that are no bytes', () => {
    const broken: IntegerModel = {
      ...model,
      tables: model.tables.map((table) => ({
        ...table,
        values: table.values.map((value) => value + 1),
      })),
    }
    expect(() => planCircuit(broken)).toThrow('not made of bytes')
  })
})
