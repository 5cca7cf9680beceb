import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { encodeFunctionData, parseAbi } from 'viem'
import { expandSeed } from '../../circuits/seed-expansion.js'
import { quantizeOnnx } from '../../model-export/compile-model.js'
import { silent } from '../../model-export/progress.js'
import { type EzklCall, runEzkl } from '../../prover/ezkl/ezkl-process.js'
import { writeHalo2Srs } from '../../prover/ezkl/halo2-srs.js'
import { readHalo2Verifier } from '../../prover/ezkl/halo2-verifier.js'
import { developmentPowersOfTau } from '../../prover/native.js'
import { compileSolidity } from '../../verifier-contracts/compile-solidity.js'
import { transactionCost } from './chain-cost.js'
import {
  cpuSeconds,
  cpuSince,
  firstLine,
  type Report,
  refuseHopeless,
  round,
  type Settings,
  seconds,
} from './measure.js'

/*
 * ezkl as its own documentation uses it: the float ONNX, its calibration (with the one latent that is proven),
 * its defaults, inputs and outputs public. Its public outputs are fixed-point numbers, not pixels, and nothing says where the
 * latent came from.
 */

const verifyProofAbi = parseAbi([
  'function verifyProof(bytes proof, uint256[] instances) returns (bool)',
])

/** One model through ezkl's own pipeline. */
export async function measureEzklOwn(
  onnx: Uint8Array,
  name: string,
  settings: Settings,
  report: Report,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'platemark-peers-'))
  const remove = () => rm(directory, { recursive: true, force: true })
  try {
    await measure(onnx, name, (file) => join(directory, file), settings, report)
  } finally {
    await remove()
  }
}

async function measure(
  onnx: Uint8Array,
  name: string,
  file: (name: string) => string,
  { limits, chain, attempt }: Settings,
  report: Report,
): Promise<void> {
  report('compile', { profile: 'own' })
  const model = file('model.onnx')
  await writeFile(model, onnx)
  const latent = sampleLatent(onnx, name)
  await writeFile(file('input.json'), JSON.stringify({ input_data: [latent] }))
  const variables = symbolicSizes(onnx)
  const py_run_args = { ...RUN_ARGUMENTS, ...(variables.length === 0 ? {} : { variables }) }
  const settings = file('settings.json')
  const compileSeconds = await seconds(() =>
    calls([
      ['gen_settings', { model, output: settings, py_run_args }],
      ['calibrate_settings', { data: file('input.json'), model, settings, max_logrows: 26 }],
      ['compile_circuit', { model, compiled_circuit: file('circuit'), settings_path: settings }],
    ]),
  )
  report('compile', { compileSeconds })
  const { run_args } = JSON.parse(await readFile(settings, 'utf8'))
  if (!attempt) refuseHopeless(expectedSetup(run_args.logrows), limits)
  report('setup', {})
  const srs = file('powers.srs')
  const keys = { model: file('circuit'), pk_path: file('pk'), srs_path: srs }
  const beforeSetup = cpuSeconds()
  const setupSeconds = await seconds(async () => {
    await developmentPowersOfTau(file('powers.ptau'), run_args.logrows, silent)
    await writeHalo2Srs(file('powers.ptau'), run_args.logrows, srs)
    await calls([['setup', { ...keys, vk_path: file('vk') }]])
  })
  const provingKeyBytes = (await stat(file('pk'))).size + (await stat(srs)).size
  report('prove', { setupSeconds, setupCpuSeconds: cpuSince(beforeSetup), provingKeyBytes })
  const proof = file('proof.json')
  const witness = file('witness.json')
  const before = cpuSeconds()
  const proveSeconds = await seconds(() =>
    calls([
      ['gen_witness', { data: file('input.json'), model: file('circuit'), output: witness }],
      ['prove', { ...keys, witness, proof_path: proof }],
    ]),
  )
  const { hex_proof, instances } = JSON.parse(await readFile(proof, 'utf8'))
  const proveCpuSeconds = cpuSince(before)
  report('prove', { proveSeconds, proveCpuSeconds, proofBytes: hex_proof.length / 2 - 1 })
  const verifySeconds = await seconds(() =>
    calls([
      [
        'verify',
        { proof_path: proof, settings_path: settings, vk_path: file('vk'), srs_path: srs },
      ],
    ]),
  )
  const psnr = await fidelity(onnx, latent, JSON.parse(await readFile(witness, 'utf8')))
  report('prove', { verifySeconds, psnr })
  if (!chain) return
  report('chain', {})
  try {
    const { source } = await readHalo2Verifier({ verifyingKey: file('vk'), settings, srs })
    const contract = await compileSolidity([{ path: 'Halo2Verifier.sol', source }], {
      viaIR: false,
    })
    const values = (instances[0] as readonly string[]).map((hex) =>
      BigInt(`0x${Buffer.from(hex, 'hex').reverse().toString('hex')}`),
    )
    const args = [hex_proof, values] as const
    const data = encodeFunctionData({ abi: verifyProofAbi, functionName: 'verifyProof', args })
    report('chain', await transactionCost(contract, data))
  } catch (error) {
    report('chain', { chain: firstLine(error) })
  }
}

const RUN_ARGUMENTS = {
  input_visibility: 'public',
  output_visibility: 'public',
  param_visibility: 'fixed',
}

/** What `tiny` took with its 2^14 rows; all of it grows with the rows. */
const MEASURED = { rowBits: 14, setupSeconds: 5, peakMemoryBytes: 0.4e9 }

function expectedSetup(rowBits: number) {
  const scale = 2 ** (rowBits - MEASURED.rowBits)
  return {
    setupSeconds: MEASURED.setupSeconds * scale,
    peakMemoryBytes: MEASURED.peakMemoryBytes * scale,
  }
}

function calls(list: readonly (readonly [EzklCall['name'], EzklCall['arguments']])[]) {
  return runEzkl(list.map(([name, arguments_]) => ({ name, arguments: arguments_ })))
}

/** The latent of seed 0, real values as the model takes them. */
function sampleLatent(onnx: Uint8Array, name: string): readonly number[] {
  const options = { profile: 'fidelity', latent: 'normal', toolVersion: 'bench' } as const
  const { latent } = quantizeOnnx(onnx, name, options, silent)
  return [...expandSeed(0n, latent.dimensions)].map((byte) => latent.table[byte]! * latent.scale)
}

/** Names of the inputs' symbolic sizes, the batch above all, each 1: ezkl wants them said. */
function symbolicSizes(onnx: Uint8Array): readonly (readonly [string, number])[] {
  const { graph } = onnxProto.onnx.ModelProto.decode(onnx)
  const names = (graph?.input ?? []).flatMap(({ type }) =>
    (type?.tensorType?.shape?.dim ?? []).flatMap(({ dimParam }) => dimParam || []),
  )
  return [...new Set(names)].map((name) => [name, 1] as const)
}

/** Peak signal-to-noise ratio of ezkl's outputs to onnxruntime's, both over the range of the latter. */
async function fidelity(
  onnx: Uint8Array,
  latent: readonly number[],
  witness: { readonly pretty_elements: { readonly rescaled_outputs: readonly string[][] } },
): Promise<number> {
  const session = await InferenceSession.create(onnx)
  const input = session.inputNames[0]!
  const dims = [1, latent.length]
  const shape = (await inputShape(session)) ?? dims
  const outputs = await session.run({ [input]: new Tensor('float32', latent, shape) })
  const expected = outputs[session.outputNames[0]!]!.data as Float32Array
  const found = witness.pretty_elements.rescaled_outputs[0]!.map(Number)
  const range = expected.some((value) => value < -0.01) ? 2 : 1
  const error = expected.reduce((sum, value, i) => sum + (value - found[i]!) ** 2, 0)
  return round(10 * Math.log10(range ** 2 / (error / expected.length)))
}

/** Shape of the only input, symbolic sizes taken as 1. */
async function inputShape(session: InferenceSession): Promise<number[] | undefined> {
  const [metadata] = session.inputMetadata
  if (metadata === undefined || !metadata.isTensor) return undefined
  return metadata.shape.map((size) => (typeof size === 'number' && size > 0 ? size : 1))
}
