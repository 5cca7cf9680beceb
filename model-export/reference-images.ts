import { InferenceSession, Tensor } from 'onnxruntime-node'
import { conditionsOf, realConditions, splitConditions } from './conditions.js'
import { anyImageSize, detectImageSize, type FlatSize, type ImageLayout } from './image-output.js'
import type { LoopChoice } from './input-choice.js'
import type { IntegerModel } from './integer-model.js'
import { realLatent } from './latent-table.js'
import type { ResolvedInputs } from './lowering/resolve-inputs.js'
import { halfToNumber, numberToHalf } from './onnx/half-precision.js'
import { nameInStep } from './onnx/unroll-graph.js'
import { PlatemarkError } from './platemark-error.js'
import { elementCount, transposeIndex } from './tensor-index.js'

export type ReferenceOptions = {
  readonly layout?: ImageLayout
  readonly size?: FlatSize
  /** The output is taken for a picture, also where it is none. */
  readonly anyOutput?: boolean
  /** What the inputs were taken for; the first one is the latent where nothing is said. */
  readonly inputs?: ResolvedInputs
  /** The model is run so often. */
  readonly loop?: LoopChoice
}

export type Reference = {
  /** Real values 0…255, row-major height × width × channels. */
  readonly pixels: (latentBytes: Uint8Array, conditions: Uint8Array) => Promise<Float64Array>
  readonly close: () => Promise<void>
}

/** What goes into one input: real numbers of the input's shape. */
type Feed = (latentBytes: Uint8Array, conditions: Uint8Array, step: number) => ArrayLike<number>

/**
 * The float model in onnxruntime: what the integer model's images are compared with.
 *
 * @throws {PlatemarkError} where onnxruntime refuses the file.
 */
export async function openReference(
  onnx: Uint8Array,
  model: IntegerModel,
  options: ReferenceOptions,
): Promise<Reference> {
  const session = await InferenceSession.create(onnx, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  }).catch((cause: unknown) => {
    throw new PlatemarkError('onnxruntime cannot run the model, so it cannot be compared with.', {
      found: cause instanceof Error ? cause.message : String(cause),
      fix: 'Check the file with onnx.checker, or export it again: in single precision, for which onnxruntime has all operators, and with opset 17.',
      cause,
    })
  })
  const { loop } = options
  const feeds = feedsOf(session, model, options.inputs, loop?.steps ?? 1)
  const outputName = loop?.output ?? session.outputNames[0]!
  const [low, high] = model.image.range

  const pixels = async (latentBytes: Uint8Array, conditions: Uint8Array): Promise<Float64Array> => {
    let output: Tensor | undefined
    for (let step = 0; step < (loop?.steps ?? 1); step++) {
      const fed = feeds.map(({ name, type, shape, feed }) => [
        name,
        output !== undefined && name === loop?.input
          ? output
          : tensorOf(name, type, shape, feed(latentBytes, conditions, step)),
      ])
      output = (await session.run(Object.fromEntries(fed)))[outputName] as Tensor
    }
    if (output === undefined) throw new RangeError('a loop has steps')
    const values = valuesOf(output)
    const sizeOf = options.anyOutput ? anyImageSize : detectImageSize
    const size = sizeOf(output.dims, options.layout, options.size)
    const index =
      size.layout === 'CHW'
        ? transposeIndex([size.channels, size.height, size.width], [1, 2, 0])
        : Int32Array.from({ length: values.length }, (_, i) => i)
    return Float64Array.from(index, (at) =>
      Math.min(Math.max(((Number(values[at]) - low) / (high - low)) * 255, 0), 255),
    )
  }
  return { pixels, close: () => session.release() }
}

/** The elements as numbers; newer versions of Node have halves of their own. */
function valuesOf({ type, data }: Tensor): ArrayLike<number> {
  return type === 'float16' && data instanceof Uint16Array
    ? Float64Array.from(data, halfToNumber)
    : (data as ArrayLike<number>)
}

function feedsOf(
  session: InferenceSession,
  model: IntegerModel,
  inputs: ResolvedInputs | undefined,
  steps: number,
) {
  const { dimensions } = model.latent
  const latents = inputs?.latent.parts ?? [{ name: session.inputNames[0]!, shape: [1, dimensions] }]
  const places = placesOf(latents)
  return session.inputMetadata.map((input) => {
    const { name } = input
    const type = input.isTensor ? input.type : 'no tensor'
    const declared = input.isTensor ? input.shape : []
    const given = declared.map((size) => (typeof size === 'number' && size > 0 ? size : 1))
    const latent = latents.find((part) => part.name === name)
    if (latent !== undefined) {
      const feed: Feed = (latentBytes, _, step) => {
        const own = step < steps - 1 ? places.get(nameInStep(name, step)) : undefined
        return realLatent(model.latent, latentBytes).subarray(...(own ?? places.get(name)!))
      }
      const fits = elementCount(given) === elementCount(latent.shape)
      return { name, type, shape: fits ? given : latent.shape, feed }
    }
    const index = inputs?.conditions.findIndex((condition) => condition.name === name) ?? -1
    const condition = inputs?.conditions[index]
    if (condition !== undefined)
      return {
        name,
        type,
        shape: condition.input.shape,
        feed: conditionFeed(model, index, condition),
      }
    const constant = inputs?.constants.get(name)
    if (constant !== undefined) {
      // Where a loop has one for each step, those before the last have a number.
      const feed: Feed = (_, __, step) =>
        (step < steps - 1 ? inputs?.constants.get(nameInStep(name, step)) : undefined)?.data ??
        constant.data
      return { name, type, shape: constant.shape, feed }
    }
    // Nothing reads it.
    return { name, type, shape: given, feed: () => new Float64Array(elementCount(given)) }
  })
}

/** Where each latent begins and ends in all of them. */
function placesOf(latents: ResolvedInputs['latent']['parts']) {
  const places = new Map<string, readonly [begin: number, end: number]>()
  let begin = 0
  for (const { name, shape } of latents) {
    const end = begin + elementCount(shape)
    places.set(name, [begin, end])
    begin = end
  }
  return places
}

function conditionFeed(
  model: IntegerModel,
  index: number,
  { kind, input }: ResolvedInputs['conditions'][number],
): Feed {
  const kinds = conditionsOf(model)
  return (_, conditions) => {
    const value = splitConditions(kinds, conditions)[index]!
    return value.kind === 'label' && kind === 'label' && input.dtype.startsWith('int')
      ? [value.label]
      : realConditions(kinds, conditions)[index]!
  }
}

function tensorOf(
  name: string,
  type: string,
  shape: readonly number[],
  values: ArrayLike<number>,
): Tensor {
  switch (type) {
    case 'float32':
      return new Tensor('float32', Float32Array.from(values), shape)
    case 'float16':
      return new Tensor('float16', Uint16Array.from(values, numberToHalf), shape)
    case 'float64':
      return new Tensor('float64', Float64Array.from(values), shape)
    case 'int32':
      return new Tensor('int32', Int32Array.from(values), shape)
    case 'int64':
      return new Tensor('int64', BigInt64Array.from(Array.from(values, BigInt)), shape)
    case 'bool':
      return new Tensor('bool', Uint8Array.from(values), shape)
    default:
      throw new PlatemarkError(
        `Input "${name}" of the model has an element type that is not supported.`,
        {
          expected: 'float16, float32, float64, int32, int64 or bool',
          found: type,
        },
      )
  }
}
