import { gunzipSync, gzipSync } from 'node:zlib'
import canonicalizeModule from 'canonicalize'
import { type Hex, keccak256, toBytes, toHex } from 'viem'
import { field } from '../../model-export/json-fields.js'
import { PlatemarkError } from '../../model-export/platemark-error.js'
import type { VerifierPowers } from './halo2-srs.js'

/** Halo2's verifying key and what belongs to it, as `verifying-key.json` and bundles carry them. */
export type EzklKey = {
  readonly modelId: Hex
  /** Release of ezkl that made the key; another one may not read it. */
  readonly release: string
  /** Length of a proof: ezkl ignores bytes after its end, so whoever verifies must know it. */
  readonly proofBytes: number
  /** ezkl's settings, as it wrote them. */
  readonly settings: unknown
  readonly verifyingKey: Uint8Array
  readonly powers: VerifierPowers
}

/** No key is larger: selectors take 2^k bits each. */
const MAX_KEY_BYTES = 1 << 28

/** The package is CommonJS; its types say otherwise. */
const canonicalize = canonicalizeModule as unknown as (value: unknown) => string

/** The key as JSON. Selectors are nearly all zero, so the halo2 key is compressed. */
export function serializeKey(key: EzklKey): object {
  return {
    format: 'platemark-ezkl-key',
    version: 1,
    release: key.release,
    modelId: key.modelId,
    proofBytes: key.proofBytes,
    settings: key.settings,
    verifyingKey: gzipSync(key.verifyingKey, { level: 9 }).toString('base64'),
    powers: { g1: toHex(key.powers.g1), g2: toHex(key.powers.g2) },
  }
}

/**
 * Reads a key from parsed JSON. That it is a key of halo2 is for ezkl to find out.
 *
 * @throws {PlatemarkError} naming the member that is wrong.
 */
export function parseKey(value: unknown): EzklKey {
  const root = field(value, 'verifying key')
  root.only(
    'format',
    'version',
    'release',
    'modelId',
    'proofBytes',
    'settings',
    'verifyingKey',
    'powers',
  )
  root.get('format').oneOf('platemark-ezkl-key')
  root.get('version').oneOf(1)
  const powers = root.get('powers').only('g1', 'g2')
  return {
    release: root.get('release').plain(),
    modelId: root.get('modelId').hex(32),
    proofBytes: root.get('proofBytes').integer(1, 1 << 20),
    settings: root.get('settings').value,
    verifyingKey: decompress(root.get('verifyingKey').text()),
    powers: { g1: toBytes(powers.get('g1').hex(64)), g2: toBytes(powers.get('g2').hex(256)) },
  }
}

/**
 * keccak-256 of the RFC 8785 text of the key with the halo2 key uncompressed: compression may differ
 * between systems.
 */
export function keyHash(key: EzklKey): Hex {
  const { format: _, ...members } = serializeKey(key) as Record<string, unknown>
  const text = canonicalize({ ...members, verifyingKey: keccak256(key.verifyingKey) })
  return keccak256(toBytes(text))
}

function decompress(text: string): Uint8Array {
  try {
    return gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: MAX_KEY_BYTES })
  } catch (cause) {
    throw new PlatemarkError('The verifying key is damaged.', {
      expected: 'a gzip stream in base64',
      found: cause instanceof Error ? cause.message : String(cause),
      cause,
    })
  }
}
