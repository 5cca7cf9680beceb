import { bytesToHex } from '@noble/hashes/utils.js'
import type { AffineNode, IntegerModel, IntegerNode } from './integer-model.js'
import { keccak256 } from './keccak.js'

/*
 * A model on disk is two files. `model.json` holds everything but the large arrays. `weights.bin` is
 * their concatenation, without padding, in this order:
 *
 *   for each affine node in order: the weights of each term that has any in order, as int32 little-endian, then the
 *   bias, if there is one, as int64 little-endian;
 *   then the values of each table in order, as int32 little-endian.
 *
 * Lengths follow from the shapes in `model.json`, which also has the number of bytes and the keccak-256
 * of the whole.
 */

export type SerializedModel = {
  /** The content of `model.json`, a JSON value. */
  readonly json: Readonly<Record<string, unknown>>
  /** The content of `weights.bin`. */
  readonly weights: Uint8Array
}

/**
 * The two files of a model; `parseModel` is its inverse.
 *
 * @example
 * const { json, weights } = serializeModel(model)
 */
export function serializeModel(model: IntegerModel): SerializedModel {
  const weights = packWeights(model)
  return {
    json: {
      format: model.format,
      version: model.version,
      name: model.name,
      source: model.source,
      latent: model.latent,
      ...(model.conditions === undefined ? {} : { conditions: model.conditions }),
      image: model.image,
      tensors: model.tensors,
      nodes: model.nodes.map(describeNode),
      tables: model.tables.map(({ description, first, values }) => ({
        description,
        first,
        length: values.length,
      })),
      weights: { bytes: weights.length, keccak256: hashWeights(weights) },
    },
    weights,
  }
}

/** 0x-hex keccak-256 of the content of `weights.bin`. */
export function hashWeights(weights: Uint8Array): `0x${string}` {
  return `0x${bytesToHex(keccak256(weights))}`
}

/**
 * What `model.json` says without the names and words that compute nothing: the part of it that the
 * model id covers.
 */
export function withoutWords(json: SerializedModel['json']): Readonly<Record<string, unknown>> {
  const { name: _, source: __, ...rest } = json
  return {
    ...rest,
    tensors: dropEach(json.tensors, 'name'),
    nodes: dropEach(json.nodes, 'name'),
    tables: dropEach(json.tables, 'description'),
  }
}

function dropEach(list: unknown, key: string): readonly unknown[] {
  return (list as readonly Record<string, unknown>[]).map((item) =>
    Object.fromEntries(Object.entries(item).filter(([name]) => name !== key)),
  )
}

function describeNode(node: IntegerNode): Readonly<Record<string, unknown>> {
  if (node.kind === 'rearrange') return node
  const { bias, terms, ...rest } = node
  return {
    ...rest,
    terms: terms.map((term) =>
      term.kind === 'einsum' ? term : { ...term, weight: { shape: term.weight.shape } },
    ),
    ...(bias === undefined ? {} : { bias: { shape: bias.shape } }),
  }
}

function packWeights(model: IntegerModel): Uint8Array {
  const parts: (Int32Array | Float64Array)[] = []
  for (const node of model.nodes) if (node.kind === 'affine') parts.push(...constantsOf(node))
  for (const table of model.tables) parts.push(table.values)
  let size = 0
  for (const part of parts) size += part.length * (part instanceof Int32Array ? 4 : 8)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const part of parts)
    if (part instanceof Int32Array)
      for (const value of part) {
        view.setInt32(at, value, true)
        at += 4
      }
    else
      for (const value of part) {
        view.setBigInt64(at, BigInt(value), true)
        at += 8
      }
  return bytes
}

function constantsOf({ terms, bias }: AffineNode): readonly (Int32Array | Float64Array)[] {
  const weights = terms.flatMap((term) => (term.kind === 'einsum' ? [] : [term.weight.data]))
  return bias === undefined ? weights : [...weights, bias.data]
}
