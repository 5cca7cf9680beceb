import { hexToBytes } from 'viem'
import { expandSeed } from '../../circuits/seed-expansion.js'
import {
  type LayoutOptions,
  layOutModel,
  type SumcheckLayout,
} from '../../circuits/sumcheck/layout.js'
import { layOutWitness } from '../../circuits/sumcheck/witness.js'
import { NO_CONDITIONS } from '../../model-export/conditions.js'
import { trace } from '../../model-export/execute.js'
import type { IntegerModel } from '../../model-export/integer-model.js'
import { imageHash } from './image-hash.js'
import { keyText, makeKey, type SumcheckKey } from './key.js'
import { type NativePowers, sumcheckNative } from './native.js'
import { seedBytes } from './prove.js'
import { type SumcheckVerification, verifySumcheck } from './verifier/verify.js'

/** A model with a development key and one honest execution, for tests that then lie about it. */
export type TestProver = {
  readonly model: IntegerModel
  readonly layout: SumcheckLayout
  readonly key: SumcheckKey
  readonly seed: Uint8Array
  readonly context: Uint8Array
  readonly latent: Uint8Array
  /** Empty for a model without any. */
  readonly conditions: Uint8Array
  readonly pixels: Uint8Array
  /** All columns of the first group. */
  readonly first: Int32Array
}

/** What a prover may lie about. */
export type Lies = Partial<Omit<TestProver, 'model'>> & {
  /** A row of the table region that is counted once too often. */
  readonly forgedRow?: number
  /** Which value of the opening is false. */
  readonly forgedValue?: number
}

const powers = new Map<number, Promise<NativePowers>>()

function developmentPowers(columnBits: number): Promise<NativePowers> {
  const found = powers.get(columnBits) ?? sumcheckNative().sumcheckDevelopmentPowers(columnBits)
  powers.set(columnBits, found)
  return found
}

export async function testProver(
  model: IntegerModel,
  seed: bigint,
  options: LayoutOptions = {},
  conditions: Uint8Array = NO_CONDITIONS,
): Promise<TestProver> {
  const layout = layOutModel(model, `0x${'11'.repeat(32)}`, options)
  const { powers, tauG2 } = await developmentPowers(layout.descriptor.columnBits)
  const key = await makeKey(layout, powers, tauG2)
  const latent = expandSeed(seed, model.latent.dimensions)
  const run = trace(model, latent, conditions)
  return {
    model,
    layout,
    key,
    seed: seedBytes(seed),
    context: new Uint8Array(32).fill(7),
    latent,
    conditions,
    pixels: run.pixels,
    first: layOutWitness(model, layout.descriptor, run),
  }
}

/** Proves whatever the parts say; `checked` refuses what is not satisfied. */
export async function proveWith(
  prover: TestProver,
  lies: Lies = {},
  checked = false,
): Promise<Uint8Array> {
  const { key, layout, first, seed, context, pixels, latent, conditions } = {
    ...prover,
    ...lies,
  }
  const { powers } = await developmentPowers(layout.descriptor.columnBits)
  const { proof } = await sumcheckNative().sumcheckProve({
    key: keyText(key),
    powers,
    keyCells: layout.keyCells,
    first,
    seed: Buffer.from(seed),
    context: Buffer.from(context),
    pixels: Buffer.from(pixels),
    latent: Buffer.from(latent),
    conditions: Buffer.from(conditions),
    checked,
    ...(lies.forgedRow === undefined ? {} : { forgedRow: lies.forgedRow }),
    ...(lies.forgedValue === undefined ? {} : { forgedValue: lies.forgedValue }),
  })
  return new Uint8Array(proof)
}

/** A checked proof of what the native executor computes, and its pixels. */
export async function proveNatively({
  key,
  layout,
  seed,
  context,
  latent,
  conditions,
}: TestProver): Promise<{ readonly proof: Uint8Array; readonly pixels: Uint8Array }> {
  const { powers } = await developmentPowers(layout.descriptor.columnBits)
  const { proof, pixels } = await sumcheckNative().sumcheckProve({
    key: keyText(key),
    powers,
    keyCells: layout.keyCells,
    seed: Buffer.from(seed),
    context: Buffer.from(context),
    latent: Buffer.from(latent),
    conditions: Buffer.from(conditions),
    checked: true,
  })
  return { proof: new Uint8Array(proof), pixels: new Uint8Array(pixels) }
}

/** What a verifier is told: the statement that the prover claims, and a proof. */
export async function requestOf(
  prover: TestProver,
  proof: Uint8Array,
  claims: Lies = {},
): Promise<SumcheckVerification> {
  const { model, key, seed, context, pixels, latent, conditions } = { ...prover, ...claims }
  const { binding, columnBits } = { ...key.image, columnBits: key.columnBits }
  const { powers } = await developmentPowers(columnBits)
  const image =
    binding === 'pixels'
      ? pixels
      : hexToBytes(await imageHash(binding, { ...model.image, pixels }, powers))
  return { key, seed, context, image, latent, conditions, proof }
}

/** The verdicts of both verifiers: undefined for valid. */
export async function verdicts(
  request: SumcheckVerification,
): Promise<{ readonly rust: string | undefined; readonly typescript: string | undefined }> {
  const rust = await sumcheckNative().sumcheckVerify({
    key: keyText(request.key),
    seed: Buffer.from(request.seed),
    context: Buffer.from(request.context),
    image: Buffer.from(request.image),
    latent: Buffer.from(request.latent),
    ...(request.conditions === undefined ? {} : { conditions: Buffer.from(request.conditions) }),
    proof: Buffer.from(request.proof),
  })
  return { rust: rust ?? undefined, typescript: verifySumcheck(request) }
}
