import { type Command, Option } from 'commander'
import { type ConditionValue, conditionsOf, joinConditions } from '../model-export/conditions.js'
import type { Condition, IntegerModel } from '../model-export/integer-model.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { isNumberFile, parseNumbers, readNumbers } from './number-list.js'

/** What a user chose besides the seed. */
export type ConditionOptions = {
  readonly label?: number
  /** By name of the input. */
  readonly condition?: ReadonlyMap<string, string>
}

/** Adds `--label` and `--condition`. */
export function withConditionOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--label <class>', 'class, for a model that takes one').argParser(parseLabel),
    )
    .addOption(
      new Option(
        '--condition <name=value>',
        'what an input of the model is to be: a class, numbers (also @file.json, @file.npy), or the bytes themselves as 0x…; once an input',
      ).argParser(addCondition),
    )
}

function parseLabel(text: string): number {
  if (/^(0|[1-9]\d{0,4})$/.test(text)) return Number(text)
  throw new PlatemarkError('The label is not one.', {
    expected: 'the number of a class, from 0',
    found: JSON.stringify(text.slice(0, 40)),
  })
}

function addCondition(
  text: string,
  before?: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new PlatemarkError('A condition is not one.', {
      expected: 'name=value, for example label=3 or style=@style.json',
      found: JSON.stringify(text.slice(0, 60)),
    })
  if (before?.has(name))
    throw new PlatemarkError('A condition is named twice.', { found: `--condition ${name}=…` })
  return new Map([...(before ?? []), [name, value]])
}

/** The conditions of a model with the names of the inputs that they came from. */
export function namedConditions(
  model: IntegerModel,
): readonly { readonly name: string; readonly condition: Condition }[] {
  return conditionsOf(model).map((condition, i) => ({
    name: model.tensors[i + 1]!.name,
    condition,
  }))
}

/**
 * The conditions that the options say, one for each that the model takes.
 *
 * @throws {PlatemarkError} listing what the model takes, where something is missing or too much.
 */
export function chooseConditions(
  model: IntegerModel,
  { label, condition: given = new Map() }: ConditionOptions,
): Uint8Array {
  const wanted = namedConditions(model)
  const labels = wanted.filter(({ condition }) => condition.kind === 'label')
  const chosen = new Map(given)
  const [only, ...more] = labels
  const fix =
    wanted.length === 0
      ? 'Leave --label and --condition away: this model takes a seed only.'
      : `Give ${wanted.map(({ name, condition }) => describeOption(name, condition)).join(' ')}`
  if (label !== undefined) {
    if (only === undefined || more.length > 0)
      throw new PlatemarkError('--label is for models with one label.', {
        found: `${labels.length} labels`,
        fix,
      })
    if (chosen.has(only.name))
      throw new PlatemarkError('The label is given twice.', {
        found: `--label and --condition ${only.name}=…`,
      })
    chosen.set(only.name, String(label))
  }
  const unknown = [...chosen.keys()].filter((name) => !wanted.some((it) => it.name === name))
  const missing = wanted.filter(({ name }) => !chosen.has(name)).map(({ name }) => name)
  if (unknown.length > 0 || missing.length > 0)
    throw new PlatemarkError('The conditions are not those that the model takes.', {
      expected: wanted.map(({ name }) => `"${name}"`).join(', ') || 'none',
      found: [
        ...unknown.map((name) => `"${name}", which it does not take`),
        ...missing.map((name) => `nothing for "${name}"`),
      ].join(', '),
      fix,
    })
  return joinConditions(
    wanted.map(({ name, condition }) => parseCondition(name, condition, chosen.get(name)!)),
  )
}

function describeOption(name: string, condition: Condition): string {
  return condition.kind === 'label'
    ? `--condition ${name}=<0…${condition.classes - 1}>`
    : `--condition ${name}=<${condition.dimensions} numbers, or @file>`
}

function parseCondition(name: string, condition: Condition, text: string): ConditionValue {
  const wrong = (expected: string, found: string) =>
    new PlatemarkError(`The condition "${name}" does not fit the model.`, { expected, found })
  if (condition.kind === 'label') {
    if (!/^(0|[1-9]\d{0,4})$/.test(text) || Number(text) >= condition.classes)
      throw wrong(`a class from 0 to ${condition.classes - 1}`, JSON.stringify(text.slice(0, 40)))
    return { kind: 'label', label: Number(text) }
  }
  const { dimensions } = condition
  if (/^0x/.test(text)) {
    if (!/^0x([0-9a-f]{2})*$/i.test(text) || text.length !== 2 + 2 * dimensions)
      throw wrong(`${dimensions} bytes in hex`, JSON.stringify(text.slice(0, 40)))
    return { kind: 'vector', bytes: new Uint8Array(Buffer.from(text.slice(2), 'hex')) }
  }
  const numbers = isNumberFile(text) ? readNumbers(text) : (parseNumbers(text) ?? [])
  if (numbers.length !== dimensions)
    throw wrong(
      `${dimensions} numbers`,
      `${numbers.length} in ${JSON.stringify(text.slice(0, 40))}`,
    )
  return { kind: 'vector', bytes: Uint8Array.from(numbers, (x) => nearest(name, condition, x)) }
}

/** The byte whose value is next to a number. */
function nearest(
  name: string,
  { table, scale }: Extract<Condition, { kind: 'vector' }>,
  x: number,
): number {
  const values = table.map((value) => value * scale)
  const [low, high] = [values[0]!, values[255]!]
  const slack = (high - low) / 128
  if (!(x >= low - slack && x <= high + slack))
    throw new PlatemarkError(`The condition "${name}" is out of range.`, {
      expected: `numbers from ${low} to ${high}`,
      found: String(x),
      fix: 'Choose others, or compile the model with a wider range: --input name=vector:low,high.',
    })
  let best = 0
  values.forEach((value, byte) => {
    if (Math.abs(value - x) < Math.abs(values[best]! - x)) best = byte
  })
  return best
}
