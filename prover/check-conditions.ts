import { bytesToHex } from 'viem'
import { conditionsOf, splitConditions } from '../model-export/conditions.js'
import type { Plate } from '../model-export/plate.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { conditionsOfStatement, type Statement } from './statement.js'
import type { Check } from './verification.js'

/**
 * What a statement says was chosen besides the seed, and, with a model, whether that is a choice it has.
 * Nothing where there is none on either side.
 */
export function checkConditions(statement: Statement, plate?: Plate): Check | undefined {
  const chosen = conditionsOfStatement(statement)
  const name = 'conditions'
  const { model } = plate ?? {}
  const conditions = model === undefined ? [] : conditionsOf(model)
  if (conditions.length === 0 && chosen.length === 0) return undefined
  if (model === undefined)
    return { name, result: 'passed', detail: `${bytesToHex(chosen)}, as the statement says` }
  try {
    const found = splitConditions(conditions, chosen).map((value, i) => {
      const what = model.tensors[i + 1]!.name
      return value.kind === 'label'
        ? `${what} is class ${value.label}`
        : `${what} is ${bytesToHex(value.bytes)}`
    })
    return { name, result: 'passed', detail: found.join(', ') }
  } catch (error) {
    if (!(error instanceof PlatemarkError)) throw error
    return { name, result: 'failed', detail: error.shortMessage }
  }
}
