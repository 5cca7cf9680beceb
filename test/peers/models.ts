import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fixturePath } from '../../fixtures/golden.js'
import { buildTinyGenerator } from './tiny-generator.js'

/** A model of the comparison. */
export type PeerModel = {
  readonly name: string
  /** Where it comes from, for the page. */
  readonly source: string
  /** The ONNX file; undefined where it is not at hand. */
  readonly read: () => Promise<Uint8Array | undefined>
}

/** Public models lie beside the repository, where they are at hand at all. */
const PUBLIC_MODELS = '../shared/models'

const file = (path: string) => async () => (existsSync(path) ? readFile(path) : undefined)

/** From small to large. */
export const peerModels: readonly PeerModel[] = [
  {
    name: 'tiny',
    source: '`test/peers/tiny-generator.ts`, random weights: a model that every prover can do',
    read: async () => buildTinyGenerator(),
  },
  {
    name: 'sprites',
    source: '`fixtures/sprites`',
    read: file(fixturePath('sprites/sprites.onnx')),
  },
  {
    name: 'sunrises_decoder',
    source: 'public model, a convolutional decoder',
    read: file(`${PUBLIC_MODELS}/sunrises_decoder.onnx`),
  },
  {
    name: 'mnist_gan',
    source: 'public model, a DCGAN for digits',
    read: file(`${PUBLIC_MODELS}/mnist_gan.onnx`),
  },
  {
    name: 'landscapes',
    source: '`fixtures/landscapes`, a DCGAN',
    read: file(fixturePath('landscapes/landscapes.onnx')),
  },
]
