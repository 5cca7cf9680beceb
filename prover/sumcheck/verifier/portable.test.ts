import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import type { Vectors } from '../vectors.js'

const { positive } = JSON.parse(
  readFileSync(new URL('../../../fixtures/sumcheck/vectors.json', import.meta.url), 'utf8'),
) as Vectors

/** The verifier as a script for browsers, and the files that went into it. */
async function bundle(): Promise<{ readonly script: string; readonly files: readonly string[] }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL('./verify.ts', import.meta.url))],
    bundle: true,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    globalName: 'verifier',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  return { script: outputFiles[0]!.text, files: Object.keys(metafile.inputs) }
}

/** Runs in the bare context, next to the bundle: decodes a vector, verifies it, and a forgery of it. */
const VERIFY = `(() => {
  const bytes = (hex) => Uint8Array.from(hex.slice(2).match(/../g) ?? [], (pair) => parseInt(pair, 16))
  const { key, ...statement } = JSON.parse(vector)
  const request = { key }
  for (const name of ['seed', 'context', 'image', 'latent', 'proof']) request[name] = bytes(statement[name])
  const honest = verifier.verifySumcheck(request)
  request.seed[0] ^= 1
  const forged = verifier.verifySumcheck(request)
  return JSON.stringify([honest ?? 'valid', forged])
})()`

test('bundled for browsers it holds nothing but itself and portable cryptography', async () => {
  const { files } = await bundle()
  expect(files.length).toBeGreaterThan(10)
  // Nothing of the prover: it is written from docs/protocol.md alone.
  for (const file of files)
    expect(file).toMatch(
      /prover\/sumcheck\/verifier\/[a-z-]+\.ts$|node_modules\/(@noble\/(curves|hashes)|canonicalize)\//,
    )
})

test('the bundle verifies golden proofs in a context without Node, process or require', async () => {
  const { script } = await bundle()
  expect(positive.length).toBeGreaterThan(3)
  for (const vector of positive) {
    // TextEncoder is a browser's; all else is the language.
    const context = createContext({ TextEncoder, vector: JSON.stringify(vector) })
    runInContext(script, context)
    expect(runInContext('[typeof process, typeof require, typeof Buffer].join()', context)).toBe(
      'undefined,undefined,undefined',
    )
    const verdicts = runInContext(VERIFY, context)
    expect([vector.name, JSON.parse(verdicts as string)]).toEqual([
      vector.name,
      ['valid', 'merged claim'],
    ])
  }
})
