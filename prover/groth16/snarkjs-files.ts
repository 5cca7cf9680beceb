import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { field } from '../../model-export/json-fields.js'
import { withTemporaryFolder } from '../../model-export/temporary-folder.js'
import { BASE_FIELD, type Groth16Proof } from './encoding.js'
import { trySnarkjs } from './snarkjs-process.js'
import type { G1Coordinates, G2Coordinates, Groth16VerifyingKey } from './verifying-key.js'

/*
 * snarkjs writes points as projective triples of decimal strings, with third coordinate 1 where it is
 * not infinity, and elements of the quadratic extension as [real, imaginary].
 */

/** Reads the content of snarkjs' `proof.json`. */
export function parseSnarkjsProof(json: unknown): Groth16Proof {
  const root = field(json, 'proof.json')
  const number = (value: ReturnType<typeof field>) => value.decimal(BASE_FIELD)
  const g1 = (name: string) => {
    const [x, y] = root.get(name).items()
    return { x: number(x!), y: number(y!) }
  }
  const complex = (value: ReturnType<typeof field>) => {
    const [c0, c1] = value.items()
    return { c0: number(c0!), c1: number(c1!) }
  }
  const [x, y] = root.get('pi_b').items()
  return { a: g1('pi_a'), b: { x: complex(x!), y: complex(y!) }, c: g1('pi_c') }
}

/** The content of a `proof.json` for snarkjs. */
export function snarkjsProof({ a, b, c }: Groth16Proof): unknown {
  return {
    pi_a: [String(a.x), String(a.y), '1'],
    pi_b: [
      [String(b.x.c0), String(b.x.c1)],
      [String(b.y.c0), String(b.y.c1)],
      ['1', '0'],
    ],
    pi_c: [String(c.x), String(c.y), '1'],
    protocol: 'groth16',
    curve: 'bn128',
  }
}

/** The content of a `verification_key.json` for snarkjs. */
export function snarkjsVerifyingKey(key: Groth16VerifyingKey): unknown {
  const g1 = ([x, y]: G1Coordinates) => [String(BigInt(x)), String(BigInt(y)), '1']
  const g2 = ([x, y]: G2Coordinates) => [
    x.map((part) => String(BigInt(part))),
    y.map((part) => String(BigInt(part))),
    ['1', '0'],
  ]
  return {
    protocol: 'groth16',
    curve: 'bn128',
    nPublic: key.nPublic,
    vk_alpha_1: g1(key.alpha1),
    vk_beta_2: g2(key.beta2),
    vk_gamma_2: g2(key.gamma2),
    vk_delta_2: g2(key.delta2),
    IC: key.ic.map(g1),
  }
}

/**
 * Verifies with snarkjs, in a process: a second opinion for tests and audits. It is less strict than
 * `verifyGroth16` about encodings.
 *
 * @returns whether snarkjs accepts
 */
export async function verifyWithSnarkjs(
  key: Groth16VerifyingKey,
  signals: readonly bigint[],
  proof: Groth16Proof,
): Promise<boolean> {
  return withTemporaryFolder('verify', async (directory) => {
    const contents = [snarkjsVerifyingKey(key), signals.map(String), snarkjsProof(proof)]
    const paths = ['key.json', 'public.json', 'proof.json'].map((name) => join(directory, name))
    await Promise.all(paths.map((path, i) => writeFile(path, JSON.stringify(contents[i]))))
    const { exitCode, output } = await trySnarkjs(['groth16', 'verify', ...paths])
    return exitCode === 0 && output.includes('OK!')
  })
}
