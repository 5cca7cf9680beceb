import { expandSeed } from '../../circuits/seed-expansion.js'
import { layOutModel, type SumcheckLayout } from '../../circuits/sumcheck/layout.js'
import { layOutWitness } from '../../circuits/sumcheck/witness.js'
import { trace } from '../../model-export/execute.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { keyText, makeKey, type SumcheckKey } from './key.js'
import { sumcheckNative } from './native.js'
import { type SumcheckVerification, verifySumcheck } from './verifier/verify.js'

/** A model with a development key and one honest execution, for tests that then lie about it. */
export type TestProver = {
  readonly model: IntegerModel
  readonly layout: SumcheckLayout
  readonly key: SumcheckKey
  readonly request: Omit<SumcheckVerification, 'proof'>
  readonly activation: Int32Array
  readonly copy: Int32Array
}

const powers = new Map<number, Promise<{ readonly powers: Buffer; readonly tauG2: Buffer }>>()

function developmentPowers(columnBits: number) {
  const found = powers.get(columnBits) ?? sumcheckNative().sumcheckDevelopmentPowers(columnBits)
  powers.set(columnBits, found)
  return found
}

export async function testProver(
  model: IntegerModel,
  seed: bigint,
  columnBits?: number,
): Promise<TestProver> {
  const layout = layOutModel(model, `0x${'11'.repeat(32)}`, columnBits)
  const { powers, tauG2 } = await developmentPowers(layout.descriptor.columnBits)
  const key = await makeKey(layout, powers, tauG2)
  const latent = expandSeed(seed, model.latent.dimensions)
  const run = trace(model, latent)
  const seedBytes = new Uint8Array(32)
  seedBytes[31] = Number(seed & 255n)
  const request = {
    key,
    seed: seedBytes,
    context: new Uint8Array(32).fill(7),
    pixels: run.pixels,
    latent,
  }
  return { model, layout, key, request, ...layOutWitness(model, layout.descriptor, run) }
}

/** Proves whatever the parts say; `checked` refuses what is not satisfied. */
export async function proveWith(
  prover: TestProver,
  lies: Partial<Pick<TestProver, 'activation' | 'copy' | 'request' | 'layout' | 'key'>> & {
    readonly forgedRow?: number
  } = {},
  checked = false,
): Promise<Uint8Array> {
  const { key, request, layout, activation, copy } = { ...prover, ...lies }
  const { powers } = await developmentPowers(layout.descriptor.columnBits)
  const { proof } = await sumcheckNative().sumcheckProve({
    key: keyText(key),
    powers,
    table: layout.table,
    weight: layout.weight,
    activation,
    copy,
    seed: Buffer.from(request.seed),
    context: Buffer.from(request.context),
    pixels: Buffer.from(request.pixels),
    latent: Buffer.from(request.latent),
    checked,
    ...(lies.forgedRow === undefined ? {} : { forgedRow: lies.forgedRow }),
  })
  return new Uint8Array(proof)
}

/** The verdicts of both verifiers: undefined for valid. */
export async function verdicts(
  request: SumcheckVerification,
): Promise<{ readonly rust: string | undefined; readonly typescript: string | undefined }> {
  const rust = await sumcheckNative().sumcheckVerify({
    key: keyText(request.key),
    seed: Buffer.from(request.seed),
    context: Buffer.from(request.context),
    pixels: Buffer.from(request.pixels),
    latent: Buffer.from(request.latent),
    proof: Buffer.from(request.proof),
  })
  return { rust: rust ?? undefined, typescript: verifySumcheck(request) }
}
