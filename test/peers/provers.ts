import { toolVersion } from '../../cli/version.js'
import { backends } from '../../prover/backends.js'
import { EZKL_VERSION, findPython } from '../../prover/ezkl/installation.js'
import { measureEzklOwn } from './ezkl-own.js'
import { measureBackend, type Report, type Settings } from './measure.js'

/** A prover of the comparison, and what its proofs say. */
export type Prover = {
  readonly name: string
  readonly title: string
  readonly version: string
  readonly isInstalled: () => boolean
  readonly measure: (
    onnx: Uint8Array,
    name: string,
    settings: Settings,
    report: Report,
  ) => Promise<void>
  /** Answers for the table of what each proves. */
  readonly proves: {
    readonly image: string
    readonly seed: string
    readonly context: string
    readonly weights: string
    readonly setup: string
  }
}

const platemark = (name: string): Pick<Prover, 'name' | 'measure'> => ({
  name,
  measure: (onnx, model, settings, report) =>
    measureBackend(onnx, model, backends.find((it) => it.name === name)!, settings, report),
})

/** Every prover that is measured. */
export const provers: readonly Prover[] = [
  {
    ...platemark('sumcheck'),
    title: 'platemark sumcheck',
    version: toolVersion,
    isInstalled: () => true,
    proves: {
      image: 'yes, the pixels or a commitment to them',
      seed: 'yes',
      context: 'yes',
      weights: 'public',
      setup: 'universal',
    },
  },
  {
    ...platemark('groth16'),
    title: 'platemark groth16',
    version: toolVersion,
    isInstalled: () => true,
    proves: {
      image: 'yes, their Poseidon digest',
      seed: 'yes',
      context: 'yes',
      weights: 'public',
      setup: 'per model',
    },
  },
  {
    ...platemark('ezkl'),
    title: 'platemark ezkl (our integer model in ezkl)',
    version: EZKL_VERSION,
    isInstalled: () => findPython() !== undefined,
    proves: {
      image: 'yes, the pixels',
      seed: 'yes',
      context: 'yes',
      weights: 'public',
      setup: 'universal',
    },
  },
  {
    name: 'ezkl-own',
    title: 'ezkl by itself (float ONNX, its defaults)',
    version: EZKL_VERSION,
    isInstalled: () => findPython() !== undefined,
    measure: measureEzklOwn,
    proves: {
      image: 'fixed-point outputs, no pixels',
      seed: 'no, a latent of anyone’s choice',
      context: 'no',
      weights: 'public (can be private)',
      setup: 'universal',
    },
  },
]
