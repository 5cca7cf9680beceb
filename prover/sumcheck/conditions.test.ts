import { execute } from '../../model-export/execute.js'
import { ezkl } from '../ezkl/backend.js'
import { groth16 } from '../groth16/backend.js'
import { LOCAL_CONTEXT } from '../statement.js'
import { choice, labelModel, styledModel } from './conditional-models.js'
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
import type { SumcheckVerification } from './verifier/verify.js'

const STYLE = [200, 17, 130, 90]
let labelled: TestProver
let styled: TestProver

beforeAll(async () => {
  labelled = await testProver(labelModel(), 5n, { imageBinding: 'commitment' }, choice(3))
  styled = await testProver(styledModel(), 5n, {}, choice(3, ...STYLE))
})

const expectRejected = async (request: SumcheckVerification) => {
  const { rust, typescript } = await verdicts(request)
  expect(rust).toBeDefined()
  expect(typescript).toBe(rust)
}

test('every class and style is proven, and none of them is another', async () => {
  const images = new Set<string>()
  for (const label of [0, 4]) {
    const conditions = choice(label, 0, 255, label, 3)
    const prover = await testProver(styled.model, 5n, {}, conditions)
    const request = await requestOf(prover, await proveWith(prover, {}, true))
    expect(await verdicts(request)).toEqual({})
    images.add(Buffer.from(prover.pixels).toString('hex'))
  }
  expect(images.size).toBe(2)
})

test('a proof is of its conditions', async () => {
  for (const [prover, others] of [
    [labelled, [choice(4), choice(0), choice(5), choice(0x103), choice(3, 0)]],
    [
      styled,
      [
        choice(4, ...STYLE),
        choice(5, ...STYLE),
        choice(3, ...STYLE.with(0, 201)),
        choice(3, ...STYLE.with(3, 91)),
        choice(3, ...STYLE.slice(1)),
        choice(3, ...STYLE, 0),
        choice(3),
      ],
    ],
  ] as const) {
    const request = await requestOf(prover, await proveWith(prover, {}, true))
    expect(await verdicts(request)).toEqual({})
    for (const conditions of [...others, new Uint8Array(0), Uint8Array.of(3)])
      await expectRejected({ ...request, conditions })
    const { conditions: _, ...without } = request
    await expectRejected(without)
  }
})

test('every lie about an execution is rejected, conditions or not', async () => {
  for (const prover of [labelled, styled])
    for (const { name, lies } of liesOf(prover)) {
      const request = await requestOf(prover, await proveWith(prover, lies), lies)
      const { rust, typescript } = await verdicts({ ...request, key: prover.key })
      expect([name, rust]).toEqual([name, typescript])
      expect([name, rust]).not.toEqual([name, undefined])
    }
}, 240_000)

test('a prover that executes one class and claims another', async () => {
  const conditions = choice(4, ...STYLE)
  const pixels = execute(styled.model, styled.latent, conditions)
  const other = await testProver(styled.model, 5n, {}, conditions)
  const lies: readonly Lies[] = [
    // What class 3 makes, said to be of class 4.
    { conditions },
    // What class 3 computes, with the picture of class 4.
    { conditions, pixels },
    { pixels },
    // What class 4 computes and makes, said to be of class 3.
    { first: other.first, pixels },
  ]
  for (const lie of lies) {
    const request = await requestOf(styled, await proveWith(styled, lie), lie)
    const { rust, typescript } = await verdicts(request)
    expect(rust).toBe('merged claim')
    expect(typescript).toBe(rust)
  }
  await expect(proveWith(styled, { conditions: choice(5, ...STYLE) })).rejects.toThrow(
    'no such class',
  )
  await expect(proveWith(styled, { conditions: choice(3) })).rejects.toThrow('condition bytes')
})

test('a model without conditions takes none', async () => {
  const prover = await testProver(randomModel(160), 5n)
  const request = await requestOf(prover, await proveWith(prover, {}, true))
  expect(await verdicts(request)).toEqual({})
  await expectRejected({ ...request, conditions: choice(3) })
})

test('the other backends prove no conditions', async () => {
  const statement = {
    modelId: `0x${'11'.repeat(32)}`,
    seed: 5n,
    conditions: '0x0003',
    imageHash: `0x${'22'.repeat(32)}`,
    context: LOCAL_CONTEXT,
  } as const
  const request = { verifyingKey: {}, latentDimensions: 4, statement, proof: new Uint8Array(256) }
  const no = { valid: false, reason: 'conditions: this backend proves none' }
  expect(await groth16.verify(request)).toEqual(no)
  expect(await ezkl.verify(request)).toEqual(no)
  for (const backend of [groth16, ezkl]) {
    const { feasible, reason } = backend.estimate(labelled.model)
    expect([feasible, reason]).toEqual([false, expect.stringContaining('takes a label or vector')])
  }
})

test('keys with other conditions are refused', async () => {
  const request = await requestOf(styled, await proveWith(styled, {}, true))
  const { key } = styled
  const [label, vector] = key.conditions!
  const blocks = key.blocks
  const vectors = [
    { ...blocks[2]!, space: 'activation' },
    { ...blocks[2]!, offset: 4 },
  ]
  for (const change of [
    { conditions: [] },
    { conditions: null },
    { conditions: [label] },
    { conditions: [vector, label] },
    { conditions: [label, vector, vector] },
    { conditions: [{ ...label, classes: 4 }, vector] },
    { conditions: [{ ...label, classes: 1 }, vector] },
    { conditions: [{ ...label, classes: 70_000 }, vector] },
    { conditions: [{ ...label, name: 'label' }, vector] },
    { conditions: [label, { ...vector, dimensions: 5 }] },
    { conditions: [label, { ...vector, table: [1, 2] }] },
    { image: { ...key.image, block: 1 } },
    { blocks: [blocks[0], blocks[2], blocks[1], ...blocks.slice(3)] },
    ...vectors.map((block) => ({ blocks: [...blocks.slice(0, 2), block, ...blocks.slice(3)] })),
  ]) {
    const { rust, typescript } = await verdicts({ ...request, key: { ...key, ...change } })
    expect([change, rust?.includes('key')]).toEqual([change, true])
    expect([change, typescript?.includes('key')]).toEqual([change, true])
  }
})
