import { readFileSync } from 'node:fs'
import type { SumcheckDescriptor } from '../../circuits/sumcheck/descriptor.js'
import { estimateGas } from './estimate-gas.js'

const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
const { models } = read('../../fixtures/sumcheck/models.json') as {
  readonly models: readonly { readonly name: string; readonly key: SumcheckDescriptor }[]
}
/** What forge measured of the engine. */
const measured = read('../../verifier-contracts/snapshots/SumcheckVerifier.json') as Readonly<
  Record<string, string>
>
/** A transaction, the other arguments, and the generated contract around the engine: key, copies, call. */
const AROUND = 21_000 + 1_300 + 7_000

test.each(models.map(({ name, key }) => [name, key] as const))(
  'the gas of %s is predicted within 3 %%',
  (name, key) => {
    const gas =
      Number(measured[name]) + Number(measured[`${name}: calldata of image and proof`]) + AROUND
    expect(Math.abs(estimateGas(key) / gas - 1)).toBeLessThan(0.03)
  },
)
