import { generateImage } from '../circuits/generate-image.js'
import { pixelHashes } from '../circuits/image-hashes.js'
import { verifyBounds } from '../model-export/intervals.js'
import type { Plate } from '../model-export/plate.js'
import { PlatemarkError } from '../model-export/platemark-error.js'
import { silent } from '../model-export/progress.js'
import { findBackend } from './backends.js'
import type { Bundle } from './bundle.js'
import { checkConditions } from './check-conditions.js'
import { verifyBundle } from './provenance.js'
import { conditionsOfStatement } from './statement.js'
import { type Check, equality, type Verification, verdictOf } from './verification.js'

/**
 * Checks a bundle against a model without trusting either file: proves again that no seed can leave
 * the model's tables, regenerates the image from weights and seed, recomputes every hash, makes the
 * verifying key again where its backend can, and verifies the proof. `extra` are the checks of a token,
 * when there is one.
 */
export async function auditBundle(
  bundle: Bundle,
  bundlePath: string,
  plate: Plate,
  options: {
    readonly imagePath?: string | false
    /** As for `verifyBundle`; also to make the verifying key again. */
    readonly powers?: string
    readonly extra?: readonly Check[]
  } = {},
  progress = silent,
): Promise<Verification> {
  progress({ step: 'proving the bounds of the model again' })
  const checks: Check[] = [checkBounds(plate)]
  progress({ step: 'regenerating the image' })
  const { statement } = bundle
  const chosen = conditionsOfStatement(statement)
  const fitting = checkConditions(statement, plate)
  if (fitting?.result === 'failed') return verdictOf([...checks, fitting])
  const image = generateImage(plate.model, statement.seed, chosen)
  const hashes = pixelHashes(image)
  const { conditions } = statement
  checks.push(
    equality(
      'regenerated image',
      hashes.keccak256,
      bundle.image.keccak256,
      `seed ${statement.seed}${conditions === undefined ? ' gives' : ` and conditions ${conditions} give`} these pixels`,
    ),
    equality('regenerated digest', hashes.poseidon, bundle.image.poseidon, hashes.poseidon),
  )
  const { imagePath, powers, extra = [] } = options
  const backend = findBackend(bundle.backend)
  if (backend.remakeKey !== undefined) {
    progress({ step: 'making the verifying key again' })
    backend.verifyingKeyHash(bundle.verifyingKey)
    checks.push(await backend.remakeKey(plate, bundle.verifyingKey, powers))
  }
  progress({ step: 'verifying the proof' })
  const verified = await verifyBundle(bundle, bundlePath, {
    plate,
    ...(imagePath === undefined ? {} : { imagePath }),
    ...(powers === undefined ? {} : { powers }),
  })
  return verdictOf([...checks, ...verified.checks, ...extra])
}

function checkBounds(plate: Plate): Check {
  const name = 'model bounds'
  try {
    verifyBounds(plate.model)
    return {
      name,
      result: 'passed',
      detail: 'no seed and no condition can leave a table or overflow',
    }
  } catch (error) {
    if (!(error instanceof PlatemarkError)) throw error
    return { name, result: 'failed', detail: error.shortMessage }
  }
}
