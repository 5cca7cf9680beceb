import { liesOf } from './lies.js'
import { randomModel } from './random-model.js'
import {
  type Lies,
  proveWith,
  requestOf,
  type TestProver,
  testProver,
  verdicts,
} from './test-prover.js'

/** A model with convolutions, padding, two limbs and a copy. */
const MODEL = 160
const bindings = ['pixels', 'commitment'] as const
const provers = new Map<string, TestProver>()

beforeAll(async () => {
  for (const imageBinding of bindings)
    provers.set(imageBinding, await testProver(randomModel(MODEL), 5n, { imageBinding }))
})

const bothReject = async (prover: TestProver, lies: Lies) => {
  const request = await requestOf(prover, await proveWith(prover, lies), lies)
  const { rust, typescript } = await verdicts({ ...request, key: prover.key })
  expect(rust).toBeDefined()
  expect(typescript).toBe(rust)
}

describe.each(bindings)('images bound by %s', (binding) => {
  const prover = () => provers.get(binding)!

  test('the honest proof is accepted, so that every rejection below has one cause', async () => {
    const proof = await proveWith(prover(), {}, true)
    expect(await verdicts(await requestOf(prover(), proof))).toEqual({})
  })

  test('every lie is rejected', async () => {
    const lies = liesOf(prover())
    expect(lies.length).toBeGreaterThan(18)
    for (const { name, lies: by } of lies) {
      const outcome = await bothReject(prover(), by).then(
        () => 'rejected',
        (error: Error) => error.message,
      )
      expect([name, outcome]).toEqual([name, 'rejected'])
    }
  }, 240_000)

  test('the checked prover refuses to prove a lie', async () => {
    const { lies } = liesOf(prover())[0]!
    await expect(proveWith(prover(), lies, true)).rejects.toThrow('not satisfy')
  })

  test('a proof for another seed, context, image or key', async () => {
    const proof = await proveWith(prover(), {}, true)
    const request = await requestOf(prover(), proof)
    const other = new Uint8Array(32).fill(9)
    const key = { ...prover().key, modelId: `0x${'22'.repeat(32)}` }
    const image = request.image.map((byte, i) => (i === 5 ? byte ^ 1 : byte))
    for (const change of [{ seed: other }, { context: other }, { image }, { key }]) {
      const { rust, typescript } = await verdicts({ ...request, ...change })
      expect(rust).toBeDefined()
      expect(typescript).toBe(rust)
    }
  })

  test('malformed proofs: both verifiers say the same, and neither throws', async () => {
    const proof = await proveWith(prover(), {}, true)
    const request = await requestOf(prover(), proof)
    const attempts: Uint8Array[] = [
      new Uint8Array(0),
      proof.slice(1),
      proof.slice(0, -1),
      Uint8Array.of(...proof, 0),
    ]
    // A changed bit, all ones (not canonical), zero: in every word of the first, in some of the others.
    for (let word = 0; word < proof.length / 32; word++) {
      if (word > 60 && word % 7 !== 0) continue
      for (const change of [
        (bytes: Uint8Array) => {
          bytes[31]! ^= 1
        },
        (bytes: Uint8Array) => bytes.fill(255),
        (bytes: Uint8Array) => bytes.fill(0),
      ]) {
        const bad = proof.slice()
        change(bad.subarray(32 * word, 32 * (word + 1)))
        if (Buffer.compare(bad, proof) !== 0) attempts.push(bad)
      }
    }
    for (const bad of attempts) {
      const { rust, typescript } = await verdicts({ ...request, proof: bad })
      expect(rust).toBeDefined()
      expect(typescript).toBe(rust)
    }
  }, 240_000)
})

test('what lies outside all regions changes nothing', async () => {
  const prover = provers.get('pixels')!
  const { descriptor } = prover.layout
  const { activation, table, copy, columns, columnBits } = descriptor
  const end = Math.max(
    ...[activation.quotient, activation.output, ...activation.limbs].map(
      (start) => start + 2 ** activation.bits,
    ),
    table.multiplicity + 2 ** table.bits,
    copy === null ? 0 : copy.offset + 2 ** copy.bits,
  )
  expect(end).toBeLessThan(columns.first * 2 ** columnBits)
  const first = prover.first.slice()
  first[end] = 12345
  const request = await requestOf(prover, await proveWith(prover, { first }, true))
  expect(await verdicts(request)).toEqual({})
})
