import { MOST_CLASSES } from './conditions.js'
import type { Condition, Latent } from './integer-model.js'
import type { Field } from './json-fields.js'

const MOST_CONDITIONS = 16

/** The latent of `model.json`. */
export function parseLatent(field: Field): Latent {
  field.only('dimensions', 'distribution', 'table', 'scale')
  return {
    dimensions: field.get('dimensions').integer(1, 2 ** 20),
    distribution: field.get('distribution').oneOf('normal', 'uniform'),
    table: parseByteTable(field.get('table')),
    scale: parseScale(field.get('scale')),
  }
}

/** What the 256 bytes of a latent or vector stand for. */
function parseByteTable(field: Field): readonly number[] {
  const table = field.items().map((entry) => entry.integer(-(2 ** 24), 2 ** 24))
  const ordered = table.every((value, i) => i === 0 || value >= table[i - 1]!)
  return table.length === 256 && ordered ? table : field.fail('256 non-decreasing integers')
}

/** The conditions of `model.json`: a list that is there has something in it. */
export function parseConditions(field: Field): readonly Condition[] {
  const conditions = field.items().map((item): Condition => {
    const kind = item.get('kind').oneOf('label', 'vector')
    if (kind === 'label') {
      item.only('kind', 'classes')
      return { kind, classes: item.get('classes').integer(2, MOST_CLASSES) }
    }
    item.only('kind', 'dimensions', 'table', 'scale')
    return {
      kind,
      dimensions: item.get('dimensions').integer(1, 2 ** 16),
      table: parseByteTable(item.get('table')),
      scale: parseScale(item.get('scale')),
    }
  })
  if (conditions.length === 0 || conditions.length > MOST_CONDITIONS)
    field.fail(`1 to ${MOST_CONDITIONS} conditions; no list where there are none`)
  return conditions
}

/** A positive real number. */
export function parseScale(field: Field): number {
  const scale = field.number()
  return scale > 0 ? scale : field.fail('a positive number')
}
