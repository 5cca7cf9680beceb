import fc from 'fast-check'
import onnxProto from 'onnx-proto'
import { lowerOnnx } from '../lower-onnx.js'
import { PlatemarkError } from '../platemark-error.js'
import { buildOnnx, type NodeSpec, type OnnxSpec, type TensorSpec } from './build-onnx.js'
import { describeOnnx } from './describe-onnx.js'
import { halfToNumber } from './half-precision.js'
import { readOnnx } from './read-onnx.js'

/** A generator in small: every structure of a real export, few bytes. */
const generator: OnnxSpec = {
  inputs: { z: ['batch', 2] },
  outputs: { image: ['batch', 4, 4, 1] },
  initializers: {
    w: { shape: [2, 8], data: Array.from({ length: 16 }, (_, i) => i / 8 - 1) },
    b: { shape: [8], data: [1, 2, 3, 4, 5, 6, 7, 8], typed: true },
    kernel: { shape: [2, 1, 2, 2], data: [1, 2, 3, 4, 5, 6, 7, 8] },
    gamma: { shape: [1], data: [2] },
    zero: { dtype: 'int64', shape: [1], data: [0], typed: true },
    rest: { dtype: 'int64', shape: [3], data: [2, 2, 2] },
  },
  nodes: [
    { operator: 'Gemm', inputs: ['z', 'w', 'b'], outputs: ['h'] },
    { operator: 'Elu', inputs: ['h'], outputs: ['e'], attributes: { alpha: { float: 0.5 } } },
    { operator: 'Shape', inputs: ['z'], outputs: ['s'] },
    { operator: 'Gather', inputs: ['s', 'zero'], outputs: ['n'] },
    {
      operator: 'Concat',
      inputs: ['n', 'rest'],
      outputs: ['shape'],
      attributes: { axis: { int: 0 } },
    },
    { operator: 'Reshape', inputs: ['e', 'shape'], outputs: ['r'] },
    {
      operator: 'ConvTranspose',
      inputs: ['r', 'kernel'],
      outputs: ['c'],
      attributes: {
        strides: { ints: [2, 2] },
        kernel_shape: { ints: [2, 2] },
        auto_pad: { string: 'NOTSET' },
      },
    },
    {
      operator: 'BatchNormalization',
      inputs: ['c', 'gamma', 'gamma', 'gamma', 'gamma'],
      outputs: ['bn'],
    },
    { operator: 'Sigmoid', inputs: ['bn'], outputs: ['sig'] },
    {
      operator: 'Transpose',
      inputs: ['sig'],
      outputs: ['image'],
      attributes: { perm: { ints: [0, 2, 3, 1] } },
    },
  ],
}

const bytes = buildOnnx(generator)

/** Lowers, and fails on anything but success and a `PlatemarkError`. */
function survives(file: Uint8Array): void {
  for (const read of [(it: Uint8Array) => lowerOnnx(it, 'test'), describeOnnx]) {
    try {
      read(file)
    } catch (error) {
      if (!(error instanceof PlatemarkError)) throw error
    }
  }
}

/** The message of the error that this file makes. */
function failure(file: Uint8Array): PlatemarkError {
  try {
    lowerOnnx(file, 'test')
  } catch (error) {
    if (error instanceof PlatemarkError) return error
    throw error
  }
  throw new Error('it lowered')
}

test('the whole file lowers; a transpose of one channel is none', () => {
  expect(lowerOnnx(bytes, 'test').output).toEqual({ name: 'sig', shape: [1, 4, 4, 1] })
})

test('describes what is in it', () => {
  expect(describeOnnx(bytes)).toMatchObject({
    opset: 17,
    producer: 'platemark-test',
    inputs: [{ name: 'z', dtype: 'float32', shape: ['batch', 2] }],
    outputs: [{ name: 'image', dtype: 'float32', shape: ['batch', 4, 4, 1] }],
    operators: { Gemm: 1, Reshape: 1, Sigmoid: 1 },
    parameters: 16 + 8 + 8 + 1,
  })
})

test('truncated anywhere, it is one clear error', () => {
  for (let length = 0; length < bytes.length; length++) {
    const error = failure(bytes.subarray(0, length))
    expect(error.shortMessage.length).toBeGreaterThan(10)
  }
})

test('with any bytes changed, nothing else than a PlatemarkError is thrown', () => {
  const flip = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(fc.array(flip, { minLength: 1, maxLength: 4 }), (flips) => {
      const file = bytes.slice()
      for (const [at, value] of flips) file[at] = value
      survives(file)
    }),
    { numRuns: 4000 },
  )
})

test('with bytes cut out or put in, nothing else than a PlatemarkError is thrown', () => {
  fc.assert(
    fc.property(
      fc.nat(bytes.length),
      fc.nat(20),
      fc.uint8Array({ maxLength: 20 }),
      (at, gone, added) => {
        survives(Uint8Array.of(...bytes.subarray(0, at), ...added, ...bytes.subarray(at + gone)))
      },
    ),
    { numRuns: 2000 },
  )
})

test('random bytes are not an ONNX file', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (file) => {
      expect(failure(file).shortMessage).toMatch(/not a readable ONNX file|opset/)
    }),
    { numRuns: 500 },
  )
})

test('hostile nesting does not overflow the stack', () => {
  let inner = new Uint8Array(0)
  for (let depth = 0; depth < 20000 && inner.length < 100000; depth++) {
    // graph → node → attribute → graph, each a length-delimited field.
    for (const tag of [0x32, 0x2a, 0x0a])
      inner = Uint8Array.of(tag, ...lengthOf(inner.length), ...inner)
    if (depth > 300) break
  }
  survives(Uint8Array.of(0x3a, ...lengthOf(inner.length), ...inner))
  survives(new Uint8Array(2 ** 20).fill(0x0b))
})

function lengthOf(length: number): readonly number[] {
  return length < 128 ? [length] : [(length & 127) | 128, ...lengthOf(Math.floor(length / 128))]
}

const op = (
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: NonNullable<NodeSpec['attributes']> = {},
): NodeSpec => ({ operator, inputs, outputs: [output], attributes, name: `my ${operator}` })

const int64 = (...data: readonly number[]): TensorSpec => ({
  dtype: 'int64',
  shape: [data.length],
  data,
})

/** A small model around some nodes; x is 1 × 2, the output y. */
function around(
  nodes: readonly NodeSpec[],
  initializers: Readonly<Record<string, TensorSpec>> = {},
  more: Partial<OnnxSpec> = {},
): Uint8Array {
  return buildOnnx({ inputs: { x: ['n', 2] }, outputs: ['y'], initializers, nodes, ...more })
}

const errors: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
  'unknown operator': [
    around([op('Det', ['x'], 'y')]),
    /Node "my Det" \(Det\).*not supported[\s\S]*Gemm/,
  ],
  'unknown domain': [
    around([{ ...op('Gelu', ['x'], 'y'), domain: 'com.microsoft' }]),
    /Node "my Gelu" \(com\.microsoft\.Gelu\).*not supported/,
  ],
  'operator for constants only': [
    around([op('Mod', ['x', 'x'], 'y')]),
    /Node "my Mod" \(Mod\): this operator is only supported on constants/,
  ],
  'dynamic shape': [
    around([op('Cast', ['x'], 'i', { to: { int: 7 } }), op('Reshape', ['x', 'i'], 'y')]),
    /Node "my Reshape" \(Reshape\): the shape must be constant/,
  ],
  'shape from the latent': [
    around([op('Reshape', ['x', 'x'], 'y')]),
    /Node "my Reshape" \(Reshape\): the shape must be constant/,
  ],
  'weights of integers': [
    around([op('MatMul', ['x', 'w'], 'y')], { w: { dtype: 'int32', shape: [2, 1], data: [1, 2] } }),
    /Node "my MatMul" \(MatMul\).*element type[\s\S]*int32/,
  ],
  'weights that are not finite': [
    around([op('Add', ['x', 'w'], 'y')], { w: { shape: [1, 2], data: [1, Number.NaN] } }),
    /Node "my Add" \(Add\).*not finite/,
  ],
  'undefined tensor': [
    around([op('Add', ['x', 'w'], 'y')]),
    /Node "my Add" \(Add\).*"w" is not defined/,
  ],
  'tensor defined twice': [
    around([op('Relu', ['x'], 'y'), op('Tanh', ['x'], 'y')]),
    /Node "my Tanh" \(Tanh\).*"y" is defined twice/,
  ],
  cycle: [around([op('Add', ['x', 'y'], 'y')]), /"y" is not defined before it/],
  'wrong rank': [
    around([op('Conv', ['x', 'w'], 'y')], { w: { shape: [1, 1, 1], data: [1] } }),
    /my Conv/,
  ],
  'reshape to another size': [
    around([op('Reshape', ['x', 's'], 'y')], { s: int64(8, 2) }),
    /Node "my Reshape" \(Reshape\).*does not fit[\s\S]*batch/,
  ],
  'two outputs': [
    around([op('Relu', ['x'], 'y'), op('Tanh', ['x'], 'z')], {}, { outputs: ['y', 'z'] }),
    /exactly one output[\s\S]*"y", "z"/,
  ],
  'two inputs': [
    around([op('Add', ['x', 'label'], 'y')], {}, { inputs: { x: [1, 2], label: [1, 2] } }),
    /not clear what the inputs[\s\S]*"x" \(float32 1×2\), "label"/,
  ],
  'output without input': [
    around([op('Relu', ['w'], 'y')], { w: { shape: [1], data: [1] } }),
    /does not depend on its input/,
  ],
  'dynamic latent': [
    around([op('Relu', ['x'], 'y')], {}, { inputs: { x: ['n', 'latent'] } }),
    /Input "x" has a dynamic dimension[\s\S]*latent/,
  ],
  'batch of 2 into a convolution': [
    around(
      [op('Conv', ['x', 'w'], 'y')],
      { w: { shape: [1, 1, 1], data: [1] } },
      {
        inputs: { x: [2, 1, 3] },
      },
    ),
    /Node "my Conv" \(Conv\): the batch must be 1/,
  ],
  'training mode': [
    around(
      [op('BatchNormalization', ['x', 'w', 'w', 'w', 'w'], 'y', { training_mode: { int: 1 } })],
      {
        w: { shape: [2], data: [1, 1] },
      },
    ),
    /my BatchNormalization.*training mode[\s\S]*eval/,
  ],
  'opset 8': [
    around([op('Relu', ['x'], 'y')], {}, { opset: 8 }),
    /opset[\s\S]*9 to 26[\s\S]*opset 8/,
  ],
  'opset 27': [around([op('Relu', ['x'], 'y')], {}, { opset: 27 }), /opset/],
  'attribute of another type': [
    around([op('LeakyRelu', ['x'], 'y', { alpha: { string: 'x' } })]),
    /my LeakyRelu.*attribute "alpha" has the wrong type/,
  ],
  'huge ConstantOfShape': [
    around([op('ConstantOfShape', ['s'], 'c'), op('Add', ['x', 'c'], 'y')], { s: int64(2 ** 40) }),
    /my ConstantOfShape.*too large/,
  ],
  'many large tensors': [
    around(
      [
        op('Expand', ['x', 's'], 't0'),
        ...Array.from({ length: 20 }, (_, i) => op('Relu', [`t${i}`], `t${i + 1}`)),
      ],
      { s: int64(2 ** 22, 1) },
      { outputs: ['t20'] },
    ),
    /Node "my Relu" \(Relu\): the model is too large/,
  ],
  'huge Range': [
    around([op('Range', ['a', 'b', 'd'], 'c'), op('Add', ['x', 'c'], 'y')], {
      a: { dtype: 'int64', shape: [], data: [0] },
      b: { dtype: 'int64', shape: [], data: [2 ** 50] },
      d: { dtype: 'int64', shape: [], data: [1] },
    }),
    /my Range.*too large/,
  ],
  'huge Expand': [
    around([op('Expand', ['x', 's'], 'y')], { s: int64(2 ** 30, 1, 2) }),
    /my Expand.*too large/,
  ],
  'huge padding': [
    around(
      [op('Conv', ['x', 'w'], 'y', { pads: { ints: [2 ** 40, 0] } })],
      {
        w: { shape: [1, 1, 1], data: [1] },
      },
      { inputs: { x: [1, 1, 2] } },
    ),
    /my Conv.*"pads" does not fit/,
  ],
  'huge latent': [
    around([op('Relu', ['x'], 'y')], {}, { inputs: { x: [1, 2 ** 31] } }),
    /Input "x" is too large/,
  ],
}

test.each(Object.entries(errors))('%s is one clear error', (_, [file, message]) => {
  expect(failure(file).message).toMatch(message)
})

test('tensors that are not supported are named', () => {
  const { ModelProto } = onnxProto.onnx
  const change = (tensor: object): PlatemarkError => {
    const model = ModelProto.toObject(ModelProto.decode(bytes))
    Object.assign((model as { graph: { initializer: object[] } }).graph.initializer[0]!, tensor)
    return failure(ModelProto.encode(ModelProto.fromObject(model)).finish())
  }
  expect(change({ dataType: 17 }).message).toMatch(/Initializer "w"[\s\S]*float8e4m3fn/)
  expect(change({ dataType: 8 }).message).toMatch(/Initializer "w"[\s\S]*string/)
  expect(change({ dataLocation: 1 }).message).toMatch(/Initializer "w".*another file/)
  expect(change({ dims: [2, 9] }).message).toMatch(/Initializer "w".*wrong length[\s\S]*72 bytes/)
  expect(change({ dims: [2 ** 31, 2 ** 31] }).message).toMatch(/Initializer "w"/)
  expect(change({ dims: [-2, -8] }).message).toMatch(/Initializer "w".*bad shape/)
})

test('a latent size that is symbolic is what its first layer needs', () => {
  const w = { shape: [3, 4], data: new Array<number>(12).fill(1) }
  const file = around([op('MatMul', ['x', 'w'], 'y')], { w }, { inputs: { x: ['n', 'latent'] } })
  expect(lowerOnnx(file, 'test').input.shape).toEqual([1, 3])
})

test('half precision', () => {
  expect(halfToNumber(0x3c00)).toBe(1)
  expect(halfToNumber(0xc500)).toBe(-5)
  expect(halfToNumber(0x7bff)).toBe(65504)
  expect(halfToNumber(0x0001)).toBe(2 ** -24)
  expect(halfToNumber(0xfc00)).toBe(-Infinity)
  expect(halfToNumber(0x7e00)).toBeNaN()
})

test('all dtypes, raw and typed', () => {
  const dtypes = ['float32', 'float64', 'int8', 'uint8', 'int32', 'int64', 'bool'] as const
  for (const dtype of dtypes) {
    for (const typed of [false, true]) {
      const data = dtype === 'bool' || dtype === 'uint8' ? [0, 1] : [-1, 1]
      const file = around([op('Relu', ['x'], 'y')], { w: { dtype, shape: [2], data, typed } })
      expect([...readOnnx(file).initializers.get('w')!.data]).toEqual(data)
    }
  }
})
