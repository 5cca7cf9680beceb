import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeGenerator, STAGES } from './make-generator.js'

/*
 * What a card gives, in one run:
 *
 *     npm run bench:card [-- card number] [greatest power of two] [folder] [model.onnx …]
 *
 * First every kernel against the card's floors and the CPU (prover/native/examples/card_bench.rs), then whole
 * proofs on both: of the models, by default the landscapes fixture (64 × 64 × 3) and a random generator of
 * 256 × 256 × 3. Compiled models stay in the folder, `bench-card` by default, for the next run.
 */

const root = fileURLToPath(new URL('../..', import.meta.url))
const command = join(root, 'dist/cli/main.js')
const [card = '0', bits = '24', folder = 'bench-card', ...given] = process.argv.slice(2)
/** From here on kernels are measured, unless fewer are asked for. */
const LEAST_BITS = 16

type Proved = {
  readonly seconds: number
  readonly peakMemoryBytes: number
  readonly device: string
  readonly phases: readonly { readonly name: string; readonly seconds: number }[]
  readonly notes: readonly string[]
}

function platemark(...words: readonly string[]): string {
  return execFileSync(process.execPath, [command, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  })
}

function prove(plate: string, device: string): void {
  // The second proof: the first one may have had the kernels translated.
  let proved: Proved | undefined
  for (const seed of ['1', '2']) {
    const output = join(folder, `${device.replace(':', '-')}.provenance.json`)
    const text = platemark(
      'prove',
      plate,
      '--seed',
      seed,
      '--device',
      device,
      '-o',
      output,
      '--json',
    )
    proved = JSON.parse(text) as Proved
  }
  const { seconds, peakMemoryBytes, phases, notes, device: name } = proved!
  const memory = (peakMemoryBytes / 1e9).toFixed(2)
  console.log(`${plate} on ${name}: ${seconds.toFixed(2)} s, ${memory} GB of host memory`)
  console.log(`  ${phases.map((p) => `${p.name} ${p.seconds.toFixed(3)}`).join(', ')}`)
  for (const note of notes) console.log(`  ${note}`)
}

mkdirSync(folder, { recursive: true })
const kernels = spawnSync(
  'cargo',
  [
    ...['run', '--release', '--quiet', '--example', 'card_bench', '--', card, bits],
    String(Math.min(Number(bits), LEAST_BITS)),
  ],
  { cwd: join(root, 'prover/native'), stdio: 'inherit' },
)
if (kernels.status !== 0) process.exit(kernels.status ?? 1)

for (const model of given.length > 0 ? given : usualModels()) {
  const plate = join(folder, `${basename(model, '.onnx')}.plate`)
  if (!existsSync(plate)) {
    platemark('compile', model, '-o', plate)
    platemark('setup', plate, '--dev')
  }
  prove(plate, 'cpu')
  prove(plate, `cuda:${card}`)
}

function usualModels(): readonly string[] {
  const generator = join(folder, 'generator.onnx')
  if (!existsSync(generator)) writeFileSync(generator, makeGenerator(256, STAGES))
  return [join(root, 'fixtures/landscapes/landscapes.onnx'), generator]
}
