import type { Condition, IntegerModel } from '../model-export/integer-model.js'
import type { Statement } from '../prover/statement.js'
import { namedConditions } from './condition-options.js'

/** What a model takes besides a seed, for a person. */
export function conditionRows(model: IntegerModel): readonly (readonly [string, string])[] {
  return namedConditions(model).map(({ name, condition }) => [
    'condition',
    `${name}: ${describe(condition)}`,
  ])
}

function describe(condition: Condition): string {
  if (condition.kind === 'label') return `a class from 0 to ${condition.classes - 1}`
  const { dimensions, table, scale } = condition
  return `${dimensions} numbers from ${table[0]! * scale} to ${table[255]! * scale}`
}

/** What a statement says was chosen besides the seed. */
export function statementRows({
  conditions,
}: Pick<Statement, 'conditions'>): readonly (readonly [string, string])[] {
  return conditions === undefined ? [] : [['conditions', conditions]]
}

/** The same as members of a JSON result: none where there are no conditions. */
export function conditionsJson(model: IntegerModel): { readonly conditions?: readonly unknown[] } {
  const conditions = namedConditions(model).map(({ name, condition }) =>
    condition.kind === 'label'
      ? { name, kind: condition.kind, classes: condition.classes }
      : { name, kind: condition.kind, dimensions: condition.dimensions },
  )
  return conditions.length === 0 ? {} : { conditions }
}
