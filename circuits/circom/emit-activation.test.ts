import type { Table } from '../../model-export/integer-model.js'
import { type CompiledCircom, compileCircom } from '../../prover/groth16/circom-process.js'
import { SCALAR_FIELD } from '../field.js'
import { type Constraint, findViolation, holds, readConstraints } from '../r1cs.js'
import { loadWitnessCalculator, type Witness, witnessValue } from '../witness.js'
import {
  type ActivationPlan,
  activationPlans,
  type Requantization,
  type SegmentPlan,
  type WindowPlan,
} from './activation-plan.js'
import { solutionsOf } from './count-solutions.js'
import { emitActivation, inputOffset } from './emit-activation.js'
import { symbolWires } from './symbols.js'

type Function_ = (q: number) => number

const clamp = (min: number, max: number) => (q: number) => Math.min(Math.max(q, min), max)

/** A name, the function, the accumulator's interval, multiplier and shift. */
const tables: readonly (readonly [string, Function_, number, number, number, number])[] = [
  ['relu', clamp(0, 100), -30, 40, 1, 2],
  ['relu, saturated at a power of two', clamp(0, 7), -30, 90, 1, 1],
  ['relu, saturated elsewhere', clamp(0, 10), -20, 44, 3, 2],
  ['clamp to both signs', clamp(-5, 6), -40, 40, 1, 1],
  ['clamp, far above', clamp(0, 3), -4, 300, 1, 0],
  ['clamp from above only', clamp(-1000, 4), -20, 40, 1, 1],
  ['identity', (q) => q, -17, 21, 1, 0],
  ['negated double', (q) => -2 * q, -17, 21, 1, 1],
  ['sigmoid', (q) => Math.round(15 / (1 + Math.exp(-q / 3))), -40, 44, 1, 1],
  ['sigmoid that skips values', (q) => Math.round(60 / (1 + Math.exp(-q / 2))), -30, 30, 1, 1],
  ['leaky relu', (q) => (q > 0 ? q : Math.round(q / 4)), -48, 40, 1, 1],
  ['not monotone', (q) => (q * q * 7) % 11, -12, 14, 1, 0],
  ['step', (q) => (q >= 3 ? 9 : 2), -30, 50, 1, 1],
  ['only positive accumulators', clamp(0, 9), 5, 60, 1, 1],
  ['only negative quotients', (q) => Math.round(q / 3), -70, -9, 1, 1],
  ['mostly fraction bits', (q) => q, -9, 9, 1, 2],
  ['positive, saturated at a power of two', clamp(0, 9), 4, 90, 1, 1],
]

type Case = {
  readonly label: string
  readonly plan: WindowPlan | SegmentPlan
  readonly value: Function_
  readonly min: number
  readonly max: number
}

const cases: readonly Case[] = tables.flatMap(([label, value, min, max, multiplier, shift]) => {
  const node: Requantization = {
    name: label,
    requantize: { multiplier, shift },
    accumulator: { min, max },
  }
  const half = shift > 0 ? 2 ** (shift - 1) : 0
  const quotient = (acc: number) => Math.floor((acc * multiplier + half) / 2 ** shift)
  const first = quotient(min) - 2
  const table: Table = {
    description: label,
    first,
    values: Int32Array.from({ length: quotient(max) - first + 3 }, (_, i) => value(first + i)),
  }
  return activationPlans(node, table)
    .filter((plan): plan is Exclude<ActivationPlan, { kind: 'constant' }> => 'shift' in plan)
    .map((plan) => ({
      label: `${label}: ${describePlan(plan)}`,
      plan,
      min,
      max,
      value: (acc: number) => value(quotient(acc)),
    }))
})

function describePlan(plan: WindowPlan | SegmentPlan): string {
  return plan.kind === 'window'
    ? `window ${plan.value.kind}${plan.signed ? ' signed' : ''} ${plan.saturation.kind}`
    : `segments ${plan.codeBits} + ${plan.insideBits}`
}

/** One circuit with every gadget; their constraints are apart. */
function source(): string {
  const templates = cases.flatMap(({ plan }, i) => emitActivation(plan, `Gadget${i}`))
  return [
    'pragma circom 2.0.0;',
    ...templates,
    'template Main() {',
    `  signal input u[${cases.length}];`,
    `  signal output out[${cases.length}];`,
    ...cases.flatMap((_, i) => [
      `  component g${i} = Gadget${i}();`,
      `  g${i}.u <== u[${i}];`,
      `  out[${i}] <== g${i}.out;`,
    ]),
    '}',
    'component main {public [u]} = Main();',
  ].join('\n')
}

describe('activation gadgets', () => {
  let compiled: CompiledCircom
  let constraints: readonly Constraint[]
  let wires: ReadonlyMap<string, number>
  let calculate: (acc: (testCase: Case) => number) => Witness

  beforeAll(async () => {
    compiled = await compileCircom(source())
    constraints = readConstraints(compiled.r1cs)
    wires = symbolWires(compiled.symbols, () => true)
    const calculator = await loadWitnessCalculator(compiled.wasm)
    calculate = (acc) =>
      calculator.calculate({
        u: cases.map(
          (testCase) =>
            BigInt(acc(testCase)) * BigInt(testCase.plan.multiplier) + inputOffset(testCase.plan),
        ),
      })
  }, 60_000)

  const own = (i: number): readonly Constraint[] => {
    const mine = new Set(
      [...wires].filter(([name]) => name.startsWith(`main.g${i}.`)).map(([, wire]) => wire),
    )
    return constraints.filter(({ a, b, c }) => [...a, ...b, ...c].some(([wire]) => mine.has(wire)))
  }

  test('every kind of plan occurs', () => {
    const kinds = new Set(cases.map(({ plan }) => describePlan(plan).replace(/ \d.*/, '')))
    expect([...kinds].sort()).toEqual([
      'segments',
      'window linear bits',
      'window linear compare',
      'window linear none',
      'window linear signed bits',
      'window linear signed compare',
      'window linear signed none',
      'window select bits',
      'window select none',
      'window select signed bits',
      'window select signed none',
    ])
  })

  test('the predicted constraint counts are those of circom', () => {
    cases.forEach(({ label, plan }, i) => {
      // With no bits inside a segment, a row can degenerate to the renaming of a signal.
      const spare = plan.kind === 'segments' && plan.insideBits === 0 ? 1 : 0
      const count = own(i).length
      if (count > plan.constraints || count < plan.constraints - spare)
        throw new Error(`${label}: ${count} constraints, predicted ${plan.constraints}`)
    })
  })

  test('compute the table for every accumulator of the interval', () => {
    const widest = Math.max(...cases.map(({ min, max }) => max - min))
    for (let step = 0; step <= widest; step++) {
      const acc = ({ min, max }: Case) => Math.min(min + step, max)
      const witness = calculate(acc)
      cases.forEach((testCase, i) => {
        const expected = BigInt(testCase.value(acc(testCase)))
        const out = witnessValue(witness, wires.get(`main.out[${i}]`)!)
        if (out !== (expected + SCALAR_FIELD) % SCALAR_FIELD)
          throw new Error(`${testCase.label} at ${acc(testCase)}: ${out} is not ${expected}`)
      })
      if (step % 40 === 0) expect(findViolation(constraints, witness)).toBeUndefined()
    }
  })

  test('leave a lying prover no other output and no other bits', () => {
    cases.forEach(({ label, plan, min, max, value }, i) => {
      const mine = own(i)
      const u = wires.get(`main.u[${i}]`)!
      const out = wires.get(`main.out[${i}]`)!
      for (let acc = min; acc <= max; acc += 1 + Math.floor(Math.abs(acc) / 9)) {
        const given = BigInt(acc) * BigInt(plan.multiplier) + inputOffset(plan)
        const solutions = solutionsOf(mine, new Map([[u, given]]), out)
        const expected = (BigInt(value(acc)) + SCALAR_FIELD) % SCALAR_FIELD
        if (solutions.length !== 1 || solutions[0] !== expected)
          throw new Error(`${label} at ${acc}: outputs ${solutions}, expected ${expected}`)
      }
    })
  })

  test('have at most one solution outside the interval, where no accumulator is', () => {
    cases.forEach(({ label, plan }, i) => {
      const u = wires.get(`main.u[${i}]`)!
      const out = wires.get(`main.out[${i}]`)!
      const width = 2n ** BigInt(plan.kind === 'window' ? plan.bits : plan.shift + plan.codeBits)
      for (const given of [-1n, -width, 4n * width, SCALAR_FIELD / 2n, SCALAR_FIELD - width]) {
        const value = (given + SCALAR_FIELD) % SCALAR_FIELD
        const solutions = solutionsOf(own(i), new Map([[u, value]]), out)
        if (solutions.length > 1) throw new Error(`${label} at ${given}: outputs ${solutions}`)
      }
    })
  })

  test('fail when any single wire of a gadget is altered', () => {
    const witness = calculate(({ min, max }) => min + Math.floor(0.6 * (max - min)))
    const inputs = new Set([...wires].filter(([n]) => n.startsWith('main.u[')).map(([, w]) => w))
    const byWire = new Map<number, Constraint[]>()
    for (const constraint of constraints)
      for (const [wire] of [...constraint.a, ...constraint.b, ...constraint.c])
        byWire.set(wire, [...(byWire.get(wire) ?? []), constraint])
    const named = [...wires].filter(([name]) => !name.includes('.inverse'))
    for (const [name, wire] of named) {
      if (inputs.has(wire)) continue
      const value = witnessValue(witness, wire)
      const other = value === 0n ? 1n : value === 1n ? 0n : value + 1n
      const values = (at: number) => (at === wire ? other : witnessValue(witness, at))
      if (byWire.get(wire)?.every((constraint) => holds(constraint, values)) ?? true)
        throw new Error(`${name}: ${value} can be ${other}`)
    }
  })
})
