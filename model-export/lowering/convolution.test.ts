import fc from 'fast-check'
import type { OnnxSpec } from '../onnx/build-onnx.js'
import { againstOnnxruntime, noise } from './against-onnxruntime.js'

const small = fc.integer({ min: 1, max: 3 })

/** One spatial axis: what onnxruntime accepts is wider than this, but all our cases are in it. */
const axis = fc.record({
  size: fc.integer({ min: 1, max: 6 }),
  kernel: fc.integer({ min: 1, max: 4 }),
  stride: small,
  dilation: fc.integer({ min: 1, max: 2 }),
  begin: fc.integer({ min: 0, max: 2 }),
  end: fc.integer({ min: 0, max: 2 }),
  extra: fc.integer({ min: 0, max: 2 }),
})

const layer = fc.record({
  axes: fc.array(axis, { minLength: 1, maxLength: 2 }),
  groups: small,
  groupInputs: small,
  groupOutputs: small,
  bias: fc.boolean(),
  autoPad: fc.constantFrom('NOTSET', 'NOTSET', 'NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'),
  outputShape: fc.boolean(),
})

type Layer = typeof layer extends fc.Arbitrary<infer T> ? T : never

function convSpec(it: Layer): OnnxSpec {
  const { axes, groups, groupInputs, groupOutputs } = it
  const outputs = groups * groupOutputs
  const shape = [outputs, groupInputs, ...axes.map(({ kernel }) => kernel)]
  return {
    inputs: { x: ['n', groups * groupInputs, ...axes.map(({ size }) => size)] },
    outputs: ['y'],
    initializers: {
      w: { shape, data: noise(shape.reduce((a, b) => a * b)) },
      ...(it.bias ? { b: { shape: [outputs], data: noise(outputs, 3) } } : {}),
    },
    nodes: [
      {
        operator: 'Conv',
        inputs: it.bias ? ['x', 'w', 'b'] : ['x', 'w'],
        outputs: ['y'],
        attributes: {
          strides: { ints: axes.map(({ stride }) => stride) },
          dilations: { ints: axes.map(({ dilation }) => dilation) },
          group: { int: groups },
          ...padding(it),
        },
      },
    ],
  }
}

function padding(it: Layer): Record<string, { ints: number[] } | { string: string }> {
  if (it.autoPad !== 'NOTSET') return { auto_pad: { string: it.autoPad } }
  return {
    pads: { ints: [...it.axes.map(({ begin }) => begin), ...it.axes.map(({ end }) => end)] },
  }
}

function transposeSpec(it: Layer): OnnxSpec {
  const { axes, groups, groupInputs, groupOutputs } = it
  const inputs = groups * groupInputs
  const shape = [inputs, groupOutputs, ...axes.map(({ kernel }) => kernel)]
  const outputs = groups * groupOutputs
  const extra = axes.map((a) => Math.min(a.extra, a.stride - 1))
  const full = axes.map(
    (a, i) => (a.size - 1) * a.stride + extra[i]! + (a.kernel - 1) * a.dilation + 1,
  )
  return {
    inputs: { x: [1, inputs, ...axes.map(({ size }) => size)] },
    outputs: ['y'],
    initializers: {
      w: { shape, data: noise(shape.reduce((a, b) => a * b)) },
      ...(it.bias ? { b: { shape: [outputs], data: noise(outputs, 3) } } : {}),
    },
    nodes: [
      {
        operator: 'ConvTranspose',
        inputs: it.bias ? ['x', 'w', 'b'] : ['x', 'w'],
        outputs: ['y'],
        attributes: {
          strides: { ints: axes.map(({ stride }) => stride) },
          dilations: { ints: axes.map(({ dilation }) => dilation) },
          group: { int: groups },
          output_padding: { ints: extra },
          ...padding(it),
          ...(it.outputShape
            ? { output_shape: { ints: full.map((n, i) => Math.max(1, n - axes[i]!.begin)) } }
            : {}),
        },
      },
    ],
  }
}

test('Conv is what onnxruntime computes, in one and two dimensions', async () => {
  await fc.assert(
    fc.asyncProperty(layer, async (it) => {
      const reach = ({ kernel, dilation }: Layer['axes'][number]) => (kernel - 1) * dilation + 1
      const padded =
        it.autoPad === 'NOTSET' ? (a: Layer['axes'][number]) => a.begin + a.end : () => 0
      fc.pre(it.axes.every((a) => a.size + padded(a) >= reach(a)))
      // onnxruntime refuses dilated SAME convolutions.
      fc.pre(!it.autoPad.startsWith('SAME') || it.axes.every(({ dilation }) => dilation === 1))
      expect((await againstOnnxruntime(convSpec(it))).error).toBeLessThan(1e-4)
    }),
    { numRuns: 150 },
  )
})

test('ConvTranspose is what onnxruntime computes, in one and two dimensions', async () => {
  await fc.assert(
    fc.asyncProperty(layer, async (it) => {
      const size = (a: Layer['axes'][number]) =>
        (a.size - 1) * a.stride + (a.kernel - 1) * a.dilation + 1 - a.begin - a.end
      fc.pre(it.axes.every((a) => size(a) >= 1))
      expect((await againstOnnxruntime(transposeSpec(it))).error).toBeLessThan(1e-4)
    }),
    { numRuns: 150 },
  )
})
