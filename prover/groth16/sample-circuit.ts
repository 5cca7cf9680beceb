import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeWtns, loadWitnessCalculator } from '../../circuits/witness.js'
import { compileCircom } from './circom-process.js'
import type { Groth16Proof } from './encoding.js'
import { plateFiles } from './plate-files.js'
import { parseSnarkjsProof } from './snarkjs-files.js'
import { runSnarkjs } from './snarkjs-process.js'

/*
 * For tests: a circuit that compiles in a second, in a folder laid out like a plate. `context` is a
 * public input that no constraint mentions, as in the circuits of models.
 */
const SOURCE = `pragma circom 2.1.0;
template Sample() {
  signal input secret[3];
  signal input context;
  signal output digest;
  signal squares[3];
  for (var i = 0; i < 3; i++) squares[i] <== (secret[i] + 2 * secret[(i + 1) % 3]) * secret[i];
  digest <== (squares[0] + squares[1] + 7) * squares[2];
}
component main { public [context] } = Sample();
`

export type SamplePlate = { readonly directory: string; readonly remove: () => Promise<void> }

/** A folder with the sample's circuit files, and no keys. */
export async function makeSamplePlate(): Promise<SamplePlate> {
  const directory = await mkdtemp(join(tmpdir(), 'platemark-sample-'))
  const files = plateFiles({ directory })
  await mkdir(files.directory)
  const { r1cs, wasm } = await compileCircom(SOURCE)
  await writeFile(files.source, SOURCE)
  await writeFile(files.r1cs, r1cs)
  await writeFile(files.wasm, wasm)
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) }
}

/** Proves with the plate's key, by snarkjs. Signals: [digest, context]. */
export async function proveSample(
  plate: SamplePlate,
  context: bigint,
): Promise<{ readonly signals: readonly bigint[]; readonly proof: Groth16Proof }> {
  const files = plateFiles(plate)
  const calculator = await loadWitnessCalculator(await readFile(files.wasm))
  const witness = calculator.calculate({ secret: [3n, 4n, 5n], context: [context] })
  const [wtns, proof, signals] = ['sample.wtns', 'sample-proof.json', 'sample-public.json'].map(
    (name) => join(plate.directory, name),
  ) as [string, string, string]
  await writeFile(wtns, encodeWtns(witness))
  await runSnarkjs(['groth16', 'prove', files.provingKey, wtns, proof, signals])
  return {
    signals: (JSON.parse(await readFile(signals, 'utf8')) as string[]).map(BigInt),
    proof: parseSnarkjsProof(JSON.parse(await readFile(proof, 'utf8'))),
  }
}
