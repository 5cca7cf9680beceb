import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import {
  listFoldedOperators,
  listSupportedOperators,
} from '../../model-export/lowering/operators.js'
import { fetchVectors } from './fetch-vectors.js'
import { NotAVector, readVector } from './read-vector.js'
import { type Outcome, runVector } from './run-vector.js'

/*
 * Runs the ONNX project's own operator tests on every operator that we claim:
 *
 *     npm run onnx-vectors                    of the pinned PyPI package, kept in node_modules/.cache
 *     npm run onnx-vectors -- folder          of another onnx/backend/test/data/node
 *     npm run onnx-vectors -- --integers      also quantizes what passes and prints how close it is
 *     npm run onnx-vectors -- --only softmax  those whose name begins so, with the reason of each
 *
 * Each vector is lowered with each of its real inputs as the latent, with all of them, and with none. Its
 * model must give the vector's output or be refused with an error of ours. Exit code 1 where one does not.
 */

const args = process.argv.slice(2)
const only = args.includes('--only') ? (args[args.indexOf('--only') + 1] ?? '') : undefined
const given = args.find((arg, i) => !arg.startsWith('--') && args[i - 1] !== '--only')
const fetched = given === undefined ? fetchVectors() : { folder: given }
if ('missing' in fetched) {
  process.stdout.write(`ONNX operator vectors: skipped, ${fetched.missing}\n`)
  process.exit(0)
}

/** Where onnxruntime and the reference differ: we compare with onnxruntime and give what it gives. */
const AS_ONNXRUNTIME: Readonly<Record<string, string>> = {
  resize_downsample_scales_cubic_align_corners: 'corners of the whole number of pixels',
  resize_downsample_scales_linear_align_corners: 'corners of the whole number of pixels',
  qlinearmatmul_2D_int8_float16: 'it saturates where the reference wraps',
  qlinearmatmul_2D_int8_float32: 'it saturates where the reference wraps',
  qlinearmatmul_3D_int8_float16: 'it saturates where the reference wraps',
  qlinearmatmul_3D_int8_float32: 'it saturates where the reference wraps',
}

const claimed = new Set([...listSupportedOperators(), ...listFoldedOperators()])
const classes = new Map<string, string[]>()
let ways = 0
const coarse: string[] = []
for (const entry of readdirSync(fetched.folder).sort()) {
  const name = entry.replace(/^test_/, '')
  if (only !== undefined && !name.startsWith(only)) continue
  const outcome = await take(join(fetched.folder, entry))
  const label =
    outcome.kind === 'passed' || outcome.kind === 'folded'
      ? outcome.kind
      : `${outcome.kind}: ${outcome.reason}`
  classes.set(label, [...(classes.get(label) ?? []), name])
  if (outcome.kind === 'passed') ways += outcome.ways
  if (outcome.kind === 'passed' && outcome.psnr !== undefined && outcome.psnr < 40)
    coarse.push(`${name} ${outcome.psnr.toFixed(1)} dB`)
  if (only !== undefined) process.stdout.write(`${name}: ${label}\n`)
}
report()

async function take(folder: string): Promise<Outcome | { kind: 'skipped'; reason: string }> {
  const other = AS_ONNXRUNTIME[basename(folder).replace(/^test_/, '')]
  if (other !== undefined)
    return { kind: 'skipped', reason: `onnxruntime differs from the reference: ${other}` }
  try {
    const vector = readVector(folder)
    const unclaimed = (vector.model.graph?.node ?? []).find(
      ({ opType, domain }) => (domain ?? '') !== '' || !claimed.has(opType ?? ''),
    )
    if (unclaimed !== undefined)
      return { kind: 'skipped', reason: 'an operator that we do not claim' }
    return await runVector(vector, args.includes('--integers'))
  } catch (error) {
    if (error instanceof NotAVector) return { kind: 'skipped', reason: error.message }
    throw error
  }
}

function report(): void {
  const labels = [...classes.keys()].sort()
  const total = (start: string) =>
    labels.filter((label) => label.startsWith(start)).flatMap((label) => classes.get(label)!)
  for (const label of labels.filter((it) => it.includes(': '))) {
    const names = classes.get(label)!
    const shown = label.startsWith('skipped') ? [] : names.slice(0, 4)
    const rest = names.length > shown.length && shown.length > 0 ? ', …' : ''
    process.stdout.write(
      `${names.length} ${label}${shown.length > 0 ? ` (${shown.join(', ')}${rest})` : ''}\n`,
    )
  }
  if (coarse.length > 0) process.stdout.write(`below 40 dB in integers: ${coarse.join(', ')}\n`)
  const [passed, folded, refused, skipped, failed] = [
    'passed',
    'folded',
    'refused',
    'skipped',
    'failed',
  ].map((kind) => total(kind).length)
  process.stdout.write(
    `ONNX operator vectors: ${passed} passed with the latent in ${ways} ways, ${folded} with constants only, ${refused} refused with a reason, ${skipped} skipped; ${failed} failed\n`,
  )
  process.exitCode = failed === 0 ? 0 : 1
}
