import {
  type LayoutOptions,
  layOutModel,
  type SumcheckLayout,
} from '../../circuits/sumcheck/layout.js'
import { type Field, readJsonFile } from '../../model-export/json-fields.js'
import type { Plate } from '../../model-export/plate.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import { keyText } from './key.js'
import { plateFiles, requireFile } from './plate-files.js'

/**
 * Lays a compiled model out as `compile` did. The file says how the image is bound and how long the
 * columns are; everything else in it is compared with what follows from the model.
 *
 * @throws {PlatemarkError} when there is no layout, or it is not that of the model.
 */
export async function readLayout(plate: Plate): Promise<SumcheckLayout> {
  const { file, options } = await readLayoutFile(plate)
  const made = layOutModel(plate.model, plate.modelId, options)
  if (keyText(file.value) !== keyText(made.descriptor))
    throw new PlatemarkError('The layout is not that of the model.', {
      found: `another one in ${plateFiles(plate).layout}`,
      fix: 'Run platemark compile again.',
    })
  return made
}

/** The file with what a user may have decided about it. */
export async function readLayoutFile(
  plate: Pick<Plate, 'directory'>,
): Promise<{ readonly file: Field; readonly options: Required<LayoutOptions> }> {
  const { layout } = plateFiles(plate)
  requireFile(layout, 'layout', 'Run platemark compile with --backend sumcheck.')
  const file = await readJsonFile(layout, 'layout')
  if (file.get('version').value !== 2)
    throw new PlatemarkError('The model was compiled by another version.', {
      expected: 'a layout of version 2',
      found: String(file.get('version').value).slice(0, 40),
      fix: 'Run platemark compile again.',
    })
  const imageBinding = file.get('image').get('binding').oneOf('pixels', 'commitment')
  return { file, options: { imageBinding, columnBits: file.get('columnBits').integer(2, 28) } }
}
