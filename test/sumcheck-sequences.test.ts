import fc from 'fast-check'
import { bytesToHex, type Hex, hexToBytes, keccak256, parseAbi } from 'viem'
import type { DemoModel } from '../cli/demo-models.js'
import { fixturePath } from '../fixtures/golden.js'
import { silent } from '../model-export/progress.js'
import { findBackend } from '../prover/backends.js'
import type { ChainWriter } from '../verifier-contracts/connect.js'
import { keepPixels } from '../verifier-contracts/keep-pixels.js'
import { mint } from '../verifier-contracts/mint.js'
import { collectionAbi } from '../verifier-contracts/platemark-abi.js'
import { tokenIdOf } from '../verifier-contracts/token-id.js'
import { openPipeline, type Pipeline } from './pipeline.js'

/*
 * Invariants of a collection whose verifier is the real one: random sequences of mints and of pixels to
 * keep, most of them with something wrong, on a chain that is put back after each sequence.
 */

const SPRITES: DemoModel = {
  name: 'sprites',
  onnx: fixturePath('sprites/sprites.onnx'),
  backend: 'sumcheck',
  profile: 'compact',
  seed: 1n,
  collection: { name: 'Sprites', symbol: 'SPRITE' },
}

/** A seed's image with its proof. */
type Proven = {
  readonly seed: bigint
  readonly pixels: Hex
  readonly proof: Uint8Array
  readonly tokenId: bigint
}

let pipeline: Pipeline
let proven: readonly [Proven, Proven]

beforeAll(async () => {
  pipeline = await openPipeline(SPRITES)
  const { plate, bundle } = pipeline.demo
  const { modelId, context } = bundle.statement
  const { honest } = pipeline
  const second = await findBackend('sumcheck').prove(plate, { seed: 2n, context }, silent)
  const of = (seed: bigint, pixels: Hex, proof: Uint8Array): Proven => ({
    seed,
    pixels,
    proof,
    tokenId: tokenIdOf(modelId, seed),
  })
  proven = [of(1n, honest.image, honest.proof), of(2n, bytesToHex(second.pixels), second.proof)]
}, 600_000)

afterAll(async () => {
  await pipeline?.close()
})

const seldom = fc.integer({ min: 0, max: 5 }).map((roll) => roll === 0)
/** A bit that is altered; mostly none. */
const altered = fc.tuple(seldom, fc.nat(1 << 20)).map(([wrong, bit]) => (wrong ? bit : null))
const seed = fc.constantFrom(0 as const, 1 as const)
/** A seed with an image and a proof that mostly are its own. */
const claim = fc.tuple(seed, seldom, seldom).map(([index, wrongImage, wrongProof]) => {
  const other = index === 0 ? 1 : 0
  return { seed: index, image: wrongImage ? other : index, proof: wrongProof ? other : index }
})

const operations = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('mint' as const),
      claim,
      keep: fc.boolean(),
      alteredImage: altered,
      alteredProof: altered,
    }),
    fc.record({ kind: fc.constant('keep' as const), claim, altered }),
  ),
  { minLength: 4, maxLength: 12 },
)
type Operation = (typeof operations extends fc.Arbitrary<infer T> ? T : never)[number]

/** What the collection must hold. */
type Model = { readonly minted: Set<0 | 1>; readonly kept: Set<0 | 1> }

/** Runs an operation and says whether the chain did it. */
async function attempt(chain: ChainWriter, operation: Operation): Promise<boolean> {
  const { honest } = pipeline
  const { tokenId, seed } = proven[operation.claim.seed]
  const { pixels } = proven[operation.claim.image]
  const done =
    operation.kind === 'keep'
      ? keepPixels(chain, {
          collection: honest.collection,
          tokenId,
          pixels: bytesToHex(flip(hexToBytes(pixels), operation.altered)),
        })
      : mint(chain, {
          ...honest,
          seed,
          image: bytesToHex(flip(hexToBytes(pixels), operation.alteredImage)),
          proof: flip(proven[operation.claim.proof].proof, operation.alteredProof),
          keepPixels: operation.keep,
        })
  return done.then(
    () => true,
    () => false,
  )
}

/** What must come of an operation; the model is brought up to date. */
function expected({ minted, kept }: Model, operation: Operation): boolean {
  const { seed, image, proof } = operation.claim
  if (operation.kind === 'keep') {
    const may = minted.has(seed) && !kept.has(seed) && image === seed && operation.altered === null
    if (may) kept.add(seed)
    return may
  }
  const { alteredImage, alteredProof } = operation
  const sound = image === seed && proof === seed && alteredImage === null && alteredProof === null
  if (!sound || minted.has(seed)) return false
  minted.add(seed)
  if (operation.keep) kept.add(seed)
  return true
}

function flip(bytes: Uint8Array, at: number | null): Uint8Array {
  if (at === null) return bytes
  const bit = at % (8 * bytes.length)
  return bytes.with(bit >> 3, bytes[bit >> 3]! ^ (1 << (bit & 7)))
}

async function checkInvariants({ publicClient }: ChainWriter, { minted, kept }: Model) {
  const on = { address: pipeline.honest.collection, abi: collectionAbi } as const
  const totalSupply = await publicClient.readContract({
    address: on.address,
    abi: parseAbi(['function totalSupply() view returns (uint256)']),
    functionName: 'totalSupply',
  })
  expect(totalSupply).toBe(BigInt(minted.size))
  for (const index of minted) {
    const { seed, pixels, tokenId } = proven[index]
    const args = [tokenId] as const
    const statement = await publicClient.readContract({ ...on, functionName: 'statementOf', args })
    expect(statement).toMatchObject({ seed, imageHash: keccak256(pixels) })
    const owner = await publicClient.readContract({ ...on, functionName: 'ownerOf', args })
    expect(owner.toLowerCase()).toBe(pipeline.honest.recipient)
    const [found] = await publicClient.readContract({ ...on, functionName: 'pixelsOf', args })
    expect(found).toBe(kept.has(index) ? pixels : '0x')
  }
}

test('a collection holds exactly what was proven, whatever is tried', async () => {
  const { chain } = pipeline
  const request = (method: string, params: readonly unknown[]) =>
    chain.publicClient.request({ method, params } as never) as Promise<Hex>
  await fc.assert(
    fc.asyncProperty(operations, async (sequence) => {
      const snapshot = await request('evm_snapshot', [])
      const model: Model = { minted: new Set(), kept: new Set() }
      try {
        for (const operation of sequence)
          expect(await attempt(chain, operation)).toBe(expected(model, operation))
        await checkInvariants(chain, model)
      } finally {
        await request('evm_revert', [snapshot])
      }
    }),
    { numRuns: process.env.PLATEMARK_SLOW === '1' ? 300 : 30 },
  )
}, 600_000)
